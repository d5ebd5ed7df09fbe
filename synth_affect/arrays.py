"""Array types and the one check through which arrays enter frozen values."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from synth_affect.errors import ShapeError

FloatArray = npt.NDArray[np.floating[Any]]
IntArray = npt.NDArray[np.integer[Any]]
BoolArray = npt.NDArray[np.bool_]
ImageArray = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
"""(height, width, 3) RGB in its own depth."""


def readonly(
    array: npt.ArrayLike, name: str, shape: tuple[int | str, ...], dtype: npt.DTypeLike, *, finite: bool = True
) -> npt.NDArray[Any]:
    """A read-only view of `array` with the dtype asked for, after a check of its shape and of its finiteness.

    shape : one entry a dimension; a number must match, a word (`"n_vertices"`) takes any count.
    finite : look for NaN and infinity; a large array of our own making can spare the pass.
    Raises ShapeError when the dimensions differ or a float is not finite.
    """
    checked: npt.NDArray[Any] = np.ascontiguousarray(array, dtype=dtype)
    matches = checked.ndim == len(shape) and all(
        isinstance(want, str) or want == have for want, have in zip(shape, checked.shape, strict=True)
    )
    if not matches:
        raise ShapeError(name, shape, checked.shape)
    if finite and checked.dtype.kind == "f" and not np.isfinite(checked).all():
        raise ShapeError(name, "finite numbers", "NaN or infinity")
    view = checked.view()
    view.flags.writeable = False
    return view


def as_uint8(channels: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.uint8]:
    """uint8 or uint16 of any shape as the nearest uint8 of the same share of the full scale: 257 k becomes k."""
    if channels.dtype == np.uint8:
        return channels.astype(np.uint8, copy=False)
    # In 32 bits, because 65535 + 128 does not fit into 16.
    return ((channels.astype(np.uint32) + 128) // 257).astype(np.uint8)
