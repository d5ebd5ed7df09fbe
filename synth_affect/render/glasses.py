"""The frame of a pair of glasses: found by its bridge, followed round both eyes and out to the temples."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt
from numba import njit

from synth_affect.arrays import BoolArray, FloatArray, IntArray
from synth_affect.render.colour import luminance
from synth_affect.render.face_frame import FaceFrame, UprightView

VIEW_PX_PER_MM = 2.0
HALF_WIDTH_MM, ABOVE_MM, BELOW_MM = 80.0, 32.0, 38.0
THICKEST_MM = 9.5
"""Dark structures wider than this are no frames."""

BRIDGE_HALF_MM, BRIDGE_TOP_MM, BRIDGE_BOTTOM_MM = 7.0, -15.0, 12.0
LEAST_BRIDGE = 0.28
"""Darkening of the skin that nine tenths of the way across the nose show: folds and shadows reach 0.15."""

ANGLES, RADIUS_MM, RADIUS_STEP_MM = 128, (14.0, 38.0), 0.5
ASPECT = 1.5
"""Lenses are wider than high: radii are read along x and are so much shorter along y."""
LENS_BELOW_MM = 1.5
"""The middle of a lens lies below the middle of the eye."""
OF_BRIDGE = 0.4
"""A rim or temple piece is at least so dark against the skin as the bridge is."""
LEAST_RIM = 0.5
"""Share of the way round an eye that must show a rim."""
LASHES_MM = 4.0
"""So close to an eye nothing is taken for a frame."""
TEMPLE_MM = (-16.0, 10.0)
LEAST_TEMPLE_MM = 3.0
STEEPEST, TURN_COST = 3, 0.03
EDGE = 0.45
"""Share of its darkness at which a frame's edge is drawn."""
MARGIN_MM = 0.4
THICKER = 1.35
"""A frame is nowhere so much thicker than its median; a brow that touches it would seem to make it so."""


def glasses_frame(pixels: FloatArray, skin: BoolArray, eyes: BoolArray, frame: FaceFrame) -> FloatArray | None:
    """(height, width) float32 in [0, 1], 1 on the frame of glasses; None without glasses.

    pixels : (height, width, 3) float32 sRGB, 0-255.
    skin, eyes : (height, width) bool, where the fitted face and its eyes between the lids are.
    """
    scale = VIEW_PX_PER_MM
    view = UprightView(
        frame, -HALF_WIDTH_MM, -ABOVE_MM, int(2 * HALF_WIDTH_MM * scale), int((ABOVE_MM + BELOW_MM) * scale), scale
    )
    face = view.of(skin.astype(np.uint8), interpolation=cv2.INTER_NEAREST) > 0
    if not face.any():
        return None
    darkness = _thin_darkness(view.of(pixels), face)
    middle = _path(darkness, view, (-BRIDGE_HALF_MM, BRIDGE_HALF_MM), (BRIDGE_TOP_MM, BRIDGE_BOTTOM_MM))
    across = darkness[middle[:, 1], middle[:, 0]]
    if float(np.percentile(across, 10)) < LEAST_BRIDGE:
        return None
    # Lashes and painted lids would be a shorter way round the eye than the rim.
    reach = 1 + 2 * round(LASHES_MM * scale)
    lids = cv2.dilate(
        view.of(eyes.astype(np.uint8), interpolation=cv2.INTER_NEAREST),
        cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)),
    )
    darkness[lids > 0] = 0
    enough = OF_BRIDGE * float(np.median(across))
    bands = [_band_along(darkness, view, middle)]
    for eye in frame.eyes():
        rim = _rim(darkness, view, eye + np.array([0.0, LENS_BELOW_MM]), enough)
        if not rim:
            return None
        bands += [*rim, *_temple(np.where(face, darkness, 0), view, np.concatenate(rim), enough)]
    mask = np.zeros(pixels.shape[:2], dtype=np.uint8)
    for band in bands:
        _fill(mask, frame, band)
    soft: FloatArray = cv2.GaussianBlur(mask, (0, 0), 0.6).astype(np.float32) / 255
    return soft


