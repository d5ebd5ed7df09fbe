"""One face of one picture, as judges are shown it, and the crops that they are made for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import cv2
import numpy as np
import numpy.typing as npt

from synth_affect.arrays import FloatArray, ImageArray, as_uint8, readonly
from synth_affect.fitting.landmarks import Landmarks

RIGHT_IRIS, LEFT_IRIS, NOSE_TIP, RIGHT_LIP_CORNER, LEFT_LIP_CORNER = 468, 473, 1, 61, 291
"""MediaPipe's points that are nearest to the five of face recognition."""

ARCFACE_POINTS = np.array(
    [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)]
)
"""(5, 2): where eyes, nose and lip corners stand in the 112 x 112 crops of face recognition (insightface)."""
ARCFACE_SIDE = 112


@dataclass(frozen=True, slots=True, eq=False)
class FaceView:
    """pixels : (height, width, 3) uint8 sRGB, the whole picture.  points : (478, 2) float32, px.
    units : MediaPipe's readings by ARKit name, [0, 1].
    """

    pixels: npt.NDArray[np.uint8]
    points: FloatArray
    units: dict[str, float]

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", readonly(self.points, "points", (478, 2), np.float32))

    @property
    def centre(self) -> tuple[float, float]:
        """Mean of the points, px."""
        x, y = self.points.mean(axis=0)
        return float(x), float(y)


class FaceViewer:
    """Finds the face that judges are to look at. A context manager that closes its detector."""

    def __init__(self, landmark_model: Path | None = None, *, small_faces: bool = False) -> None:
        """small_faces : search for those of a group too."""
        from synth_affect.fitting.mediapipe_detector import MediaPipeDetector

        self._detector = MediaPipeDetector(landmark_model, small_faces=small_faces)

    def view(self, image: ImageArray, near: tuple[float, float] | None = None) -> FaceView | None:
        """The largest face of `image` (height, width, 3), or the one at `near` px; None where there is none.

        An edit is viewed where its input was: a changed face may no longer be the largest of a group. A face counts as
        being there when its centre is, within half its size: rather none than somebody else's.
        """
        found = self._detector.detect(image)
        views = [_view(as_uint8(image), landmarks) for landmarks in found]
        if near is None or not views:
            return views[0] if views else None
        nearest = min(views, key=lambda view: math.dist(view.centre, near))
        size = float(np.ptp(nearest.points, axis=0).max())
        return nearest if math.dist(nearest.centre, near) <= size / 2 else None

    def view_again(self, image: ImageArray, before: FaceView) -> FaceView | None:
        """The face of `before` in an edit of its picture, at the same place; None when it is not there any more."""
        points = np.pad(before.points, ((0, 0), (0, 1)))  # depth, which nobody asks for
        seen = self._detector.detect_again(image, Landmarks(points, before.units))
        return None if seen is None else _view(as_uint8(image), seen)

    def close(self) -> None:
        """Free the native handles."""
        self._detector.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _view(pixels: npt.NDArray[np.uint8], landmarks: Landmarks) -> FaceView:
    return FaceView(pixels, landmarks.points_image[:, :2], dict(landmarks.blendshapes))


def square_crop(image: npt.NDArray[np.uint8], points: npt.NDArray[Any], margin: float) -> npt.NDArray[np.uint8]:
    """The square round the box of `points`, widened on each side by `margin` of its side.

    image : (height, width) or (height, width, channels).  Beyond the picture its border is repeated.
    """
    low, high = points.min(axis=0), points.max(axis=0)
    side = float((high - low).max()) * (1 + 2 * margin)
    left, top = np.round((low + high - side) / 2).astype(int)
    extent = max(round(side), 1)
    rows = np.clip(np.arange(top, top + extent), 0, image.shape[0] - 1)
    columns = np.clip(np.arange(left, left + extent), 0, image.shape[1] - 1)
    return np.asarray(image[np.ix_(rows, columns)])


def face_crop(face: FaceView, side: int, margin: float) -> npt.NDArray[np.uint8]:
    """(side, side, 3): `square_crop` of the face at the size of a network's input."""
    crop = square_crop(face.pixels, face.points, margin)
    shrinks = side < len(crop)
    return np.asarray(cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR))


def recognition_crop(face: FaceView) -> npt.NDArray[np.uint8]:
    """(112, 112, 3): the face turned, scaled and moved so that five of its points stand at ARCFACE_POINTS."""
    seen = face.points[[RIGHT_IRIS, LEFT_IRIS, NOSE_TIP, RIGHT_LIP_CORNER, LEFT_LIP_CORNER]].astype(np.float64)
    # Least squares over (a, b, x, y) of [[a, -b], [b, a]] p + (x, y): a similarity without a reflection.
    rows = np.zeros((2 * len(seen), 4))
    rows[0::2] = np.column_stack([seen[:, 0], -seen[:, 1], np.ones(len(seen)), np.zeros(len(seen))])
    rows[1::2] = np.column_stack([seen[:, 1], seen[:, 0], np.zeros(len(seen)), np.ones(len(seen))])
    a, b, x, y = np.linalg.lstsq(rows, ARCFACE_POINTS.ravel(), rcond=None)[0]
    matrix = np.array([[a, -b, x], [b, a, y]])
    size = (ARCFACE_SIDE, ARCFACE_SIDE)
    return np.asarray(
        cv2.warpAffine(face.pixels, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    )
