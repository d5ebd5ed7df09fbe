"""Landmarks of a face in a picture, and the protocol of the detectors that find them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from synth_affect.arrays import FloatArray, ImageArray, readonly


@dataclass(frozen=True, slots=True, eq=False)
class Landmarks:
    """One face's landmarks.

    points_image : (n_landmarks, 3) float32; x and y in pixels (pixel centres at .5), z the detector's relative depth in
        the unit of x, smaller is nearer (NaN-free; 0 where the detector gives none).
    blendshapes : the detector's own readings of expression units by ARKit name, [0, 1]; empty where it has none.
    """

    points_image: FloatArray
    blendshapes: dict[str, float]

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "points_image", readonly(self.points_image, "points_image", ("n_landmarks", 3), np.float32)
        )


class LandmarkDetector(Protocol):
    """Finds faces. Closing frees native handles."""

    def detect(self, image: ImageArray) -> list[Landmarks]:
        """All faces of `image` (height, width, 3) uint8 or uint16 sRGB, largest first; [] when there is none."""
        ...

    def close(self) -> None:
        """Free the native handles; a second call does nothing."""
        ...