def _thin_darkness(seen: FloatArray, face: BoolArray) -> FloatArray:
    """(height, width) float32: how much darker than what surrounds it a narrow structure is, as a share of the skin."""
    kernel = np.ones((round(THICKEST_MM * VIEW_PX_PER_MM),) * 2, np.uint8)
    skin_light = max(float(np.median(luminance(seen[face][::4]))), 1.0)
    # In bytes the filter is several times as fast.
    red, green, blue = cv2.split(cv2.morphologyEx(cv2.convertScaleAbs(seen), cv2.MORPH_BLACKHAT, kernel))
    darkest = np.maximum(np.maximum(red, green), blue)
    darkness: FloatArray = np.minimum(darkest * np.float32(1 / skin_light), 1)
    return darkness


def _path(darkness: FloatArray, view: UprightView, x_mm: tuple[float, float], y_mm: tuple[float, float]) -> IntArray:
    """(n, 2) column, row of the darkest way from left to right through a rectangle of the view."""
    (left, top), (right, bottom) = view.columns_rows(np.array([[x_mm[0], y_mm[0]], [x_mm[1], y_mm[1]]])).astype(int)
    part = darkness[top : bottom + 1, left : right + 1]
    rows = _darkest_way(np.ascontiguousarray(part.T), 2, TURN_COST)
    return np.stack([left + np.arange(len(rows)), top + rows], axis=1)


@njit(cache=True)  # type: ignore[untyped-decorator]
def _darkest_way(darkness: FloatArray, steepest: int, turn_cost: float) -> IntArray:
    """(n_steps,) index in each row of darkness (n_steps, n_places) of the path with the largest sum, less turns."""
    n_steps, n_places = darkness.shape
    best = darkness.copy()
    came = np.zeros((n_steps, n_places), np.int64)
    for step in range(1, n_steps):
        for place in range(n_places):
            top = -1e9
            for other in range(max(0, place - steepest), min(n_places, place + steepest + 1)):
                value = best[step - 1, other] - turn_cost * abs(other - place)
                if value > top:
                    top = value
                    came[step, place] = other
            best[step, place] += top
    way = np.empty(n_steps, np.int64)
    way[-1] = np.argmax(best[-1])
    for step in range(n_steps - 1, 0, -1):
        way[step - 1] = came[step, way[step]]
    return way


