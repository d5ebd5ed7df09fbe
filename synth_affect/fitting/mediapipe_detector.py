"""MediaPipe's FaceLandmarker as a `LandmarkDetector`: 478 points and readings of 51 ARKit units."""

from __future__ import annotations

import weakref
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np

from synth_affect.arrays import FloatArray, ImageArray, as_uint8
from synth_affect.errors import InputError, ShapeError
from synth_affect.fitting.face_search import (
    Look,
    Window,
    crop,
    find_faces,
    second_look,
    shrinkable,
    view_to_picture,
)
from synth_affect.fitting.landmarks import LandmarkDetector, Landmarks
from synth_affect.fitting.model_file import find_landmark_model
from synth_affect.fitting.native_log import native_log_silenced
from synth_affect.fitting.native_profiler import keep_profiler_out
from synth_affect.heads.camera import ImageSize

if TYPE_CHECKING:
    from mediapipe.tasks.python.vision.face_landmarker import FaceLandmarker

RIGHT_IRIS_CENTRE, LEFT_IRIS_CENTRE = 468, 473
"""Centres of the subject's irises among the 478 points."""


class MediaPipeDetector(LandmarkDetector):
    """Finds faces with MediaPipe, on one thread of the CPU.

    model : the `.task` file; where None, found as `find_landmark_model` says.
    max_faces : at most so many faces are taken from one window of the search; faces that are not there cost nothing.
    small_faces : search tiles of the picture also when it shows a face at first sight; for all faces of a group.
    Raises InputError when the model file cannot be used.
    """

    def __init__(self, model: Path | None = None, *, max_faces: int = 32, small_faces: bool = False) -> None:
        self._small_faces = small_faces
        self._landmarker = _open(find_landmark_model(model), max_faces)
        # Runs once: by close(), when the detector is collected, or when the interpreter exits.
        self._free = weakref.finalize(self, _close, self._landmarker)

    def detect(self, image: ImageArray) -> list[Landmarks]:
        """All faces of `image` (height, width, 3) uint8 or uint16 sRGB, largest first; [] when there is none.

        points_image : (478, 3), x and y in px with pixel centres at .5; z in px, smaller is nearer, 0 near the middle
            of the head.  blendshapes : MediaPipe's 51 readings (ARKit's 52 without tongueOut).
        """
        pixels = _as_uint8(image)
        return find_faces(self._look_at(pixels), ImageSize(*pixels.shape[:2]), small_faces=self._small_faces)

    def detect_again(self, image: ImageArray, face: Landmarks) -> Landmarks | None:
        """The face `face` in another picture that shows it at the same place, such as an edit; None when it is not
        there. A third of the work of a search.
        """
        return second_look(self._look_at(_as_uint8(image)), face)

    def close(self) -> None:
        """Free the native handles; a second call does nothing."""
        self._free()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _look_at(self, pixels: ImageArray) -> Look:
        def look(window: Window) -> list[Landmarks]:
            window, shrink = shrinkable(window)
            return self._look(crop(pixels, window, shrink), window)

        return look

    def _look(self, pixels: ImageArray, window: Window) -> list[Landmarks]:
        if not self._free.alive:  # MediaPipe itself would answer with no faces
            raise ValueError("the detector is closed")
        import mediapipe

        result = self._landmarker.detect(mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=pixels))
        faces = []
        for points, readings in zip(result.face_landmarks, result.face_blendshapes, strict=True):
            normalised = np.array([(point.x, point.y, point.z) for point in points])
            if np.isfinite(normalised).all():  # a degenerate region gives NaN, and is no face
                faces.append(
                    Landmarks(
                        points_image=_to_picture(normalised, window, window.view_size.width / pixels.shape[1]),
                        blendshapes={r.category_name: r.score for r in readings if r.category_name != "_neutral"},
                    )
                )
        return faces


def _open(model: Path, max_faces: int) -> FaceLandmarker:
    keep_profiler_out()
    from mediapipe.tasks.python import BaseOptions, vision

    try:
        # As bytes, because native code opens no path beyond the code page on Windows.
        options = vision.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_buffer=model.read_bytes()),
            running_mode=vision.RunningMode.IMAGE,
            num_faces=max_faces,
            output_face_blendshapes=True,
        )
        with native_log_silenced():
            return vision.FaceLandmarker.create_from_options(options)
    except (OSError, RuntimeError, ValueError) as error:  # what MediaPipe makes of its native status codes
        reason = str(error).partition("\n")[0]
        raise InputError(model, f"not a landmark model that MediaPipe can open ({reason})") from error


def _close(landmarker: FaceLandmarker) -> None:
    try:
        landmarker.close()
    except RuntimeError:
        # At interpreter exit the thread that closes is gone already, and the system takes the memory. Without its
        # handle the landmarker does not try once more from a half-dismantled interpreter, with a traceback.
        landmarker._handle = None


def _as_uint8(image: ImageArray) -> ImageArray:
    if image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:
        raise ShapeError("image", ("height", "width", 3), image.shape)
    if image.dtype not in (np.uint8, np.uint16):
        raise ShapeError("image", "uint8 or uint16", str(image.dtype))
    return as_uint8(image)


_NETWORK_SIDE = 256  # px, input of the landmark network
_REGION_PER_FACE = 1.3  # side of the region that MediaPipe cuts out, in long sides of the landmarks' box


def _to_picture(normalised: FloatArray, window: Window, seen_pixel: float) -> FloatArray:
    """MediaPipe's (478, 3) coordinates, relative to a view, as px of the picture with pixel centres at .5.

    seen_pixel : side of a pixel that MediaPipe was given, in px of the picture.

    MediaPipe scales coordinates as if pixel i lay at i, both where it cuts the face's region out of the picture and
    where it carries the network's answer back. So a point lies half a pixel of the picture further along x and y than
    it says, and half a pixel of the network's input less far along the axes of the turned region. A mirrored picture
    shows it: before this correction the points of the two differ by -1 px + 0.5 % of the face's size.
    """
    view = window.view_size
    points: FloatArray = normalised * (view.width, view.height, view.width)
    across = points[LEFT_IRIS_CENTRE, :2] - points[RIGHT_IRIS_CENTRE, :2]
    x_axis = across / max(float(np.linalg.norm(across)), 1e-9)
    y_axis = np.array([-x_axis[1], x_axis[0]])
    upright = points[:, :2] @ np.stack([x_axis, y_axis], axis=1)
    network_pixel = _REGION_PER_FACE * np.ptp(upright, axis=0).max() / _NETWORK_SIDE
    points[:, :2] += 0.5 * seen_pixel - 0.5 * network_pixel * (x_axis + y_axis)
    points[:, :2] = view_to_picture(points[:, :2], window)
    return points
