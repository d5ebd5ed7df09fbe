"""Arrays out of a pickle, which may hold any program, without running one.

Only numpy's arrays are made; objects of chumpy and scipy.sparse, which model files hold, become `Stored`: their state
and nothing else. Whatever else a pickle asks for is refused.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from synth_affect.arrays import FloatArray

STORED_PACKAGES = ("chumpy", "scipy.sparse")
_RECONSTRUCT = np.empty(0).__reduce__()[0]


class Stored:
    """An object that is not made: `state` is what its class would have been given."""

    def __init__(self, *arguments: Any) -> None:
        self.state: dict[str, Any] = {}

    def __setstate__(self, state: Any) -> None:
        self.state = state if isinstance(state, dict) else {}


def read_pickle(path: Path) -> Any:
    """What is pickled in `path`, of Python 2 or 3.

    Raises UnpicklingError for anything but numbers, texts, containers, arrays and `STORED_PACKAGES`; EOFError,
    ValueError and others of pickle's own for a damaged file; OSError.
    """
    with path.open("rb") as file:
        return _Reader(file, encoding="latin1").load()


def as_array(value: Any) -> FloatArray:
    """float64, the array that `value` is, or that chumpy keeps under `x`. Raises TypeError where there is none."""
    if isinstance(value, Stored):
        value = value.state.get("x")
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiu":
        raise TypeError("numbers were expected")
    numbers: FloatArray = value.astype(np.float64)
    return numbers


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        known = _KNOWN.get((module.replace("numpy._core", "numpy.core"), name))
        if known is not None:
            return known
        if any(module == package or module.startswith(package + ".") for package in STORED_PACKAGES):
            return Stored
        raise pickle.UnpicklingError(f"it asks for {module}.{name}, which arrays do not need; refused")


def _made(kind: Any, base: Any, state: Any) -> Stored:
    """For `copy_reg._reconstructor`, with which Python 2 pickles objects."""
    if kind is not Stored:
        raise pickle.UnpicklingError("it makes objects that arrays do not need; refused")
    return Stored()


def _encoded(text: str, encoding: str) -> bytes:
    """For `_codecs.encode`, with which Python 3 pickles bytes for Python 2."""
    if not isinstance(text, str) or encoding != "latin1":
        raise pickle.UnpicklingError("it holds text in an unexpected encoding; refused")
    return text.encode("latin1")


def _from_bytes(content: Any, dtype: Any, shape: Any, order: str) -> Any:
    """For `numpy.core.numeric._frombuffer`, of pickle's protocol 5."""
    return np.frombuffer(content, dtype).reshape(shape, order="F" if order == "F" else "C")


_KNOWN: dict[tuple[str, str], Any] = {
    ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,
    ("numpy.core.multiarray", "scalar"): np.float64(0).__reduce__()[0],
    ("numpy.core.numeric", "_frombuffer"): _from_bytes,
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("copy_reg", "_reconstructor"): _made,
    ("copyreg", "_reconstructor"): _made,
    ("__builtin__", "object"): object,
    ("builtins", "object"): object,
    ("__builtin__", "bytes"): bytes,
    ("builtins", "bytes"): bytes,
    ("_codecs", "encode"): _encoded,
}
