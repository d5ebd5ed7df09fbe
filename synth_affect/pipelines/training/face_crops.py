"""The face of a record, cut out and brought to one size, with its landmarks: as it stands, or aligned."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np
import numpy.typing as npt

from synth_affect.arrays import FloatArray, ImageArray, as_uint8
from synth_affect.data.faces.record import FaceRecord
from synth_affect.editors.face_crop import align, cut_out
from synth_affect.errors import FitError, InputError
from synth_affect.regressors.networks import CropName

LANDMARK_SIDE, LANDMARK_RISE = 1.35, 0.08
"""Side of the square, as a multiple of the larger side of the 68 points' box; and how far it is moved up, in sides,
because the points end at the brows.
"""
BOX_SIDE = 1.0
"""Of a database's own box, whose margin is its own."""


def crop_face(pixels: ImageArray, record: FaceRecord, size: int) -> tuple[npt.NDArray[np.uint8], FloatArray]:
    """(size, size, 3) uint8 and (68, 2) float32 landmarks in it, from (-1, -1), its corner, to (1, 1).

    By the landmarks where there are any, else by the box, else the whole picture's largest square in the middle. Beyond
    the picture, its border is repeated. Landmarks are NaN where there are none.
    Raises InputError when landmarks or box leave no face.
    """
    height, width = pixels.shape[:2]
    points = record.landmarks
    if points is not None:
        low, high = points.min(axis=0), points.max(axis=0)
        side = LANDMARK_SIDE * float((high - low).max())
        x, y = (low + high) / 2
        y -= LANDMARK_RISE * side
    elif record.box is not None:
        left, top, right, bottom = record.box
        side, x, y = BOX_SIDE * max(right - left, bottom - top), (left + right) / 2, (top + bottom) / 2
    else:
        side, x, y = min(height, width), width / 2, height / 2
    # On whole pixels, so that shrinking averages whole pixels.
    whole = math.ceil(side)
    left_px, top_px = round(float(x) - whole / 2), round(float(y) - whole / 2)
    if whole < 8 or whole > 4 * max(height, width) or not _overlap(left_px, top_px, whole, height, width):
        raise InputError(record.key, f"its face, {whole} px at ({left_px}, {top_px}), is not in the picture")
    cut = _cut(as_uint8(pixels), left_px, top_px, whole)
    crop = cv2.resize(cut, (size, size), interpolation=cv2.INTER_AREA if whole > size else cv2.INTER_LINEAR)
    within = np.full((68, 2), np.nan, dtype=np.float32)
    if points is not None:
        within = ((points - [left_px, top_px]) * (2 / whole) - 1).astype(np.float32)
    return crop, within


def crop_aligned(pixels: ImageArray, record: FaceRecord, size: int) -> tuple[npt.NDArray[np.uint8], FloatArray]:
    """As `crop_face`, with eyes and mouth brought to fixed places, as editors see faces (see `editors.face_crop`).

    Raises InputError for a face without landmarks, or whose landmarks are no face's.
    """
    points = record.landmarks
    if points is None:
        raise InputError(record.key, "has no landmarks to be aligned by")
    try:
        crop = align(points)
    except FitError as error:
        raise InputError(record.key, str(error)) from None
    within = (np.column_stack([points, np.ones(68)]) @ np.linalg.inv(crop.matrix).T)[:, :2] * 2 - 1
    shown = np.rint((cut_out(pixels, crop, size) + 1) * 127.5).astype(np.uint8)
    return shown, within.astype(np.float32)


def _overlap(left: int, top: int, side: int, height: int, width: int) -> bool:
    return left < width and top < height and left + side > 0 and top + side > 0


def _cut(pixels: npt.NDArray[np.uint8], left: int, top: int, side: int) -> npt.NDArray[np.uint8]:
    height, width = pixels.shape[:2]
    rows = np.clip(np.arange(top, top + side), 0, height - 1)
    columns = np.clip(np.arange(left, left + side), 0, width - 1)
    return np.ascontiguousarray(pixels[rows[:, np.newaxis], columns])


@dataclass(frozen=True, slots=True)
class Cropping:
    """How faces are cut out. name : of the way and its settings: crops that are kept are known by it.
    cut : of a picture, its record and the size, the crop and landmarks as `crop_face` gives them. Raises InputError for
    a face that is turned down.
    """

    name: str
    cut: Callable[[ImageArray, FaceRecord, int], tuple[npt.NDArray[np.uint8], FloatArray]]


SQUARE = Cropping("square", crop_face)
CROPPINGS: Mapping[CropName, Cropping] = MappingProxyType(
    {"square": SQUARE, "aligned": Cropping("aligned", crop_aligned)}
)
"""By the names that the cards of networks have for them."""
