"""What an edit changes where no face is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_affect.arrays import FloatArray, ImageArray, as_uint8

REACH = 0.5
"""The face's region is the box of its landmarks, widened on each side by so many of its longer sides: it holds the
whole head, neck and collar, which may move with a jaw, and it depends on no editor.
"""


@dataclass(frozen=True, slots=True)
class BackgroundChange:
    """mean : absolute difference over the background's channels, of 255.  share : of its pixels that changed at all."""

    mean: float
    share: float


def background_change(before: ImageArray, after: ImageArray, points: FloatArray) -> BackgroundChange | None:
    """Of the picture outside the face's region; None where the face fills the picture.

    before, after : (height, width, 3) of one size.  points : (n, 2) px, of the face in `before`.
    """
    outside = np.ones(before.shape[:2], dtype=bool)
    low, high = points.min(axis=0), points.max(axis=0)
    reach = REACH * float((high - low).max())
    left, top = np.maximum(np.floor(low - reach), 0).astype(int)
    right, bottom = np.maximum(np.ceil(high + reach), 0).astype(int)
    outside[top:bottom, left:right] = False
    if not outside.any():
        return None
    same_depth = before.dtype == after.dtype
    changed = (before != after if same_depth else as_uint8(before) != as_uint8(after)).any(axis=2)
    difference = np.abs(as_uint8(before).astype(np.int16) - as_uint8(after))
    return BackgroundChange(float(difference[outside].mean()), float(changed[outside].mean()))
