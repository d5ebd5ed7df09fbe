"""The skin over eyes whose lids droop: the rim of a lid keeps its width, the skin above it unrolls.

A mesh stretches what little of a lid a photograph shows, and with it liner, lashes and the line of the fold. On a face
the lid comes out from under the skin below the brow.
"""

from __future__ import annotations

import cv2
import numpy as np

from synth_affect.arrays import BoolArray, FloatArray

RIM_MM = 1.6
"""So far from the eye the lid moves as its edge does: lashes and a line drawn along them."""
REACH_MM = 10.0
"""So far above the eye the skin gives way."""
FOLDING = (0.8, 1.0)
"""Change of the way a millimetre, between the lid and the skin above, up to which this holds; at 1 skin would fold over
itself."""
EVEN_MM = 1.2
"""Width over which the way of the edge is evened out."""
LEAST_DROOP_MM = (0.3, 1.2)
"""How far the edge of a lid must come down for this to begin, and to hold in full."""
ABOVE = (0.3, 0.8)
"""Cosine to the upright from which on skin lies above the eye, and wholly so; beside and below it nothing changes."""


def unroll_lids(flow: FloatArray, eyes: BoolArray, up: FloatArray, px_per_mm: float) -> None:
    """Even out `flow` (height, width, 2), px, over eyes that close, in place.

    flow : backward, the photograph's place = pixel + flow; continued into the eyes.
    eyes : (height, width) bool, between the lids now.  up : (2,) unit vector in the picture from chin to forehead.
    """
    if not eyes.any():
        return
    pad = 2 + round((REACH_MM + 1) * px_per_mm)
    rows, columns = np.flatnonzero(eyes.any(axis=1)), np.flatnonzero(eyes.any(axis=0))
    box = (slice(max(rows[0] - pad, 0), rows[-1] + pad + 1), slice(max(columns[0] - pad, 0), columns[-1] + pad + 1))
    part = flow[box]
    height, width = part.shape[:2]
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    edge_x, edge_y, distance = _nearest_eye(eyes[box])
    above = ((x - edge_x) * up[0] + (y - edge_y) * up[1]) / np.maximum(distance, 1)
    distance_mm = distance / px_per_mm
    outside = (distance > 0).astype(np.float32)
    first = np.minimum(1, distance) / np.maximum(distance, 1)  # the lid's first pixel on the way
    edge = cv2.remap(part, edge_x + first * (x - edge_x), edge_y + first * (y - edge_y), cv2.INTER_NEAREST)
    edge = _blurred(edge, outside, EVEN_MM * px_per_mm)
    left = np.maximum(REACH_MM - distance_mm, 0) * px_per_mm
    far = cv2.remap(part, x + left * up[0], y + left * up[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    droop_mm, between_mm = edge @ up / px_per_mm, (edge - far) @ up / px_per_mm
    with_edge = np.clip(1 - (distance_mm - RIM_MM) / (REACH_MM - RIM_MM), 0, 1)
    share: FloatArray = _ramp(droop_mm, LEAST_DROOP_MM) * _ramp(above, ABOVE) * (distance_mm < REACH_MM)
    share *= 1 - _ramp(between_mm / (REACH_MM - RIM_MM), FOLDING)
    unrolled = with_edge[..., None] * edge + (1 - with_edge[..., None]) * far
    share = _blurred(share, outside, 0.5 * px_per_mm)
    part += (share * outside)[..., None] * (unrolled - part)


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
