"""What a rasterizer says of every pixel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_affect.arrays import FloatArray, IntArray, readonly


@dataclass(frozen=True, slots=True, eq=False)
class Fragments:
    """The nearest triangles under every pixel centre; meaning and layout of pytorch3d's `Fragments`.

    pix_to_face : (batch, height, width, faces_per_pixel) int32, triangle index, -1 where there is none.
    zbuf : the same shape, float32, depth in the camera frame (mm), -1 where there is none.
    bary_coords : (batch, height, width, faces_per_pixel, 3) float32, perspective-correct, -1 where there is none.
    The CPU rasterizer has batch = faces_per_pixel = 1.
    """

    pix_to_face: IntArray
    zbuf: FloatArray
    bary_coords: FloatArray

    def __post_init__(self) -> None:
        layout = ("batch", "height", "width", "faces_per_pixel")
        object.__setattr__(self, "pix_to_face", readonly(self.pix_to_face, "pix_to_face", layout, np.int32))
        shape = self.pix_to_face.shape
        object.__setattr__(self, "zbuf", readonly(self.zbuf, "zbuf", shape, np.float32, finite=False))
        object.__setattr__(
            self, "bary_coords", readonly(self.bary_coords, "bary_coords", (*shape, 3), np.float32, finite=False)
        )
