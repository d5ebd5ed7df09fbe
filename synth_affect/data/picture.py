"""`Picture`: a picture as it is seen, with what its file said about it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from synth_affect.arrays import ImageArray, IntArray, readonly
from synth_affect.errors import ShapeError


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A picture as it is seen: upright, RGB.

    pixels : (height, width, 3) uint8 or uint16, in the colour space of icc_profile (sRGB where that is None).
    alpha : (height, width) of the same dtype, or None where the file has no transparency.
    icc_profile : for RGB, or for grey where `grey`; or None.
    exif : without orientation (the pixels are turned) and thumbnail (it would show the face before), or None.
    format : of the file, in Pillow's words.  path : where it was read.
    grey : the file has no colours (its three channels are the same), and what is made from it shall have none.
    """

    pixels: ImageArray
    alpha: IntArray | None
    icc_profile: bytes | None
    exif: bytes | None
    format: str
    path: Path
    grey: bool = False

    def __post_init__(self) -> None:
        dtype = self.pixels.dtype
        if dtype not in (np.uint8, np.uint16):
            raise ShapeError("pixels", "uint8 or uint16", str(dtype))
        object.__setattr__(self, "pixels", readonly(self.pixels, "pixels", ("height", "width", 3), dtype))
        if self.alpha is not None:
            object.__setattr__(self, "alpha", readonly(self.alpha, "alpha", self.pixels.shape[:2], dtype))
