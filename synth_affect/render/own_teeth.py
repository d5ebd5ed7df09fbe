"""The upper teeth that a photograph shows. They are part of the skull: whatever the lips do, they stay where they are.

So a smile that becomes another smile, or a mouth that opens wider, keeps the person's own row, and only what the lips
uncover beside and beyond it is drawn. The row is looked for in an upright view of the mouth: what is bright and paler
than the lips, one piece, wide, and right under the upper lip.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from synth_affect.arrays import BoolArray, FloatArray, IntArray
from synth_affect.heads.camera import Camera
from synth_affect.render.colour import linear_to_srgb
from synth_affect.render.mask_box import mask_box
from synth_affect.render.pull_push import extend
from synth_affect.render.rising import rising

VIEW_PX_PER_MM, VIEW_MM = 4.0, (44, 72)
"""Scale, height and width of the upright view."""
LEAST_OPENING_MM2 = 15.0
SMOOTH_MM = 0.18
TOOTH_LIGHT, BRIGHT_PERCENTILE = 0.62, 85
"""A tooth is at least so bright as the brightest ones; those between teeth and in the corners are no more."""
BESIDE_MM = 3.0
"""Teeth may lie so far outside the opening as it was fitted."""
WIDTH, HEIGHT_MM, TALLEST_MM, LIGHT = (0.5, 0.65), (2.5, 3.5), (11.0, 13.0), (0.65, 0.8)
"""From where on, and from where on wholly, the row counts: its share of the opening's width, its height in the middle,
and its brightness against that of a tooth in the light of this face; up to which height, and up to which at most: what
is taller is both rows."""
UNDER_LIP_MM = 4.0
"""So far below the upper rim of the opening the row begins at most: gums lie between."""
BITE_MM, LEAST_UPPER_MM, BITE_SHARE, BITE_DEPTH = 1.0, 3.5, 0.5, 0.02
"""The line between rows that touch: how far beside it teeth are compared with it, how far below the first teeth it lies
at least, in which share of the row it is found, and how much darker it is, in log light. Judged on portraits: 0.04
between two rows, up to 0.007 within one."""
EDGE_MM, OUTLIER_MM, FEATHER_MM = 1.2, 6.0, 0.25
SIDES_MM, ABOVE_MM = 2.0, 6.0
"""How far beside the row the photograph's dark corners go along, and how far over it it is continued."""


