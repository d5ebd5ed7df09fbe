"""sRGB, in which pictures are stored, and linear light, in which they are lit and mixed (IEC 61966-2-1)."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from synth_affect.arrays import FloatArray, ImageArray
from synth_affect.errors import ShapeError

LUMINANCE_WEIGHTS = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)
"""Share of linear R, G, B in the luminance (ITU-R BT.709, whose primaries are those of sRGB)."""


def srgb_to_linear(image: ImageArray | FloatArray) -> FloatArray:
    """Float32 linear light in [0, 1], the shape of `image`.

    image : sRGB; uint8 or uint16 over their whole range, or floats in [0, 1].

    Convention: uint8 128 -> 0.2158605; linear middle grey 0.18 -> uint8 118.
    """
    if image.dtype in (np.uint8, np.uint16):
        return _decoding_table(255 if image.dtype == np.uint8 else 65535)[image]
    return _decode(image.astype(np.float32, copy=False))


def linear_to_srgb(linear: FloatArray, dtype: npt.DTypeLike = np.float32) -> npt.NDArray[Any]:
    """Linear light in sRGB; what lies outside [0, 1] is cut off.

    linear : any shape, float.
    dtype : float32 in [0, 1], or uint8 or uint16 over their whole range, rounded to the nearest code (uint8 through a
        table: within 0.03 of a code of the nearest, and exact on what `srgb_to_linear` made of uint8).
    """
    clipped = np.clip(linear, 0, 1, dtype=np.float32)
    kind = np.dtype(dtype)
    if kind == np.uint8:
        codes: npt.NDArray[np.uint8] = _encoding_table()[(clipped * 65535 + np.float32(0.5)).astype(np.uint16)]
        return codes
    if kind == np.uint16:
        return (_encode(clipped) * 65535 + np.float32(0.5)).astype(np.uint16)
    if kind == np.float32:
        return _encode(clipped)
    raise ShapeError("dtype", "float32, uint8 or uint16", str(kind))


def luminance(linear: FloatArray) -> FloatArray:
    """(...) float32, the luminance of linear colours (..., 3)."""
    light: FloatArray = linear.astype(np.float32, copy=False) @ LUMINANCE_WEIGHTS
    return light


def _decode(srgb: FloatArray) -> FloatArray:
    bent = ((np.maximum(srgb, 0) + srgb.dtype.type(0.055)) / srgb.dtype.type(1.055)) ** srgb.dtype.type(2.4)
    return np.where(srgb <= 0.04045, srgb / srgb.dtype.type(12.92), bent)


def _encode(linear: FloatArray) -> FloatArray:
    bent = linear.dtype.type(1.055) * linear ** linear.dtype.type(1 / 2.4) - linear.dtype.type(0.055)
    return np.where(linear <= 0.0031308, linear * linear.dtype.type(12.92), bent)


@cache
def _decoding_table(largest_code: int) -> FloatArray:
    return _decode(np.arange(largest_code + 1) / largest_code).astype(np.float32)


@cache
def _encoding_table() -> npt.NDArray[np.uint8]:
    return np.round(255 * _encode(np.arange(65536) / 65535)).astype(np.uint8)
