"""dlib's 128-d face embedding. Two pictures of one person lie less than 0.6 apart (the published threshold)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmarks.instruments.face import packaged_file
from synth_affect.pipelines.judges.face_view import square_crop

SAME_PERSON_BELOW = 0.6

# dlib's detector is scanned over a crop of this side: a whole photograph takes it a second.
_SEARCH_SIDE = 320
_SEARCH_MARGIN = 0.35


class IdentityReader:
    """dlib's detector, five-point aligner and ResNet, as the wheel `face_recognition` composes them."""

    def __init__(self) -> None:
        import dlib

        def model(name: str) -> str:
            return str(packaged_file("face-recognition-models", name))

        self._dlib = dlib
        self._detector = dlib.get_frontal_face_detector()
        self._aligner = dlib.shape_predictor(model("shape_predictor_5_face_landmarks.dat"))
        self._embedder = dlib.face_recognition_model_v1(model("dlib_face_recognition_resnet_model_v1.dat"))

    def read(self, image: npt.NDArray[np.uint8], points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """(128,) float64 embedding of the face at `points` (n, 2) px of `image` (height, width, 3) uint8 RGB.

        Where dlib's detector sees no face, its box is taken from the points.
        """
        import cv2

        crop = square_crop(image, points, _SEARCH_MARGIN)
        crop = np.ascontiguousarray(cv2.resize(crop, (_SEARCH_SIDE, _SEARCH_SIDE), interpolation=cv2.INTER_AREA))
        boxes = self._detector(crop, 0)
        inset = round(_SEARCH_SIDE * _SEARCH_MARGIN / (1 + 2 * _SEARCH_MARGIN))
        box = max(
            boxes,
            key=lambda found: found.area(),
            default=self._dlib.rectangle(inset, inset, _SEARCH_SIDE - inset, _SEARCH_SIDE - inset),
        )
        return np.array(self._embedder.compute_face_descriptor(crop, self._aligner(crop, box)))


def identity_distance(one: npt.NDArray[np.float64], other: npt.NDArray[np.float64]) -> float:
    """Euclidean distance of two embeddings (128,)."""
    return float(np.linalg.norm(one - other))
