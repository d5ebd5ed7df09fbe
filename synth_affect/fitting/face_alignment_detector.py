"""The package `face-alignment` as a `LandmarkDetector`: 68 points, no readings. Its weights it fetches itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from synth_affect.arrays import ImageArray, as_uint8
from synth_affect.errors import FitError, ShapeError
from synth_affect.fitting.landmarks import LandmarkDetector, Landmarks
from synth_affect.fitting.markup import IBUG
from synth_affect.optional import import_optional

EXTRA = "face-alignment"


class FaceAlignmentDetector(LandmarkDetector):
    """Finds faces with FAN (Bulat & Tzimiropoulos 2017) behind the S3FD detector.

    device : "cpu" or "cuda".
    network : an object with face-alignment's `get_landmarks_from_image`; made, and its weights downloaded at the first
        use, where None.
    Raises MissingDependencyError where the package is not installed.
    """

    def __init__(self, device: str = "cpu", network: Any = None) -> None:
        self._network = _open(device) if network is None else network

    def detect(self, image: ImageArray) -> list[Landmarks]:
        """See `LandmarkDetector`. points_image : (68, 3), x and y in px with pixel centres at .5; z is 0."""
        if self._network is None:
            raise ValueError("the detector is closed")
        if image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
            raise ShapeError("image", ("height", "width", 3), image.shape)
        found = self._network.get_landmarks_from_image(np.array(as_uint8(image)))
        faces = []
        for points in found or []:  # None where there is no face
            points = np.asarray(points, dtype=np.float64)
            if points.shape != (IBUG.n_landmarks, 2):
                raise ShapeError("face-alignment's landmarks", (IBUG.n_landmarks, 2), points.shape)
            if np.isfinite(points).all():
                # Its network counts the centre of the first pixel as (0, 0).
                faces.append(Landmarks(np.column_stack([points + 0.5, np.zeros(len(points))]), {}))
        return sorted(faces, key=_area, reverse=True)

    def close(self) -> None:
        """Let the network go; a second call does nothing."""
        self._network = None


def _area(landmarks: Landmarks) -> float:
    return float(np.prod(np.ptp(landmarks.points_image[:, :2], axis=0)))


def _open(device: str) -> Any:
    package = import_optional("face_alignment", EXTRA)
    try:
        return package.FaceAlignment(package.LandmarksType.TWO_D, device=device, flip_input=False)
    except (OSError, RuntimeError) as error:  # weights that cannot be fetched, a device that is not there
        raise FitError(f"face-alignment cannot be opened ({str(error).partition(chr(10))[0]})") from error
