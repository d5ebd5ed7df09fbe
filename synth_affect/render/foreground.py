"""A thing in front of the lower half of the face that has not the skin's colour: a microphone, a cup, a phone."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import numpy.typing as npt

from synth_affect.arrays import BoolArray, FloatArray
from synth_affect.render.face_frame import FaceFrame, UprightView

ByteArray = npt.NDArray[np.uint8]

HALF_WIDTH_MM, TOP_MM, BOTTOM_MM = 85.0, 5.0, 130.0
CORE_MM = 10.0
"""So far inside the outline the median is skin."""
CHROMA_STEP, SHADE_STEP = 0.05, 0.7
"""One unit of strangeness: so far from the skin's share of red, green and blue, or so much darker (log)."""
NOISE = 4.0
"""Grey levels that a channel of a dark pixel may be off."""
STRANGE = (2.2, 1.6, 1.1)
"""From which strangeness on a part of the picture may be another thing: the most that sets it apart counts."""
NARROW_MM = 7
WIDE = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (NARROW_MM, NARROW_MM))
"""What is narrower is a fold, a strand or a shadow's edge."""
LEAST_AREA_MM2, LEAST_DEPTH_MM, LARGEST_SHARE = 80.0, 15.0, 0.25
"""A fitted outline may lie some millimetres beside the true one; a thing reaches further in, and covers no more
than that share of the lower half: else it is a shaded side."""
OPEN_MM = 2.5
"""A thing comes from outside the face: it reaches so near to its outline."""
LEAST_EDGE_MM = 25
INNER_EDGE_MM = 6.0
SHARP, SHARP_SHARE, SHARP_STEP_MM = 1.2, 0.7, 7
"""Strangeness that four fifths of its edge inside the face gain within that distance, and the share of all of it:
beards and shades gain less."""
REACHING, UNMISTAKABLE = 0.25, 2.5
"""Depth against the length of that edge: shades lie along the outline. What is strange enough may have any shape."""
MIRRORED = 0.6
"""Where the other half of the face is this much as strange, it is a beard."""
LEAST_SINGLE = 0.2
MIDLINE = (168, 1, 0, 17, 152)
MOUTH = (61, 291, 0, 17, 37, 267, 84, 314)


def object_in_front(pixels: FloatArray, face: BoolArray, frame: FaceFrame) -> FloatArray | None:
    """(height, width) float32 in [0, 1], 1 where something stands in front of the face; None where nothing does.

    pixels : (height, width, 3) float32 sRGB, 0-255.  face : (height, width) bool, the fitted face with eyes and mouth.
    """
    view = UprightView(frame, -HALF_WIDTH_MM, TOP_MM, int(2 * HALF_WIDTH_MM), int(BOTTOM_MM - TOP_MM), 1.0)
    inside: ByteArray = view.of(face.astype(np.uint8), interpolation=cv2.INTER_NEAREST).astype(np.uint8)
    depth = cv2.distanceTransform(inside, cv2.DIST_L2, cv2.DIST_MASK_5)
    core = depth > CORE_MM
    if core.sum() < LEAST_AREA_MM2:
        return None
    seen = view.of(pixels)
    strange = _strangeness(seen, core)
    mouth = _mouth(view, inside.shape)
    mirror = _mirror(inside, view.columns_rows(frame.points_mm[list(MIDLINE)]))
    found = np.zeros(inside.shape, dtype=bool)
    for level in STRANGE:
        for thing in _things((strange > level) & ~mouth, inside):
            # What goes on above the view is a lit or shaded cheek.
            if found[thing].any() or thing[0].any() or not _reaches_in(thing, depth):
                continue
            if _is_one_sided(strange, mirror, thing) and _is_sharp(strange, thing, depth, ~mouth):
                found |= thing
    if not found.any():
        return None
    whole = _whole(seen, strange > STRANGE[-1], found, inside).astype(np.float32)
    cover: FloatArray = np.clip(2 * view.onto(cv2.GaussianBlur(whole, (0, 0), 0.5), face.shape) - 0.3, 0, 1)
    return cover


def _strangeness(seen: FloatArray, core: BoolArray) -> FloatArray:
    """(height, width) float32: how far a colour is from this face's skin, in units of which 1 is much."""
    channels = cv2.split(cv2.GaussianBlur(seen, (0, 0), 0.7))
    skin = [max(float(np.median(channel[core])), 1.0) for channel in channels]
    light = channels[0] + channels[1] + channels[2] + 3 * NOISE
    away = [(channel + NOISE) / light - own / sum(skin) for channel, own in zip(channels, skin, strict=True)]
    darker = np.minimum(np.log(light / np.median(light[core])), 0) / SHADE_STEP
    strange = np.sqrt((away[0] ** 2 + away[1] ** 2 + away[2] ** 2) / CHROMA_STEP**2 + darker**2)
    # A face in lights of several colours is strange all over.
    return np.asarray(strange / max(1.0, 1.5 * float(np.median(strange[core]))), dtype=np.float32)


