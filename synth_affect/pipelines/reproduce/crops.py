"""Crops as networks have them, in [-1, 1], and as pictures."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synth_affect.arrays import FloatArray

_FULL = np.float32(127.5)


def as_crop(picture: npt.NDArray[np.uint8]) -> FloatArray:
    """(size, size, 3) float32 in [-1, 1]."""
    crop: FloatArray = picture.astype(np.float32) / _FULL - 1
    return crop


def as_picture(crop: FloatArray) -> npt.NDArray[np.uint8]:
    """(..., 3) uint8 of a crop in [-1, 1]."""
    picture: npt.NDArray[np.uint8] = np.rint((np.clip(crop, -1, 1) + 1) * _FULL).astype(np.uint8)
    return picture