def _rim(darkness: FloatArray, view: UprightView, centre: FloatArray, enough: float) -> list[FloatArray]:
    """Bands (n, 2, 2) mm, inner and outer edge, of the rim round one eye; [] where there is none."""
    angles = np.arange(ANGLES) * (2 * np.pi / ANGLES)
    radii = np.arange(RADIUS_MM[0] - 6, RADIUS_MM[1] + 6, RADIUS_STEP_MM)
    toward = np.stack([np.cos(angles), np.sin(angles) / ASPECT], axis=1)
    places = view.columns_rows(centre + radii[None, :, None] * toward[:, None]).astype(np.float32)
    polar = cv2.remap(darkness, places[..., 0], places[..., 1], cv2.INTER_LINEAR)
    allowed = (radii >= RADIUS_MM[0]) & (radii <= RADIUS_MM[1])
    first = int(np.argmax(allowed))
    capped = np.minimum(polar[:, allowed], 2 * enough)
    # Round twice, so that the way is closed wherever it starts.
    way = first + _darkest_way(np.ascontiguousarray(np.concatenate([capped] * 2)), STEEPEST, TURN_COST)
    way = np.concatenate([way[ANGLES : ANGLES + ANGLES // 2], way[ANGLES // 2 : ANGLES]])
    along = polar[np.arange(ANGLES), way]
    shown = along > enough
    if shown.mean() < LEAST_RIM:
        return []
    inner, outer = _edges(polar, way)
    length = np.linalg.norm(toward, axis=1)
    inward, outward = (
        (_thickness(edge * RADIUS_STEP_MM * length, shown) + MARGIN_MM) / length for edge in (inner, outer)
    )
    band = np.stack(
        [centre + (radii[way] - inward)[:, None] * toward, centre + (radii[way] + outward)[:, None] * toward], axis=1
    )
    return _runs(band, shown)


def _edges(polar: FloatArray, way: IntArray) -> tuple[FloatArray, FloatArray]:
    """(n,) steps from the way down and up to the edges of what is dark.

    Before the darkness falls below EDGE of its own, where it falls most: a brow that touches a frame is dark as well.
    """
    return _edge_above(polar[:, ::-1], polar.shape[1] - 1 - way), _edge_above(polar, way)


def _edge_above(polar: FloatArray, way: IntArray) -> FloatArray:
    n_steps, n_places = polar.shape
    index = np.arange(n_places)
    below = polar < EDGE * polar[np.arange(n_steps), way][:, None]
    beyond = np.where(below & (index > way[:, None]), index, n_places - 1).min(axis=1)
    fall = polar[:, :-1] - polar[:, 1:]
    within = (index[:-1] >= way[:, None]) & (index[:-1] < np.maximum(beyond, way + 1)[:, None])
    steepest = np.argmax(np.where(within, fall, -1.0), axis=1)
    edge: FloatArray = (steepest - way + 0.5).astype(float)
    return edge


def _thickness(mm: FloatArray, shown: FloatArray) -> FloatArray:
    """(n,) `mm` without leaps: little more than the median, evened out along the way."""
    capped = np.minimum(mm, THICKER * np.median(mm[shown])).astype(np.float32)
    padded = np.concatenate([capped[-3:], capped, capped[:3]])
    evened: FloatArray = np.median(np.lib.stride_tricks.sliding_window_view(padded, 7), axis=1)
    return evened


def _runs(band: FloatArray, shown: FloatArray) -> list[FloatArray]:
    """The parts of a closed band that are shown, gaps of a few steps bridged."""
    n = len(shown)
    filled = cv2.morphologyEx(
        np.tile(shown.astype(np.uint8), 3)[None], cv2.MORPH_CLOSE, np.ones((1, 13), np.uint8)
    )[0, n : 2 * n]  # fmt: skip
    if filled.all():
        return [np.concatenate([band, band[:1]])]
    start = int(np.argmin(filled))
    order = np.roll(np.arange(n), -start)
    ends = np.flatnonzero(np.diff(np.concatenate([[0], filled[order], [0]])))
    return [band[order[a:b]] for a, b in zip(ends[::2], ends[1::2], strict=True) if b - a > 2]


def _temple(darkness: FloatArray, view: UprightView, rim: FloatArray, enough: float) -> list[FloatArray]:
    """The band from a rim (n, 2, 2) mm outwards, as far as it is seen against the skin; [] without one."""
    side = np.sign(rim[..., 0].mean())
    start = side * float((side * rim[..., 0]).max()) - side * 2
    end = side * (HALF_WIDTH_MM - 1)
    if side * (end - start) < LEAST_TEMPLE_MM:
        return []
    way = _path(darkness, view, (min(start, end), max(start, end)), TEMPLE_MM)
    seen = (darkness[way[:, 1], way[:, 0]] > enough)[:: int(side)]
    length = len(seen) if seen.all() else int(np.argmin(seen))
    if length < LEAST_TEMPLE_MM * view.scale:
        return []
    return [_band_along(darkness, view, way[:length] if side > 0 else way[-length:])]


def _band_along(darkness: FloatArray, view: UprightView, way: IntArray) -> FloatArray:
    """(n, 2, 2) mm: upper and lower edge of what is dark along a way from left to right."""
    columns = np.ascontiguousarray(darkness[:, way[:, 0]].T)
    above, below = _edges(columns, way[:, 1])
    every = np.ones(len(way), dtype=bool)
    scale = view.scale
    x = view.left_mm + (way[:, 0] + 0.5) / scale
    y = view.top_mm + (way[:, 1] + 0.5) / scale
    up, down = _thickness(above / scale, every) + MARGIN_MM, _thickness(below / scale, every) + MARGIN_MM
    return np.stack([np.stack([x, y - up], axis=1), np.stack([x, y + down], axis=1)], axis=1)


def _fill(mask: npt.NDArray[np.uint8], frame: FaceFrame, band: FloatArray) -> None:
    """Draw a band (n, 2, 2) mm into `mask`, in quads so that a closed one keeps its hole."""
    edges = np.rint((frame.to_pixels(band) - 0.5) * 16).astype(np.int32)
    for a, b in pairwise(edges):
        cv2.fillConvexPoly(mask, np.stack([a[0], a[1], b[1], b[0]]), 255, lineType=cv2.LINE_8, shift=4)
