"""The skin over eyes whose lids move: the rim of a lid keeps its width, the skin above it unrolls or hangs over it.

A mesh stretches what little of a lid a photograph shows, and with it liner, lashes and the line of the fold; and a brow
that comes down covers all of it. On a face the lid comes out from under the skin below the brow, or goes under it, and
its rim is always seen.
"""

from __future__ import annotations

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d

from synth_affect.arrays import BoolArray, FloatArray, IntArray
from synth_affect.render.mask_box import mask_box

RIM_MM, WIDEST_RIM_MM, RIM_STEP_MM, RIM_EVEN_MM = 1.6, 5.0, 0.3, 1.5
"""So far from the eye the lid moves as its edge does, with lashes and a line drawn along them; wider where they are."""
DARK_RIM = 0.6
"""Brightness against the skin above below which the edge of a lid bears lashes or a line."""
REACH_MM = 10.0
"""So far above the eye the skin gives way."""
FOLDING = (0.8, 1.0)
"""Change of the way a millimetre, between the lid and the skin above, up to which this holds; at 1 skin would fold over
itself."""
EVEN_MM, EVEN_PX = 1.2, 1.5
"""Width over which the way of the edge is evened out: it comes in whole pixels."""
CORNER_MM = 3.0
"""So near to the corners of an eye a lid is less and less its upper edge."""
EDGE_EVEN_MM = 0.5
"""Width over which the edge of an eye is evened out: it comes in whole pixels."""
STEP_PX = 1.2
"""Width over which the distance from an edge in whole pixels is evened out, or its steps would be teeth."""
LEAST_HANG_MM, TUCKED = (0.7, 2.5), 0.3
"""How far skin must come down towards the edge of a lid to hang over it, and the width, as a share of that, over which
the lid goes under it: pressed together more, its lashes and folds would be dots."""
LEAST_DROOP_MM = (0.3, 1.2)
"""How far the edge of a lid must come down for this to begin, and to hold in full."""
ABOVE = (0.2, 0.6)
"""Cosine to the upright from which on skin lies above the eye, and wholly so; beside and below it nothing changes."""


