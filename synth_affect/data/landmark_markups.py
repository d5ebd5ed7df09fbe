"""Landmarks of scans in the order of ibug's 68 points, as far as the markups correspond.

Which side is the subject's left is read from the points themselves, not from their names: of a face's three directions
(across, up, out of it) any two give the third. So databases that name the sides as the viewer sees them, and scans in
any frame, come out right.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from synth_affect.arrays import FloatArray
from synth_affect.data.landmarks_3d import Landmarks3D
from synth_affect.errors import InputError

N_IBUG = 68
MIN_POINTS = 6

# Bosphorus' names without fillers. What has no counterpart among the 68 (saddles and peaks of the nose, ears) or
# stands elsewhere (the middle of the chin, not its lower edge) is left out.
BOSPHORUS = {
    "outer right eyebrow": 17,
    "middle right eyebrow": 19,
    "inner right eyebrow": 21,
    "inner left eyebrow": 22,
    "middle left eyebrow": 24,
    "outer left eyebrow": 26,
    "nose tip": 30,
    "outer right eye corner": 36,
    "inner right eye corner": 39,
    "inner left eye corner": 42,
    "outer left eye corner": 45,
    "right mouth corner": 48,
    "upper lip outer middle": 51,
    "left mouth corner": 54,
    "lower lip outer middle": 57,
    "upper lip inner middle": 62,
    "lower lip inner middle": 66,
}
SIDES = ((17, 26), (19, 24), (21, 22), (36, 45), (39, 42), (48, 54))
"""Pairs of the points above."""

# Groups of BU-3DFE's 83 points. The order within a group is not published; corners are found as the ends of a group.
BU_EYES = (slice(0, 8), slice(8, 16))
BU_NOSE, BU_OUTER_LIPS, BU_INNER_LIPS = slice(36, 48), slice(48, 60), slice(60, 68)


def ibug_points(landmarks: Landmarks3D, path: Path) -> FloatArray:
    """(68, 3) float64, unit and frame of the file; rows of NaN where the markup has no such point.

    path : of the file, for messages.
    Raises InputError when fewer than six points correspond.
    """
    points: FloatArray
    if landmarks.markup == "ibug-68":
        points = landmarks.points.astype(np.float64)
    elif landmarks.markup == "bu-83":
        points = _from_bu(landmarks.points.astype(np.float64))
    elif landmarks.markup == "named":
        points = _from_names(landmarks)
    else:
        raise InputError(path, f"has {len(landmarks.points)} points; {N_IBUG} of ibug's markup are understood")
    n_given = int(np.isfinite(points).all(axis=1).sum())
    if n_given < MIN_POINTS:
        raise InputError(path, f"has {n_given} points that are among ibug's {N_IBUG}, {MIN_POINTS} are needed")
    return points


def _from_names(landmarks: Landmarks3D) -> FloatArray:
    points = np.full((N_IBUG, 3), np.nan)
    for name, point in zip(landmarks.names, landmarks.points, strict=True):
        plain = re.sub(r"[_\s]+", " ", re.sub(r"\b(of|the)\b", " ", name.lower())).strip()
        if plain in BOSPHORUS:
            points[BOSPHORUS[plain]] = point
    eyes, mouth = [36, 39, 42, 45], [48, 54, 51, 57]
    up = np.nanmean(points[eyes], axis=0) - np.nanmean(points[mouth], axis=0) if _any(points, eyes, mouth) else None
    across = [points[left] - points[right] for right, left in SIDES if _any(points, [right]) and _any(points, [left])]
    if up is None or not across or not _any(points, [30]):
        return points  # nothing to tell the sides by
    out = points[30] - np.nanmean(points[[*eyes, *mouth]], axis=0)
    if np.dot(np.cross(np.mean(across, axis=0), up), out) < 0:
        for right, left in SIDES:
            points[[right, left]] = points[[left, right]]
    return points


def _any(points: FloatArray, *groups: list[int]) -> bool:
    return all(bool(np.isfinite(points[group]).all(axis=1).any()) for group in groups)


def _from_bu(bu: FloatArray) -> FloatArray:
    """Corners of eyes and mouth and the middles of the lips of 83 points."""
    points = np.full((N_IBUG, 3), np.nan)
    first, second = (bu[eye].mean(axis=0) for eye in BU_EYES)
    up = (first + second) / 2 - bu[BU_OUTER_LIPS].mean(axis=0)
    out = bu[BU_NOSE].mean(axis=0) - (first + second) / 4 - bu[BU_OUTER_LIPS].mean(axis=0) / 2
    across = second - first
    first_is_right = np.dot(np.cross(across, up), out) > 0
    right, left = (bu[eye] for eye in (BU_EYES if first_is_right else BU_EYES[::-1]))
    x = across if first_is_right else -across
    y = np.cross(np.cross(x, up), x)  # up, square to across
    points[36], points[39] = right[np.argmin(right @ x)], right[np.argmax(right @ x)]
    points[42], points[45] = left[np.argmin(left @ x)], left[np.argmax(left @ x)]
    outer, inner = bu[BU_OUTER_LIPS], bu[BU_INNER_LIPS]
    points[48], points[54] = outer[np.argmin(outer @ x)], outer[np.argmax(outer @ x)]
    for ring, upper, lower in ((outer, 51, 57), (inner, 62, 66)):
        low, high = _middles(ring, x, y)
        points[upper], points[lower] = ring[high], ring[low]
    return points


def _middles(ring: FloatArray, x: FloatArray, y: FloatArray) -> tuple[int, int]:
    """The points of a ring of lips in the middle between its ends, of the lower and of the upper half."""
    along, height = ring @ x, ring @ y
    off = np.abs(along - (along.min() + along.max()) / 2)
    upper = height > np.median(height)
    return int(np.where(upper, np.inf, off).argmin()), int(np.where(upper, off, np.inf).argmin())
