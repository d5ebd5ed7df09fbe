"""Pairs of one emotion, and of two; and averaged faces."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth_affect.arrays import FloatArray
from synth_affect.editors.expression_classifier.augmentation import labels_of
from synth_affect.editors.expression_classifier.settings import CLASSES
from synth_affect.editors.faces import EditorFaces
from synth_affect.editors.grey import LUMA
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import Tensor


def pair_up(classes: Tensor) -> tuple[Tensor, Tensor]:
    """(batch,) for each face the number of its partner in the batch, and whether both show one emotion.

    Half of the partners, drawn with torch's random numbers, are of the same emotion where the batch has another such
    face, and the rest of another one where it has any; faces of no class, -1, are partners of nobody and have
    themselves.
    """
    torch = import_optional("torch", "train")
    n = len(classes)
    same = classes[:, None] == classes[None, :]
    known = (classes >= 0)[None, :] & (classes >= 0)[:, None]
    alike = same & known & ~torch.eye(n, dtype=torch.bool, device=classes.device)
    unlike = ~same & known
    wants_alike = torch.rand(n, device=classes.device) < 0.5
    allowed = torch.where(wants_alike[:, None], alike, unlike).float()
    none = allowed.sum(dim=1) == 0
    allowed[none, none.nonzero()[:, 0]] = 1.0
    partners = torch.multinomial(allowed, 1)[:, 0]
    return partners, same[torch.arange(n, device=classes.device), partners]


def class_averages(faces: EditorFaces) -> FloatArray:
    """(classes, 1, size, size) float32 in [0, 1]: the mean grey face of each of CLASSES; black where there is none."""
    labels = labels_of(faces.categories)
    averages = np.zeros((len(CLASSES), 1, faces.size, faces.size), dtype=np.float32)
    for number in range(len(CLASSES)):
        own = np.flatnonzero(labels == number)
        if len(own):
            averages[number, 0] = faces.pictures[own].mean(axis=0) @ np.array(LUMA) / 255
    return averages