def unroll_lids(
    flow: FloatArray, eyes: BoolArray, rest_eyes: BoolArray, skin: FloatArray, up: FloatArray, px_per_mm: float
) -> None:
    """Let the rims of upper lids keep their width in `flow` (height, width, 2), px, in place.

    flow : backward, the photograph's place = pixel + flow; continued into the eyes.
    eyes, rest_eyes : (height, width) bool, between the lids now and in the photograph.
    skin : (height, width, 3) float32, the photograph.
    up : (2,) unit vector in the picture from chin to forehead.
    """
    if not eyes.any():
        return
    box = mask_box(eyes, pad=2 + round((REACH_MM + WIDEST_RIM_MM) * px_per_mm))
    part = flow[box]
    height, width = part.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    edge_x, edge_y, distance = _nearest_eye(eyes[box])
    above = ((x - edge_x) * up[0] + (y - edge_y) * up[1]) / np.maximum(distance, 1)
    outside = (distance > 0).astype(np.float32)
    first = np.minimum(1, distance) / np.maximum(distance, 1)  # the lid's first pixel on the way
    edge = cv2.remap(part, edge_x + first * (x - edge_x), edge_y + first * (y - edge_y), cv2.INTER_NEAREST)
    edge = _blurred(edge, outside, EVEN_MM * px_per_mm)
    rim_mm = _lift_to_rest(edge, (edge_x, edge_y), eyes[box], rest_eyes[box], skin[box], up, px_per_mm)
    reach_mm = REACH_MM - RIM_MM + rim_mm
    distance_mm = cv2.GaussianBlur(distance, (0, 0), STEP_PX) / px_per_mm
    left = np.maximum(reach_mm - distance_mm, 0) * px_per_mm
    far = cv2.remap(part, x + left * up[0], y + left * up[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    droop_mm, between_mm = edge @ up / px_per_mm, (edge - far) @ up / px_per_mm
    with_edge = np.clip(1 - (distance_mm - rim_mm) / (REACH_MM - RIM_MM), 0, 1)
    share: FloatArray = _ramp(droop_mm, LEAST_DROOP_MM) * (distance_mm < reach_mm)
    share *= 1 - _ramp(between_mm / (REACH_MM - RIM_MM), FOLDING)
    unrolled = with_edge[..., None] * edge + (1 - with_edge[..., None]) * far
    hangs = _ramp(-between_mm, LEAST_HANG_MM)
    into_fold = (distance_mm - rim_mm) / np.maximum(TUCKED * -between_mm, 1)
    tucked = part + (1 - _ramp(into_fold, (0, 1)))[..., None] * (edge - part)
    unrolled += hangs[..., None] * (tucked - unrolled)
    share = np.maximum(share, hangs * (into_fold < 1)) * _ramp(above, ABOVE)
    share = _blurred(share, outside, 0.5 * px_per_mm)
    part += (share * outside)[..., None] * (unrolled - part)


def _lift_to_rest(
    edge: FloatArray,
    nearest: tuple[FloatArray, FloatArray],
    eyes: BoolArray,
    rest_eyes: BoolArray,
    skin: FloatArray,
    up: FloatArray,
    px_per_mm: float,
) -> FloatArray:
    """(height, width) float32 mm: how wide the rim of the nearest lid is.

    Set `edge`, in place, so that the edge of a lid comes from the edge above or below it in the photograph.

    Where skin hangs over a lid the mesh's own flow at the edge of the eye is that of the skin. It stays for an eye
    that the photograph does not show.
    """
    n, labels = cv2.connectedComponents(cv2.dilate((eyes | rest_eyes).astype(np.uint8), np.ones((3, 3), np.uint8)))
    right = np.array([-up[1], up[0]], dtype=np.float32)
    rim_mm = np.full(eyes.shape, RIM_MM, dtype=np.float32)
    owner = labels[nearest[1].astype(np.intp), nearest[0].astype(np.intp)]
    for eye in range(1, n):
        here = labels == eye
        now, rest = (_upper_edge(mask & here, up, right, EDGE_EVEN_MM * px_per_mm) for mask in (eyes, rest_eyes))
        if now is None or rest is None:
            continue
        mine = owner == eye
        rows, columns = np.nonzero(mine)
        along = columns * right[0] + rows * right[1]
        sideways = np.median(edge[mine] @ right)  # skin that hangs over the lid moves to either side
        rise = np.interp(now[0] + sideways, *rest) - now[1]
        even = gaussian_filter1d(rise, max(EVEN_MM * px_per_mm, EVEN_PX), mode="nearest")
        upward = np.interp(along, now[0], even)
        # In the corners lids move sideways, too, which only the mesh knows.
        from_corner = np.minimum(along - now[0][0], now[0][-1] - along) / (CORNER_MM * px_per_mm)
        lifted = (sideways * right + upward[:, None] * up).astype(np.float32)
        edge[mine] += np.clip(from_corner, 0, 1).astype(np.float32)[:, None] * (lifted - edge[mine])
        rim_mm[mine] = np.interp(along, rest[0], _rim_widths(skin, *rest, up, right, px_per_mm))
    return rim_mm


def _rim_widths(
    skin: FloatArray, along: FloatArray, top: FloatArray, up: FloatArray, right: FloatArray, px_per_mm: float
) -> FloatArray:
    """(n,) how far lashes and a painted line reach from the edge of a lid, mm; RIM_MM without.

    along, top : (n,) px, the edge of the eye, of `_upper_edge`.
    """
    heights_mm = np.arange(RIM_STEP_MM, WIDEST_RIM_MM + 2, RIM_STEP_MM, dtype=np.float32)
    upward = top[:, None] + heights_mm * px_per_mm
    x, y = ((along[:, None] * right[c] + upward * up[c]).astype(np.float32) for c in (0, 1))
    light = cv2.remap(skin, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).sum(axis=2)
    even_px = max(RIM_EVEN_MM * px_per_mm, 0.5)
    light = gaussian_filter1d(light, even_px, axis=0, mode="nearest")
    darkest = np.argmin(light[:, heights_mm <= RIM_MM], axis=1)[:, None]
    after = np.arange(len(heights_mm)) >= darkest
    dark = np.take_along_axis(light, darkest, axis=1)
    bright = np.where(after, light, 0).max(axis=1, keepdims=True)
    past = np.argmax(after & (light > 0.5 * (dark + bright)), axis=1)
    widths = np.where(dark[:, 0] < DARK_RIM * bright[:, 0], heights_mm[past], RIM_MM)
    even: FloatArray = gaussian_filter1d(np.clip(widths, RIM_MM, WIDEST_RIM_MM), even_px, mode="nearest")
    return even


def _upper_edge(
    eye: BoolArray, up: FloatArray, right: FloatArray, even_px: float
) -> tuple[FloatArray, FloatArray] | None:
    """Places along `right` and how far up the eye reaches there, px; None without an eye."""
    rows, columns = np.nonzero(eye)
    if len(rows) == 0:
        return None
    places: IntArray = np.rint(columns * right[0] + rows * right[1]).astype(np.intp)
    first = places.min()
    top = np.full(int(places.max() - first) + 1, -np.inf)
    np.maximum.at(top, places - first, columns * up[0] + rows * up[1])
    known = np.isfinite(top)
    along = np.arange(len(top))
    filled = np.interp(along, along[known], top[known])
    return along + first, gaussian_filter1d(filled, max(even_px, 0.5), mode="nearest")


def _nearest_eye(eyes: BoolArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(height, width) each: column and row of the nearest pixel of `eyes`, and how far it is, px."""
    distance, labels = cv2.distanceTransformWithLabels(
        (~eyes).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    rows, columns = np.nonzero(eyes)
    place = np.zeros((len(rows) + 1, 2), dtype=np.float32)
    place[labels[eyes]] = np.stack([columns, rows], axis=1)
    return place[labels, 0], place[labels, 1], distance


def _blurred(field: FloatArray, where: FloatArray, sigma_px: float) -> FloatArray:
    """`field` (height, width) or (height, width, 2), evened out among the pixels at which `where` is 1."""
    blur = max(sigma_px, 0.5)
    weight = np.maximum(cv2.GaussianBlur(where, (0, 0), blur), 0.05)
    each = where if field.ndim == 2 else where[..., None]
    blurred = cv2.GaussianBlur((field * each).astype(np.float32), (0, 0), blur)
    evened: FloatArray = blurred / (weight if field.ndim == 2 else weight[..., None])
    return evened


def _ramp(values: FloatArray, ends: tuple[float, float]) -> FloatArray:
    """0 up to the first end, 1 from the second on, smooth between."""
    t = np.clip((values - ends[0]) / (ends[1] - ends[0]), 0, 1)
    ramp: FloatArray = t * t * (3 - 2 * t)
    return ramp
