"""Small square pictures of faces, for sheets."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping

import numpy as np
from PIL import Image

from synth_affect.arrays import FloatArray, ImageArray
from synth_affect.pipelines.drawing import resized

TILE_PX = 150
JPEG_QUALITY = 85


def face_tile(pixels: ImageArray, measures: Mapping[str, float]) -> ImageArray:
    """(TILE_PX, TILE_PX, 3): a square round the fitted face, or the whole picture made to fit; white beyond it.

    pixels : (height, width, 3) uint8.  measures : of the fit, see `DoneFace`.
    """
    height, width = pixels.shape[:2]
    centre: FloatArray = np.array([width, height]) / 2
    half = max(height, width) / 2
    if "left_px" in measures:
        left, top, right, bottom = (measures[f"{edge}_px"] for edge in ("left", "top", "right", "bottom"))
        centre, half = np.array([left + right, top + bottom]) / 2, 0.75 * max(right - left, bottom - top)
    side = max(round(2 * half), 2)
    first = np.round(centre - half).astype(int)
    corner, end = np.maximum(first, 0), np.minimum(first + side, [width, height])
    square = np.full((side, side, 3), 255, dtype=np.uint8)
    part = pixels[corner[1] : end[1], corner[0] : end[0]]
    at = corner - first
    square[at[1] : at[1] + part.shape[0], at[0] : at[0] + part.shape[1]] = part
    return resized(square, TILE_PX, TILE_PX)


def tile_text(tile: ImageArray) -> str:
    """The tile as JPEG in base64: the same tile, the same text."""
    encoded = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(tile)).save(encoded, format="JPEG", quality=JPEG_QUALITY)
    return base64.b64encode(encoded.getvalue()).decode()


def tile_of_text(text: str) -> ImageArray:
    """What `tile_text` wrote. Raises ValueError or OSError for anything else."""
    with Image.open(io.BytesIO(base64.b64decode(text, validate=True))) as image:
        return np.asarray(image.convert("RGB"))
