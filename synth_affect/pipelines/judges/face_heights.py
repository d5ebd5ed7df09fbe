"""Readings of a face that need no network but MediaPipe's: units of expression, and heights between its points.

Its `mouthFrown*` and `browInnerUp` hardly move on real faces, so corners of the mouth and brows are measured. Heights
are measured across the line through the outer corners of the eyes, so a tilted head reads like an upright one; their
unit is the distance between those corners.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from synth_affect.arrays import FloatArray
from synth_affect.pipelines.judges.face_view import FaceView

# Points of MediaPipe's face mesh. Right and left are the subject's; the right one is on the left in the picture.
RIGHT_EYE_OUTER, RIGHT_EYE_INNER, LEFT_EYE_INNER, LEFT_EYE_OUTER = 33, 133, 362, 263
RIGHT_BROW = (70, 63, 105, 66, 107, 46, 53, 52, 65, 55)
LEFT_BROW = (300, 293, 334, 296, 336, 276, 283, 282, 295, 285)
RIGHT_LIP_CORNER, LEFT_LIP_CORNER = 61, 291
UPPER_LIP_INNER, LOWER_LIP_INNER = 13, 14


def inter_ocular_px(points: FloatArray) -> float:
    """Distance between the outer corners of the eyes, px. points : (478, 2) px."""
    return float(np.linalg.norm(points[LEFT_EYE_OUTER] - points[RIGHT_EYE_OUTER]))


def height(points: FloatArray, indices: Sequence[int]) -> float:
    """Mean height of points above the line through the outer eye corners, in inter-ocular distances."""
    origin = points[RIGHT_EYE_OUTER]
    along = points[LEFT_EYE_OUTER] - origin
    offsets = points[list(indices)] - origin
    # Pictures count y downwards, so up is (along_y, -along_x).
    return float(np.mean(offsets @ np.array([along[1], -along[0]])) / (along @ along))


def brow_height(points: FloatArray) -> float:
    """Height of the brows over the corners of the eyes; lids do not enter."""
    eyes = (RIGHT_EYE_OUTER, RIGHT_EYE_INNER, LEFT_EYE_INNER, LEFT_EYE_OUTER)
    return height(points, RIGHT_BROW + LEFT_BROW) - height(points, eyes)


def lip_corner_height(points: FloatArray) -> float:
    """Height of the lip corners over the middle between the lips; negative: they droop."""
    centre = height(points, (UPPER_LIP_INNER, LOWER_LIP_INNER))
    return height(points, (RIGHT_LIP_CORNER, LEFT_LIP_CORNER)) - centre


def lip_gap(points: FloatArray) -> float:
    """Opening between the lips at the midline."""
    return height(points, (UPPER_LIP_INNER,)) - height(points, (LOWER_LIP_INNER,))


def mean_unit(units: Mapping[str, float], stem: str) -> float:
    """Mean reading of a unit over both sides, or the reading of one that has no sides."""
    if stem in units:
        return units[stem]
    return (units[stem + "Left"] + units[stem + "Right"]) / 2


READINGS: Mapping[str, tuple[str, int, Callable[[FaceView], float]]] = {
    "smile": ("valence", 1, lambda face: mean_unit(face.units, "mouthSmile")),
    "lip corners": ("valence", 1, lambda face: lip_corner_height(face.points)),
    "brows drawn down": ("valence", -1, lambda face: mean_unit(face.units, "browDown")),
    "jaw open": ("arousal", 1, lambda face: mean_unit(face.units, "jawOpen")),
    "eyes wide": ("arousal", 1, lambda face: mean_unit(face.units, "eyeWide")),
    "eyes closed": ("arousal", -1, lambda face: mean_unit(face.units, "eyeBlink")),
    "brow height": ("arousal", 1, lambda face: brow_height(face.points)),
}
"""Name -> the dimension that it should follow, the sign in which, and how it is read."""


def read_face(face: FaceView) -> dict[str, float]:
    """Every one of READINGS."""
    return {name: read(face) for name, (_, _, read) in READINGS.items()}