def _mouth(view: UprightView, size: tuple[int, ...]) -> BoolArray:
    """(height, width) bool: the lips, which have a colour of their own."""
    lips = np.zeros(size, dtype=np.uint8)
    corners = np.rint(view.columns_rows(view.frame.points_mm[list(MOUTH)])).astype(np.int32)
    cv2.fillConvexPoly(lips, cv2.convexHull(corners), 1)
    return np.asarray(cv2.dilate(lips, np.ones((5, 5), np.uint8)) > 0)


def _things(candidates: BoolArray, inside: ByteArray) -> Iterator[BoolArray]:
    """Connected parts of `candidates` on the face that are neither narrow nor small."""
    opened = cv2.morphologyEx(candidates.astype(np.uint8), cv2.MORPH_OPEN, WIDE)
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(opened & inside, connectivity=4)
    for label in range(1, count):
        if statistics[label, cv2.CC_STAT_AREA] >= LEAST_AREA_MM2:
            yield labels == label


def _reaches_in(thing: BoolArray, depth: FloatArray) -> bool:
    """Whether a thing comes from outside the face and well into it, without covering most of it."""
    reach = depth[thing]
    deep = reach.max() >= LEAST_DEPTH_MM and reach.min() <= OPEN_MM
    return bool(deep and len(reach) < LARGEST_SHARE * (depth > 0).sum())


def _mirror(inside: ByteArray, midline: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Columns and rows (height, width) float32 of every pixel's place on the other side of the face.

    midline : (n, 2) columns and rows of points in the middle of the face; each side is stretched to the other's width.
    """
    height, width = inside.shape
    rows = np.arange(height)
    order = np.argsort(midline[:, 1])
    middle = np.interp(rows, midline[order, 1], midline[order, 0])
    left = np.where(inside.any(axis=1), inside.argmax(axis=1), 0)
    right = np.where(inside.any(axis=1), width - 1 - inside[:, ::-1].argmax(axis=1), width - 1)
    ratio = np.maximum(right - middle, 1) / np.maximum(middle - left, 1)
    beside = np.arange(width) - middle[:, None]
    columns = middle[:, None] - beside * np.where(beside < 0, ratio[:, None], 1 / ratio[:, None])
    return columns.astype(np.float32), np.repeat(rows[:, None], width, axis=1).astype(np.float32)


def _is_one_sided(strange: FloatArray, mirror: tuple[FloatArray, FloatArray], thing: BoolArray) -> bool:
    """Whether the other half of the face looks otherwise, where the thing does not cover both: no beard, no brow."""
    single = thing & (cv2.remap(thing.astype(np.float32), *mirror, cv2.INTER_LINEAR) < 0.5)
    if single.sum() < LEAST_SINGLE * thing.sum():
        return False
    opposite = cv2.remap(strange, *mirror, cv2.INTER_LINEAR)
    return bool(np.median(opposite[single]) < MIRRORED * np.median(strange[single]))


def _is_sharp(strange: FloatArray, thing: BoolArray, depth: FloatArray, counts: BoolArray) -> bool:
    """Whether the edge of a thing inside the face is that of an object, not of a shade or a beard."""
    around = np.ones((SHARP_STEP_MM, SHARP_STEP_MM), np.uint8)
    edge = (cv2.dilate(thing.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0) & ~thing
    edge &= (depth > INNER_EDGE_MM) & counts
    if edge.sum() < LEAST_EDGE_MM:
        return False
    most = cv2.dilate(np.where(thing, strange, 0), around)
    least = cv2.erode(np.where(depth > 0, strange, np.float32(9)), around)
    gain = float(np.percentile((most - least)[edge], 20))
    if gain < SHARP_SHARE * float(np.median(strange[thing])):
        return False
    return gain > UNMISTAKABLE or (gain > SHARP and float(depth[thing].max()) > REACHING * edge.sum())


SAME_CHROMA = 0.025
"""Past the range of a thing's own shares of red, green and blue."""
RIM_MM = 3
"""Width of the brush that adds the soft rim of a thing to it."""


def _whole(seen: FloatArray, strange: BoolArray, found: BoolArray, inside: ByteArray) -> ByteArray:
    """(height, width) uint8: `found` with what belongs to it outside the face, without holes, with its rim."""
    chroma = (seen + 4) / (seen + 4).sum(axis=2, keepdims=True)
    low, high = np.percentile(chroma[found], [2, 98], axis=0)
    alike = ((chroma > low - SAME_CHROMA) & (chroma < high + SAME_CHROMA)).all(axis=2)
    # Its corners, which are narrow, and its parts beside the face.
    near = cv2.dilate(found.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    beside = cv2.morphologyEx((found | (strange & alike & (inside == 0))).astype(np.uint8), cv2.MORPH_OPEN, WIDE) > 0
    parts = found | beside | (strange & alike & near)
    _, labels = cv2.connectedComponents(parts.astype(np.uint8), connectivity=4)
    whole = np.isin(labels, np.unique(labels[found])).astype(np.uint8)
    whole = cv2.morphologyEx(whole, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    rim: ByteArray = cv2.dilate(whole, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (RIM_MM, RIM_MM)))
    return rim
