"""A network of one picture in an ONNX file of the user's, run on the CPU by onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, get_args

import cv2
import numpy as np
import numpy.typing as npt

from synth_affect.arrays import FloatArray
from synth_affect.errors import InputError
from synth_affect.optional import import_optional
from synth_affect.pipelines.judges.weights_of_users import check_weights_file, first_line

EXTRA = "judges"
MAX_SIDE = 2048
Scaling = Literal["bytes", "unit", "symmetric", "imagenet"]
"""What a network takes for 0 .. 255: the same, [0, 1], [-1, 1], or [0, 1] less ImageNet's mean over its deviation."""
SCALINGS: tuple[Scaling, ...] = get_args(Scaling)

_IMAGENET_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_IMAGENET_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)


def scaled(crop: npt.NDArray[np.uint8], scaling: Scaling) -> npt.NDArray[np.float32]:
    """The crop (height, width, 3) as float32 in the numbers of `scaling`."""
    values: npt.NDArray[np.float32] = crop.astype(np.float32)
    if scaling == "bytes":
        return values
    if scaling == "symmetric":
        return np.asarray(values / 127.5 - 1, dtype=np.float32)
    values = np.asarray(values / 255, dtype=np.float32)
    return values if scaling == "unit" else np.asarray((values - _IMAGENET_MEAN) / _IMAGENET_DEVIATION, np.float32)


class OnnxNetwork:
    """One input, a picture of RGB or grey in either order of axes; the first output counts."""

    def __init__(self, path: Path, *, side: int | None = None) -> None:
        """side : px of the input where the file leaves it open.

        Raises InputError when the file cannot be used, MissingDependencyError without onnxruntime.
        """
        runtime = import_optional("onnxruntime", EXTRA)
        check_weights_file(path)
        options = runtime.SessionOptions()
        options.intra_op_num_threads = 1  # the same bits on any machine
        options.log_severity_level = 3
        try:
            # As bytes, so that nothing beside the file is opened.
            self._session: Any = runtime.InferenceSession(
                path.read_bytes(), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's own classes, which share no root
            raise InputError(path, f"not a network that onnxruntime can open ({first_line(error)})") from error
        inputs = self._session.get_inputs()
        if len(inputs) != 1 or len(inputs[0].shape) != 4:
            raise InputError(path, "a network of one picture has one input of 4 dimensions; this one has not")
        shape = inputs[0].shape
        self._path, self._name = path, inputs[0].name
        self.channels_first = shape[1] in (1, 3)
        self._grey = shape[1 if self.channels_first else 3] == 1
        if not self.channels_first and shape[3] not in (1, 3):
            raise InputError(path, f"its input {list(shape)} has neither 1 nor 3 channels")
        found = shape[2]  # height if channels come first, else width; networks of faces take squares
        if not isinstance(found, int):
            found = side
        if found is None:
            raise InputError(path, "leaves the size of its pictures open; say it as side")
        if not 1 <= found <= MAX_SIDE:
            raise InputError(path, f"takes pictures of {found} px; {MAX_SIDE} are the most")
        self.side: int = found

    def __call__(self, crop: npt.NDArray[np.uint8], scaling: Scaling) -> FloatArray:
        """(n,) float64, the first output for `crop` (side, side, 3) uint8 RGB.

        Raises InputError when the network fails on it, or gives what is not finite.
        """
        if self._grey:
            crop = cv2.cvtColor(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        values = scaled(crop, scaling)
        if self._grey:
            values = values[..., :1]
        if self.channels_first:
            values = np.moveaxis(values, 2, 0)
        try:
            outputs = self._session.run(None, {self._name: np.ascontiguousarray(values[np.newaxis])})
        except Exception as error:  # as above
            raise InputError(self._path, f"fails on a picture ({first_line(error)})") from error
        output: FloatArray = np.asarray(outputs[0], dtype=np.float64).ravel()
        if not np.isfinite(output).all():
            raise InputError(self._path, "gives NaN or infinity")
        return output


def softmax(logits: FloatArray) -> npt.NDArray[np.float64]:
    """(n,) probabilities."""
    powers = np.exp(np.asarray(logits, dtype=np.float64) - logits.max())
    return np.asarray(powers / powers.sum(), dtype=np.float64)
