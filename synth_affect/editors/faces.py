"""Faces as editors are trained on them: aligned crops with their affect, their category, and whose they are."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from synth_affect.affect import Emotion
from synth_affect.arrays import FloatArray, readonly
from synth_affect.errors import ShapeError

CATEGORIES: tuple[Emotion, ...] = (
    Emotion.NEUTRAL,
    Emotion.HAPPINESS,
    Emotion.SADNESS,
    Emotion.SURPRISE,
    Emotion.FEAR,
    Emotion.DISGUST,
    Emotion.ANGER,
    Emotion.CONTEMPT,
)
"""That faces are labelled with, in the order of their numbers; an editor takes those that its paper has."""
MIXED = -1
"""The number of a face that is of no category, or of several at once."""


@dataclass(frozen=True, slots=True, eq=False)
class EditorFaces:
    """pictures : (n, size, size, 3) uint8 RGB, aligned by `face_crop`; may lie on the disk (memmap).
    affect : (n, 2) float32, valence and arousal in [-1, 1]; NaN where there is no label.
    categories : (n,) int64, numbers in CATEGORIES, or MIXED.
    subjects, keys : (n,) of str: whose face it is, and which picture.
    Raises ShapeError for arrays of other shapes.
    """

    pictures: npt.NDArray[np.uint8]
    affect: FloatArray
    categories: npt.NDArray[np.int64]
    subjects: npt.NDArray[Any]
    keys: npt.NDArray[Any]

    def __post_init__(self) -> None:
        n, size = len(self.pictures), self.pictures.shape[1] if self.pictures.ndim == 4 else 0
        if self.pictures.shape != (n, size, size, 3) or self.pictures.dtype != np.uint8:
            raise ShapeError("pictures", "(n, size, size, 3) uint8", f"{self.pictures.shape} {self.pictures.dtype}")
        object.__setattr__(self, "affect", readonly(self.affect, "affect", (n, 2), np.float32, finite=False))
        object.__setattr__(self, "categories", readonly(self.categories, "categories", (n,), np.int64))
        for name in ("subjects", "keys"):
            if np.shape(getattr(self, name)) != (n,):
                raise ShapeError(name, (n,), np.shape(getattr(self, name)))
        if n and not MIXED <= self.categories.min() <= self.categories.max() < len(CATEGORIES):
            raise ShapeError("categories", f"numbers in [{MIXED}, {len(CATEGORIES)})", str(self.categories.max()))

    def __len__(self) -> int:
        return len(self.pictures)

    @property
    def size(self) -> int:
        """Height and width of the pictures."""
        return int(self.pictures.shape[1])

    @property
    def people(self) -> npt.NDArray[np.int64]:
        """(n,) the subjects as numbers from 0, in the order of their names."""
        found: npt.NDArray[np.int64] = np.unique(self.subjects, return_inverse=True)[1].astype(np.int64)
        return found

    def select(self, chosen: npt.NDArray[Any]) -> EditorFaces:
        """Those at the numbers `chosen`, or where a mask is True; a copy."""
        return EditorFaces(*(getattr(self, field.name)[chosen] for field in fields(self)))