@dataclass(frozen=True, slots=True, eq=False)
class OwnTeeth:
    """colours : (height, width, 3) float32 sRGB, 0-255, the row and what lies above it.
    mask : (height, width) float32 in [0, 1], where it is.
    seen : (height, width) float32 in [0, 1], where the photograph itself shows it; elsewhere it is continued.
    columns : (height, width) float32 in [0, 1], what lies above and below the photograph's opened mouth as well.
    middle : (2,) px, and half_mm : of the row.
    trust : in (0, 1], how surely these are the upper teeth.
    """

    colours: FloatArray
    mask: FloatArray
    seen: FloatArray
    columns: FloatArray
    middle: FloatArray
    half_mm: float
    trust: float

    def part(self, box: tuple[slice, slice]) -> OwnTeeth:
        """What lies in a box of the region; places are counted from its corner."""
        corner = np.array([box[1].start, box[0].start])
        return replace(
            self,
            colours=self.colours[box],
            mask=self.mask[box],
            seen=self.seen[box],
            columns=self.columns[box],
            middle=self.middle - corner,
        )

    def lowered(self, far: FloatArray, down: FloatArray) -> OwnTeeth:
        """The row further down; far : (height, width) float32, px.  down : (2,) unit vector in the picture."""
        height, width = self.mask.shape
        x = np.arange(width, dtype=np.float32) - far * down[0]
        y = np.arange(height, dtype=np.float32)[:, None] - far * down[1]
        colours, mask, seen = (
            cv2.remap(field, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            for field in (self.colours, self.mask, self.seen)
        )
        return replace(self, colours=colours, mask=mask, seen=seen)


def own_upper_teeth(
    pixels: FloatArray, opening: BoolArray, lips: BoolArray, white: FloatArray, camera: Camera, px_per_mm: float
) -> OwnTeeth | None:
    """The row in the scene's region; None where the photograph shows none.

    pixels : (height, width, 3) float32 sRGB, 0-255.  opening, lips : (height, width) bool, as they were fitted.
    white : (3,) linear RGB of a tooth in this light.
    """
    if opening.sum() < LEAST_OPENING_MM2 * px_per_mm**2:
        return None
    to_picture = _upright(opening, camera, px_per_mm)
    view, opened, of_lips = (
        _view(field.astype(np.float32), to_picture, cv2.INTER_CUBIC if field.ndim == 3 else cv2.INTER_LINEAR)
        for field in (pixels, opening, lips)
    )
    view = cv2.GaussianBlur(np.clip(view, 0, 255), (0, 0), SMOOTH_MM * VIEW_PX_PER_MM)
    row, bright = _row(view, opened > 0.5, of_lips > 0.5)
    if row is None:
        return None
    columns = np.flatnonzero(row.any(axis=0))
    first = row[:, columns].argmax(axis=0)
    last = _bite(view[:, columns], first, _end_of_run(row[:, columns]))
    rim = (opened[:, columns] > 0.5).argmax(axis=0)
    inner = np.abs(columns - columns.mean()) <= 0.25 * len(columns)
    height = float(np.median((last - first)[inner])) / VIEW_PX_PER_MM
    wide = len(columns) / max(int((opened > 0.5).any(axis=0).sum()), 1)
    below = float(np.median((first - rim)[inner])) / VIEW_PX_PER_MM
    expected = float(linear_to_srgb(white).mean()) * 255
    trust = (
        rising(wide, *WIDTH)
        * rising(height, *HEIGHT_MM)
        * (1 - rising(height, *TALLEST_MM))
        * rising(bright / expected, *LIGHT)
        * (below < UNDER_LIP_MM)
    )
    if trust == 0:
        return None
    place, strip = _places(columns, first, last, opened > 0.5)
    known = ((opened > 0.9) | row) & (place > 0.5)
    size = (pixels.shape[1], pixels.shape[0])
    mask, strip, known = (
        cv2.warpAffine(field.astype(np.float32), to_picture, size, flags=cv2.INTER_LINEAR)
        for field in (place, strip, known)
    )
    box = mask_box(mask)
    colours = pixels.copy()
    seen = np.where(known[box] > 0.9, 1, 0).astype(np.float32)
    colours[box] = np.where(seen[..., None] > 0, pixels[box], extend(np.ascontiguousarray(pixels[box]), seen))
    middle = to_picture @ [columns.mean(), (0.5 * (first + last)).mean(), 1]
    return OwnTeeth(colours, mask, known, strip, middle, 0.5 * len(columns) / VIEW_PX_PER_MM, trust)


def _upright(opening: BoolArray, camera: Camera, px_per_mm: float) -> FloatArray:
    """(2, 3) float32: from the upright view of the mouth to the picture."""
    up = camera.rotation[:2, 1] * [1, -1]
    down = -up / np.linalg.norm(up)
    step = np.column_stack([[down[1], -down[0]], down]) * px_per_mm / VIEW_PX_PER_MM
    rows, columns = np.nonzero(opening)
    middle = np.array([np.median(columns), np.median(rows)])
    half = np.array(VIEW_MM[::-1]) * VIEW_PX_PER_MM / 2
    return np.column_stack([step, middle - step @ half]).astype(np.float32)


def _view(field: FloatArray, to_picture: FloatArray, how: int) -> FloatArray:
    height, width = (round(side * VIEW_PX_PER_MM) for side in VIEW_MM)
    seen: FloatArray = cv2.warpAffine(
        field, to_picture, (width, height), flags=how | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REPLICATE
    )
    return seen


def _row(view: FloatArray, opened: BoolArray, lips: BoolArray) -> tuple[BoolArray | None, float]:
    """The largest piece of what looks like teeth, and its brightness; None without any."""
    if not opened.any() or not lips.any():
        return None, 0.0
    light = view.mean(axis=2)
    redness = (view[..., 0] - 0.5 * (view[..., 1] + view[..., 2])) / (view.sum(axis=2) + 3)
    bright = float(np.percentile(light[opened], BRIGHT_PERCENTILE))
    of_teeth = float(np.median(redness[opened & (light >= np.percentile(light[opened], 60))]))
    paler = redness < 0.5 * (of_teeth + float(np.median(redness[lips])))
    width = 1 + 2 * round(0.5 * BESIDE_MM * VIEW_PX_PER_MM)
    near = cv2.dilate(opened.astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width))) > 0
    teeth = (near & paler & (light > TOOTH_LIGHT * bright)).astype(np.uint8)
    n, labels, stats, _ = cv2.connectedComponentsWithStats(teeth, connectivity=4)
    if n < 2:
        return None, 0.0
    row: BoolArray = labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    return row, bright


