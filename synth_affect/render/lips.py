"""Where the lips lie and where the upper one meets the lower one."""

from __future__ import annotations

import cv2
import numpy as np

from synth_affect.arrays import BoolArray, FloatArray, IntArray
from synth_affect.heads.model import HeadModel
from synth_affect.render.fragments import Fragments
from synth_affect.render.mask_box import mask_box
from synth_affect.render.pull_push import extend

NEIGHBOURS = (
    (np.s_[:-1, :], np.s_[1:, :]),
    (np.s_[:, :-1], np.s_[:, 1:]),
)
"""Pairs of slices: every pixel and the one below, or to the right."""
PARTED_MM = 1.0
"""On either side of the line between closed lips their texture is that of the line's shade."""
SHADE_MM, SHADE = 2.5, 0.75
"""The line of a photograph may lie this far beside the fitted one; there, what is this much darker than lips is it."""


def lip_pixels(
    head: HeadModel, triangles: IntArray, regions: IntArray, fragments: Fragments
) -> tuple[BoolArray, BoolArray]:
    """(height, width) bool twice: pixels of the upper lip, and of the lower one, which goes with the opening jaw.

    triangles, regions : (n_triangles, 3) and (n_triangles,), those that are drawn.
    """
    jaw = head.expression_units[head.unit_names.index("jawOpen"), :, 1]
    travel = jaw[triangles].mean(axis=1)
    of_lips = regions == head.region_names.index("lips")
    of_lower = of_lips & (travel < 0.5 * float(travel[of_lips].min()))
    seen = fragments.pix_to_face[0, :, :, 0]
    drawn = seen >= 0
    lower: BoolArray = drawn & of_lower[seen]
    upper: BoolArray = drawn & (of_lips & ~of_lower)[seen]
    return upper, lower


def meet(upper: BoolArray, lower: BoolArray, first: tuple[slice, slice], second: tuple[slice, slice]) -> BoolArray:
    """Whether one of two neighbours is upper and the other lower lip."""
    touching: BoolArray = (upper[first] & lower[second]) | (lower[first] & upper[second])
    return touching


def parted_lips(skin: FloatArray, upper: BoolArray, lower: BoolArray, face: BoolArray, px_per_mm: float) -> FloatArray:
    """(height, width, 3) float32: `skin` with lips that are continued over the dark line at which they touch.

    Lips that open would carry that line along as a rim. Equal to `skin` where the lips do not touch.
    """
    line = np.zeros(upper.shape, dtype=np.uint8)
    for first, second in NEIGHBOURS:
        touching = meet(upper, lower, first, second)
        line[first] |= touching
        line[second] |= touching
    if not line.any():
        return skin
    box = mask_box(line, pad=4 + round(4 * SHADE_MM * px_per_mm))
    around = cv2.distanceTransform(1 - line[box], cv2.DIST_L2, cv2.DIST_MASK_5) / px_per_mm
    lips = (upper | lower)[box]
    brightness = skin[box] @ np.full(3, 1 / 3, dtype=np.float32)
    usual = float(np.median(brightness[lips]))
    shade = (around < SHADE_MM) & (brightness < SHADE * usual) & lips
    rim = max(PARTED_MM, 1 / px_per_mm)
    shaded = ((around < rim) | shade).astype(np.uint8)
    known = (shaded == 0) & lips
    if known.sum() < 0.1 * lips.sum():
        known = (shaded == 0) & face[box]
    over = np.maximum(cv2.GaussianBlur(shaded.astype(np.float32), (0, 0), max(0.3 * px_per_mm, 0.5)), shaded)[..., None]
    parted = skin.copy()
    parted[box] = over * extend(np.ascontiguousarray(skin[box]), known.astype(np.float32)) + (1 - over) * skin[box]
    return parted
