"""Where the faces of each class lie among the seven latents."""

from __future__ import annotations

from typing import Any

import numpy as np

from synth_affect.affect import Emotion
from synth_affect.arrays import FloatArray
from synth_affect.editors.expression_classifier.augmentation import labels_of
from synth_affect.editors.expression_classifier.settings import CLASSES
from synth_affect.editors.faces import EditorFaces


def latent_figures(latents: FloatArray, faces: EditorFaces) -> dict[str, Any]:
    """How far from the origin each class lies in the mean, and which axis is largest in its mean.

    latents : (n, 7), of the faces.  Returns JSON values: of each class that is shown, `length` and `largest_axis`;
    `nearest_the_origin`, a class; `on_their_own_axis`, the emotions whose mean is largest there, and
    `share_on_own_axis` of those that are shown.
    """
    labels = labels_of(faces.categories)
    shown = [number for number in range(len(CLASSES)) if (labels == number).any()]
    own = {
        str(CLASSES[number]): {
            "length": float(np.linalg.norm(latents[labels == number], axis=1).mean()),
            "largest_axis": str(CLASSES[int(latents[labels == number].mean(axis=0).argmax())]),
        }
        for number in shown
    }
    emotions = [name for name in own if name != Emotion.NEUTRAL]
    on_own = [name for name in emotions if own[name]["largest_axis"] == name]
    return {
        "classes": own,
        "nearest_the_origin": min(own, key=lambda name: own[name]["length"], default=None),  # type: ignore[arg-type, return-value]
        "on_their_own_axis": on_own,
        "share_on_own_axis": len(on_own) / len(emotions) if emotions else None,
    }