def _end_of_run(row: BoolArray) -> IntArray:
    """(n,) for every column, which has some: the row where its first unbroken run ends."""
    first = row.argmax(axis=0)
    below = np.arange(row.shape[0])[:, None] >= first
    broken = below & ~row
    ends: IntArray = np.where(broken.any(axis=0), broken.argmax(axis=0), row.shape[0])
    return ends


def _bite(view: FloatArray, first: IntArray, last: IntArray) -> IntArray:
    """(n,) for every column: where the upper row ends if both rows touch, by the dark line between them; or `last`.

    view : (height, n, 3), the columns of the row.  first, last : (n,), where what looks like teeth begins and ends.
    The darkest way from side to side is looked for (dynamic programming), and believed where teeth are on both sides.
    """
    light = np.log(view.mean(axis=2) + 8)
    away = round(BITE_MM * VIEW_PX_PER_MM)
    darker = np.minimum(np.roll(light, away, axis=0), np.roll(light, -away, axis=0)) - light
    rows = np.arange(len(light))[:, None]
    between = (rows >= first + LEAST_UPPER_MM * VIEW_PX_PER_MM) & (rows <= last - away)
    gain = np.where(between, darker, -BITE_DEPTH)
    total, steps = gain[:, 0], []
    for column in gain.T[1:]:
        padded = np.pad(total, 1, constant_values=-np.inf)
        from_where = np.stack([padded[:-2], total, padded[2:]])
        steps.append(from_where.argmax(axis=0) - 1)
        total = from_where.max(axis=0) + column
    way = [int(total.argmax())]
    for step in reversed(steps):
        way.append(way[-1] + int(step[way[-1]]))
    line, columns = np.array(way[::-1]), np.arange(len(first))
    on = between[line, columns]
    if on.mean() < BITE_SHARE or darker[line, columns][on].mean() < BITE_DEPTH:
        return last
    found: IntArray = np.where(on, line, last)
    return found


def _places(columns: IntArray, first: IntArray, last: IntArray, opened: BoolArray) -> tuple[FloatArray, FloatArray]:
    """(height, width) float32 twice: where the row and what lies above it is, and the columns of the opened mouth."""
    shape = opened.shape
    every = np.arange(shape[1])
    edge = np.interp(every, columns, last).astype(np.float32)[None]
    top = float(np.median(first)) - ABOVE_MM * VIEW_PX_PER_MM
    odd = 1 + 2 * round(0.5 * OUTLIER_MM * VIEW_PX_PER_MM)
    usual = np.array([np.median(edge[0, max(k - odd // 2, 0) : k + odd // 2 + 1]) for k in every], np.float32)[None]
    edge = np.where(np.abs(edge - usual) > 0.6 * VIEW_PX_PER_MM, usual, edge)
    edge = cv2.GaussianBlur(edge, (0, 0), EDGE_MM * VIEW_PX_PER_MM)
    feather, side = FEATHER_MM * VIEW_PX_PER_MM, SIDES_MM * VIEW_PX_PER_MM
    rows = np.arange(shape[0])[:, None]
    ends = np.flatnonzero(opened.any(axis=0))[[0, -1]]
    left, right = min(ends[0], columns[0]), max(ends[1], columns[-1])
    within = np.clip(1 - np.maximum(left - every, every - right) / side, 0, 1)
    strip = np.broadcast_to(within[None], shape).astype(np.float32)
    above = np.clip(0.5 + (edge - rows) / (2 * feather), 0, 1) * np.clip(1 + (rows - top) / feather, 0, 1)
    return (strip * above).astype(np.float32), strip
