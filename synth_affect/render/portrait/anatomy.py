"""Where the parts of a face lie on the chart: soft masks about MediaPipe's points."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from synth_affect.arrays import FloatArray
from synth_affect.render.portrait.chart import TEXEL_MM, Chart

OUTER_LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
INNER_LIPS = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191)
UPPER_LIDS = ((33, 246, 161, 160, 159, 158, 157, 173, 133), (263, 466, 388, 387, 386, 385, 384, 398, 362))
LOWER_LIDS = ((33, 7, 163, 144, 145, 153, 154, 155, 133), (263, 249, 390, 373, 374, 380, 381, 382, 362))
"""The edges of the lids from the outer to the inner corner; right eye, left eye."""
BROW_TOPS = ((70, 63, 105, 66, 107), (300, 293, 334, 296, 336))
BROW_BOTTOMS = ((46, 53, 52, 65, 55), (276, 283, 282, 295, 285))
"""From the outer to the inner end; right, left."""
CREASES = ((226, 247, 30, 29, 27, 28, 56, 190, 243), (446, 467, 260, 259, 257, 258, 286, 414, 463))
BAGS = ((111, 117, 118, 119, 120, 121), (340, 346, 347, 348, 349, 350))
CHEEKS = (50, 280)
NOSE_TIP, CHIN = 4, 152


@dataclass(frozen=True, slots=True, eq=False)
class Anatomy:
    """Masks (height, width) float32 in [0, 1] on the chart, the same for all people of a head model."""

    lips: FloatArray
    lip_line: FloatArray
    lids: FloatArray
    under_eyes: FloatArray
    lid_rims: FloatArray
    cheeks: FloatArray
    nose: FloatArray
    beard: FloatArray
    moustache: FloatArray
    goatee: FloatArray
    hair: FloatArray
    brows: FloatArray


def find_anatomy(chart: Chart) -> Anatomy:
    """All of it, from the landmarks of the mean head."""
    points = chart.landmarks
    lips = _polygon(chart, points[list(OUTER_LIPS)], 0.5)
    lids = np.zeros_like(lips)
    under = np.zeros_like(lips)
    rims = np.zeros_like(lips)
    for upper, lower, crease, bag in zip(UPPER_LIDS, LOWER_LIDS, CREASES, BAGS, strict=True):
        lids = np.maximum(lids, _polygon(chart, points[[*crease, *upper[::-1]]], 1.6))
        under = np.maximum(under, _polygon(chart, points[[*lower, *bag[::-1]]], 3.0))
        rims = np.maximum(rims, _polygon(chart, points[[*upper, *lower[::-1]]], 0.8))
        rims = np.maximum(rims, _line(chart, points[list(upper)], 2.0, 0.6))
        rims = np.maximum(rims, _line(chart, points[list(lower)], 2.0, 0.6))
    brows = np.zeros_like(lips)
    for top, bottom in zip(BROW_TOPS, BROW_BOTTOMS, strict=True):
        brows = np.maximum(brows, _polygon(chart, points[[*top, *bottom[::-1]]], 1.4))
    inner = points[list(INNER_LIPS)]
    # Of closed lips both inner edges lie together.
    return Anatomy(
        lips=lips,
        lip_line=_line(chart, inner[:11], 1.0, 0.6),
        lids=lids,
        under_eyes=under,
        lid_rims=rims,
        cheeks=_spot(chart, points[CHEEKS[0]], 15.0) + _spot(chart, points[CHEEKS[1]], 15.0),
        nose=_spot(chart, points[NOSE_TIP], 9.0),
        beard=_beard(chart),
        moustache=_moustache(chart),
        goatee=_goatee(chart),
        hair=_hair(chart),
        brows=brows,
    )


def _blank(chart: Chart) -> FloatArray:
    return np.zeros((chart.size.height, chart.size.width), dtype=np.float32)


def blurred(mask: FloatArray, width_mm: float) -> FloatArray:
    """`mask` through a Gaussian of this standard deviation."""
    soft: FloatArray = cv2.GaussianBlur(mask, (0, 0), width_mm / TEXEL_MM)
    return soft


def _polygon(chart: Chart, corners: FloatArray, soft_mm: float) -> FloatArray:
    mask = _blank(chart)
    cv2.fillPoly(mask, [np.rint(corners * 16).astype(np.int32)], 1.0, cv2.LINE_AA, 4)
    return blurred(mask, soft_mm)


def _line(chart: Chart, places: FloatArray, width_mm: float, soft_mm: float) -> FloatArray:
    mask = _blank(chart)
    drawn = np.rint(smooth_line(places) * 16).astype(np.int32)
    cv2.polylines(mask, [drawn], False, 1.0, max(1, round(width_mm / TEXEL_MM)), cv2.LINE_AA, 4)
    line: FloatArray = np.minimum(blurred(mask, soft_mm) * 1.3, 1)
    return line


def smooth_line(places: FloatArray, per_segment: int = 6) -> FloatArray:
    """Points along the Catmull-Rom curve through `places` (n, d)."""
    padded = np.concatenate([2 * places[:1] - places[1:2], places, 2 * places[-1:] - places[-2:-1]])
    t = np.linspace(0, 1, per_segment, endpoint=False)[:, None]
    parts = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False)
    ]
    return np.concatenate([*parts, places[-1:]])


def _spot(chart: Chart, centre: FloatArray, width_mm: float) -> FloatArray:
    rows, columns = np.mgrid[: chart.size.height, : chart.size.width].astype(np.float32)
    squared = (columns - centre[0]) ** 2 + (rows - centre[1]) ** 2
    spot: FloatArray = np.exp(-squared * (TEXEL_MM / width_mm) ** 2 / 2).astype(np.float32)
    return spot


def _beard(chart: Chart) -> FloatArray:
    """Jaw, chin, upper lip and the upper neck; the lips themselves are bare."""
    points = chart.landmarks
    mm = 1 / TEXEL_MM
    middle, chin = chart.size.width / 2, points[CHIN]
    # The left side from the corner of the mouth along the cheek to the ear, and back below the jaw.
    left = np.array(
        [
            points[287] + [2 * mm, -10 * mm],
            points[410] + [6 * mm, -4 * mm],
            points[435] + [0, -6 * mm],
            points[401] + [4 * mm, 0],
            points[454] + [-8 * mm, 4 * mm],
            points[454] + [3 * mm, 4 * mm],
            points[361] + [6 * mm, 4 * mm],
            points[397] + [8 * mm, 12 * mm],
            points[400] + [24 * mm, 20 * mm],
            np.add(chin, [0, 24 * mm]),
        ]
    )
    right = (left * [-1, 1] + [2 * middle, 0])[::-1]
    beard = np.maximum(_polygon(chart, np.concatenate([left, right]).astype(np.float32), 3.5), _moustache(chart))
    bare = _polygon(chart, points[list(OUTER_LIPS)], 0.8)
    return beard * (1 - bare)


def _moustache(chart: Chart) -> FloatArray:
    points = chart.landmarks
    outline = points[[57, 186, 92, 165, 167, 164, 393, 391, 322, 410, 287, 291, 270, 269, 267, 0, 37, 39, 40, 61]]
    bare = _polygon(chart, points[list(OUTER_LIPS)], 0.6)
    return _polygon(chart, outline, 1.5) * (1 - bare)


def _goatee(chart: Chart) -> FloatArray:
    points = chart.landmarks
    outline = points[[57, 43, 106, 182, 83, 18, 313, 406, 335, 273, 287, 422, 430, 395, 396, 152, 171, 170, 210, 202]]
    bare = _polygon(chart, points[list(OUTER_LIPS)], 0.6)
    return np.maximum(_polygon(chart, outline, 2.0) * (1 - bare), _moustache(chart))


HAIRLINE_UP_MM = {10: 9, 338: 9, 297: 9, 332: 8, 284: 5, 251: 3, 389: 0, 356: 0, 454: 0}
"""Landmarks of the face's left outline, and how far above each the hair begins."""
BEHIND_EAR_MM = ((3, 8), (15, 6), (22, -12), (48, -8), (62, 30), (80, 62), (400, 70))
"""From the last of them outwards and down: a sideburn, over the ear, and down behind it to the nape."""


def _hair(chart: Chart) -> FloatArray:
    """Where hair grows on the head: above the hairline, and behind the ears down to the nape."""
    points = chart.landmarks.astype(np.float64)
    line = [points[k] - [0, up / TEXEL_MM] for k, up in HAIRLINE_UP_MM.items()]
    line += [points[454] + np.array(place) / TEXEL_MM for place in BEHIND_EAR_MM]
    left = np.minimum(np.array(line), [chart.size.width - 1, np.inf])
    right = left * [-1, 1] + [chart.size.width, 0]
    top = np.array([[chart.size.width - 1, 0], [0, 0]])
    outline = np.concatenate([left, top, right[::-1][:-1]])
    return _polygon(chart, outline, 2.5)
