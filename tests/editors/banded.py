"""Faces that a network learns in seconds: each person has a shade, each category a dark band at its own place."""

from __future__ import annotations

from typing import Any

import numpy as np

from synth_affect.editors.faces import CATEGORIES, EditorFaces
from synth_affect.editors.training import EditorBatch, pictures_as_tensor


def banded_faces(categories: tuple[str, ...], n_people: int = 4, size: int = 16) -> EditorFaces:
    """One picture of each category, person by person."""
    numbers = np.tile([CATEGORIES.index(name) if name else -1 for name in categories], n_people)
    people = np.repeat(np.arange(n_people), len(categories))
    pictures = np.empty((len(numbers), size, size, 3), dtype=np.uint8)
    pictures[:] = (120 + 30 * people)[:, None, None, None]
    for i, picture in enumerate(pictures):
        place = 2 * (i % len(categories))
        picture[place : place + 2] = 10
    return EditorFaces(
        pictures, np.zeros((len(numbers), 2), dtype=np.float32), numbers,
        np.array([f"p{person}" for person in people]), np.array([f"k{i}" for i in range(len(numbers))]),
    )  # fmt: skip


def batch_of(faces: EditorFaces) -> EditorBatch:
    import torch

    return EditorBatch(
        torch.arange(len(faces)),
        pictures_as_tensor(faces.pictures, "cpu"),
        torch.from_numpy(faces.affect.copy()),
        torch.from_numpy(faces.categories.copy()),
        torch.from_numpy(faces.people),
    )


def reached(learner: Any, loss: Any, parts: tuple[str, ...]) -> set[str]:
    """Parts of which some parameter has a gradient of `loss`."""
    import torch

    found = set()
    for name in parts:
        parameters = list(getattr(learner, name).parameters())
        gradients = torch.autograd.grad(loss, parameters, retain_graph=True, allow_unused=True)
        if any(gradient is not None and bool(gradient.any()) for gradient in gradients):
            found.add(name)
    return found
