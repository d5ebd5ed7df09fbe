"""The picture of a face set upright: millimetres right and down from the point between the eyes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from synth_affect.arrays import FloatArray, IntArray
from synth_affect.heads.camera import Camera

EYE_CORNERS = (33, 133, 362, 263)
"""Of MediaPipe's points: outer and inner corner of the subject's right eye, inner and outer of the left."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceFrame:
    """A similarity between the region's pixels and the upright face.

    origin : (2,) float64 px, between the eyes.  right, down : (2,) px a millimetre along the face's own axes.
    points_mm : (478, 2) float64, the face's landmarks in this frame.
    """

    origin: FloatArray
    right: FloatArray
    down: FloatArray
    points_mm: FloatArray

    def to_pixels(self, points_mm: FloatArray) -> FloatArray:
        """(..., 2) places in the region, px, of points (..., 2) mm; the centre of pixel (0, 0) is (0.5, 0.5)."""
        return self.origin + points_mm[..., :1] * self.right + points_mm[..., 1:] * self.down

    def to_mm(self, points_px: FloatArray) -> FloatArray:
        """(..., 2) mm, the inverse of `to_pixels`."""
        axes = np.stack([self.right, self.down], axis=1)
        turned: FloatArray = (points_px - self.origin) @ np.linalg.inv(axes).T
        return turned

    def eyes(self) -> FloatArray:
        """(2, 2) float64 mm, centres of the subject's right and left eye."""
        eyes: FloatArray = self.points_mm[list(EYE_CORNERS)].reshape(2, 2, 2).mean(axis=1)
        return eyes


def face_frame(landmarks: FloatArray, camera: Camera, px_per_mm: float) -> FaceFrame:
    """The frame of a face whose 478 `landmarks` (n, 2) lie in the region, px."""
    down = np.array([-camera.rotation[0, 1], camera.rotation[1, 1]])
    down *= px_per_mm / max(float(np.linalg.norm(down)), 1e-6)
    right = np.array([down[1], -down[0]])
    points = landmarks.astype(np.float64)
    empty = FaceFrame(points[list(EYE_CORNERS)].mean(axis=0), right, down, points[:0])
    return replace(empty, points_mm=empty.to_mm(points))


@dataclass(frozen=True, slots=True, eq=False)
class UprightView:
    """A rectangle of the upright face: columns from left_mm, rows from top_mm, `scale` px a millimetre."""

    frame: FaceFrame
    left_mm: float
    top_mm: float
    width: int
    height: int
    scale: float

    def of(self, picture: FloatArray | IntArray, *, interpolation: int = cv2.INTER_LINEAR) -> FloatArray:
        """(height, width[, d]) of a picture of the region; the border's pixels are repeated outside."""
        matrix = self._to_pixels()
        # Fewer pixels than the picture has are means of it.
        shrink = max(1, int(np.linalg.norm(self.frame.right) / self.scale))
        if shrink > 1 and interpolation != cv2.INTER_NEAREST:
            box, corner = self._box(matrix, picture.shape[:2])
            picture = picture[box]
            size = (max(1, picture.shape[1] // shrink), max(1, picture.shape[0] // shrink))
            ratio = np.array([size[0] / picture.shape[1], size[1] / picture.shape[0]])
            picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
            matrix[:, 2] -= corner
            matrix *= ratio[:, None]
        matrix[:, 2] -= 0.5  # OpenCV counts from the centre of the first pixel
        seen: FloatArray = cv2.warpAffine(
            picture, matrix, (self.width, self.height), flags=interpolation | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        return seen

    def onto(self, seen: FloatArray, size: tuple[int, ...]) -> FloatArray:
        """(height, width) of the region, `size`: what `seen` (self.height, self.width) shows there; 0 outside."""
        matrix = self._to_pixels()
        matrix[:, 2] -= 0.5
        placed: FloatArray = cv2.warpAffine(seen, matrix, (size[1], size[0]), flags=cv2.INTER_LINEAR)
        return placed

    def _to_pixels(self) -> FloatArray:
        """(2, 3) from this view's columns and rows, in OpenCV's frame, to places in the region."""
        step = 1 / self.scale
        corner = self.frame.to_pixels(np.array([self.left_mm + 0.5 * step, self.top_mm + 0.5 * step]))
        return np.stack([self.frame.right * step, self.frame.down * step, corner], axis=1)

    def _box(self, matrix: FloatArray, size: tuple[int, ...]) -> tuple[tuple[slice, slice], FloatArray]:
        """The part of the picture that is read, and its corner (x, y) px."""
        ends = np.array([[0, 0, 1], [self.width, 0, 1], [0, self.height, 1], [self.width, self.height, 1]])
        places = ends @ matrix.T
        low = np.clip(places.min(axis=0) - 4, 0, (size[1] - 1, size[0] - 1)).astype(int)
        high = np.clip(np.ceil(places.max(axis=0)) + 4, low + 1, (size[1], size[0])).astype(int)
        return (slice(low[1], high[1]), slice(low[0], high[0])), low.astype(np.float64)

    def columns_rows(self, points_mm: FloatArray) -> FloatArray:
        """(..., 2) float64 of `points_mm` in this view, in OpenCV's frame (centres are whole numbers)."""
        placed: FloatArray = (points_mm - np.array([self.left_mm, self.top_mm])) * self.scale - 0.5
        return placed
