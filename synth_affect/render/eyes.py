"""The eyes as a texture: what the photograph shows between the lids, and iris and white continued under them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d

from synth_affect.arrays import BoolArray, FloatArray, IntArray
from synth_affect.heads.model import HeadModel, region_vertices
from synth_affect.render.irises import Irises, find_irises
from synth_affect.render.pull_push import extend

LID_MM = 0.9
"""So close to a lid the photograph shows its edge and lashes, not the eye."""
TRUSTED_MM = (0.3, 1.6)
"""Where a lid goes away, the photograph's pixels count from here on, and from here on in full."""
SOFT_MM = 0.25
"""Width of the change from the photograph's pixels to the continued ones."""
LID_SHADE, LID_SHADOW_MM = 0.62, 2.2
"""Code value at a lid's edge against the open eye, and how far in the shadow of lid and lashes reaches."""
RINGS, RINGS_OF_IRIS = 60, 24
"""Rings from the middle of an iris outwards, and those of them that are iris."""
WHITE_RING = RINGS_OF_IRIS + 2
"""From here on it is the eye's white."""
LEAST_SAMPLES = 4
RING_BLUR_PX = 0.6
"""Rings are evened out over this many pixels: in a small picture few fall on each."""
LASHES_ON_IRIS, LASHES_ON_WHITE, LASH_REACH_MM = (0.35, 0.6), (0.55, 0.9), 2.2
"""What is this much darker than its ring, so near to a lid, is lash or its shade, which a lid that moves takes away."""
OWN_IRIS, OWN_WHITE = (0.0, 1.5), (0.6, 1.6)
"""Brightness against the median of iris and of white between which a pixel is of their own colour."""
MOVED_MM, MOVED_PX = (0.3, 0.9), (1.5, 3.0)
"""A lid that goes away by more than the first and up to the second takes its shade along; where it stays the photograph
is right as it is."""
SHADE_INSIDE_MM = 2.5
"""So far from the lids an eye shows its own shade best."""
SHADE_REACH_MM, SHADE_EVEN_MM, SHADE = 20.0, 0.8, (0.3, 1.7)
"""How far around an eye its shade is continued, how evenly, and the brightness against its ring between which it is
shade: darker are lashes, brighter are lamps."""
LEAST_WHITE = 0.62
"""Brightness of an eye's white against what a tooth tells, from photographs whose eyes are open."""
HIDDEN_IRIS = 0.35
"""Code value of an iris that the photograph does not show, against the eye's white: brown, the most common."""


@dataclass(frozen=True, slots=True, eq=False)
class EyeTexture:
    """Both eyes of one face in one picture; an eye does not move, so its pixels stay where they are.

    inside_mm : (height, width) float32, from the lids of the photograph into the eye, negative on and beside them.
    trust : (height, width) float32 in [0, 1], how surely the photograph shows the eye, and no lash or shade of a lid.
    irises : where they are in the picture.
    ring_colours : (2, RINGS + 1, 3) float32 sRGB 0-255, mean colour by radius, for the subject's right and left eye.
    shade : (height, width) float32, how much brighter than its ring an eye is there, continued from what is shown.
    """

    inside_mm: FloatArray
    trust: FloatArray
    irises: Irises
    ring_colours: FloatArray
    shade: FloatArray


def eye_texture(
    head: HeadModel,
    pixels: FloatArray,
    opening: BoolArray,
    projected: FloatArray,
    px_per_mm: float,
    white: FloatArray,
) -> EyeTexture:
    """Read both eyes.

    pixels : (height, width, 3) float32 sRGB, 0-255.  opening : (height, width) bool, between the lids at rest.
    projected : (n_vertices, 3), px, px, mm.  white : (3,) float32 sRGB, 0-255, of an eye whose white the photograph
    hides.
    """
    inside = cv2.distanceTransform(opening.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5) / px_per_mm
    trust = np.clip((inside - TRUSTED_MM[0]) / (TRUSTED_MM[1] - TRUSTED_MM[0]), 0, 1).astype(np.float32)
    trust = np.minimum(trust, cv2.GaussianBlur(trust, (0, 0), max(SOFT_MM * px_per_mm, 0.4)))
    irises = find_irises(pixels, inside, *_expected(head, projected, px_per_mm), px_per_mm)
    rows, columns = np.nonzero(inside > LID_MM)
    eye = irises.nearest(columns, rows)
    radius = irises.radius(columns, rows, eye)
    tables = np.stack(
        [
            _ring_means(pixels[rows[eye == k], columns[eye == k]], radius[eye == k],
                        RING_BLUR_PX * RINGS_OF_IRIS / irises.radius_px(k))
            for k in (0, 1)
        ]
    )  # fmt: skip
    for part, hidden in ((slice(0, WHITE_RING), HIDDEN_IRIS * white), (slice(WHITE_RING, None), white)):
        of_part = tables[:, part]
        unknown = np.isnan(of_part[:, 0, 0])
        # An eye that shows nothing of it has the other's.
        of_part[unknown] = hidden if unknown.all() else of_part[~unknown][0]
    whites = tables[:, WHITE_RING:]
    # Between narrow lids all that is seen of it may be their shade.
    whites *= np.maximum(1, LEAST_WHITE * white.sum() / np.maximum(whites.sum(axis=2, keepdims=True), 1))
    trust = _without_lashes(trust, pixels, inside, irises, tables)
    shade = _shade(pixels, trust * np.minimum(inside / SHADE_INSIDE_MM, 1) ** 2, irises, tables, px_per_mm)
    outside = cv2.distanceTransform((~opening).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    outside = np.minimum(outside, np.float32(sum(opening.shape))) / px_per_mm  # without an eye it is no distance
    return EyeTexture(inside - outside, trust, irises, tables, shade)


def _shade(pixels: FloatArray, weights: FloatArray, irises: Irises, tables: FloatArray, px_per_mm: float) -> FloatArray:
    """(height, width) float32: EyeTexture.shade; 1 far from the eyes."""
    shade = np.ones(weights.shape, dtype=np.float32)
    reach = SHADE_REACH_MM * px_per_mm
    for k, (x, y) in enumerate(irises.centres):
        box = tuple(slice(max(int(c - reach), 0), max(int(c + reach), 0)) for c in (y, x))
        part = weights[box]
        if part.size == 0:
            continue
        rows, columns = np.indices(part.shape).reshape(2, -1)
        usual = _ring_colours(tables, irises, columns + box[1].start, rows + box[0].start, np.full(part.size, k))
        ratio = (pixels[box].sum(axis=2) + 6) / (usual.sum(axis=1).reshape(part.shape) + 6)
        weight = part * ((ratio > SHADE[0]) & (ratio < SHADE[1]))
        even = extend(np.log(ratio)[..., None].astype(np.float32), weight)[..., 0]
        shade[box] = np.exp(cv2.GaussianBlur(even, (0, 0), SHADE_EVEN_MM * px_per_mm))
    return shade


def _expected(head: HeadModel, projected: FloatArray, px_per_mm: float) -> tuple[FloatArray, FloatArray]:
    """(2, 2) px each: the middles of the fitted head's irises and of its eyeballs."""
    iris, ball = region_vertices(head, "iris"), region_vertices(head, "eyeball", "iris")
    middles, balls = [], []
    for side in (-1, 1):
        middles.append(projected[iris[head.mean[iris, 0] * side > 0], :2].mean(axis=0))
        around = projected[ball[head.mean[ball, 0] * side > 0]].astype(np.float64) * [1, 1, px_per_mm]
        # |p - c|^2 = r^2 is linear in the centre c and r^2 - |c|^2.
        origin = around.mean(axis=0)
        apart = around - origin
        system = np.column_stack([2 * apart, np.ones(len(apart))])
        balls.append((origin + np.linalg.lstsq(system, (apart**2).sum(axis=1), rcond=None)[0][:3])[:2])
    return np.stack(middles), np.stack(balls)


def _without_lashes(
    trust: FloatArray, pixels: FloatArray, inside_mm: FloatArray, irises: Irises, tables: FloatArray
) -> FloatArray:
    """`trust` (height, width), less where a pixel near a lid is darker than its ring."""
    near = (inside_mm > 0) & (inside_mm < LASH_REACH_MM)
    rows, columns = np.nonzero(near)
    eye = irises.nearest(columns, rows)
    radius = irises.radius(columns, rows, eye)
    usual = tables[eye, np.clip(np.rint(radius * RINGS_OF_IRIS), 0, RINGS).astype(np.intp)].sum(axis=1)
    dark, bright = np.where(radius[:, None] < 1, LASHES_ON_IRIS, LASHES_ON_WHITE).T
    bare = np.clip((pixels[near].sum(axis=1) / np.maximum(usual, 1) - dark) / (bright - dark), 0, 1)
    lessened = trust.copy()
    lessened[near] *= bare
    return lessened


def eye_colours(texture: EyeTexture, pixels: FloatArray, eyes: BoolArray, px_per_mm: float) -> FloatArray:
    """(n, 3) float32 sRGB, 0-255: colours of the pixels where `eyes` is set, in row-major order.

    pixels : (height, width, 3), the photograph.
    Where the photograph shows the eye well inside the lids, or lids stay, its own pixel; elsewhere the ring's mean
    colour in the shadow of the lids' edges.
    """
    if not eyes.any():
        return np.zeros((0, 3), dtype=np.float32)
    rows, columns = np.nonzero(eyes)
    box = slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)
    mask = eyes[box]
    padded = cv2.copyMakeBorder(mask.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    from_lid = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_5)[1:-1, 1:-1] / px_per_mm
    inside = texture.inside_mm[box]
    still, moved = (max(mm, px / px_per_mm) for mm, px in zip(MOVED_MM, MOVED_PX, strict=True))
    away = np.where(mask, np.clip((from_lid - inside - still) / (moved - still), 0, 1), 0).astype(np.float32)
    if away.any():
        soft, counted = (
            cv2.GaussianBlur(part, (0, 0), max(SOFT_MM * px_per_mm, 0.5)) for part in (away, mask.astype(np.float32))
        )
        away = soft / np.maximum(counted, 1e-3)
    away = away[mask]
    shadow, at_rest = _lid_shadow(from_lid[mask]), _lid_shadow(inside[mask])
    eye = texture.irises.nearest(columns, rows)
    continued = _ring_colours(texture.ring_colours, texture.irises, columns, rows, eye)
    continued *= (shadow * texture.shade[eyes])[:, None]
    own = pixels[eyes]
    lit = np.minimum(own * np.maximum(shadow / at_rest, 1)[:, None], np.maximum(own, continued))
    trust = (1 - away * (1 - texture.trust[eyes]))[:, None]
    colours: FloatArray = (trust * lit + (1 - trust) * continued).astype(np.float32)
    return colours


def _lid_shadow(from_lid_mm: FloatArray) -> FloatArray:
    """Code value so far from a lid against the open eye."""
    shadow: FloatArray = LID_SHADE + (1 - LID_SHADE) * np.clip(from_lid_mm / LID_SHADOW_MM, 0, 1)
    return shadow


def _ring_colours(tables: FloatArray, irises: Irises, columns: IntArray, rows: IntArray, eye: IntArray) -> FloatArray:
    """(n, 3) colours of the rings that pixels lie on."""
    ring = np.clip(irises.radius(columns, rows, eye) * RINGS_OF_IRIS, 0, RINGS - 1e-3)
    low = ring.astype(np.intp)
    part = (ring - low)[:, None]
    colours: FloatArray = tables[eye, low] * (1 - part) + tables[eye, low + 1] * part
    return colours


def _ring_means(pixels: FloatArray, radius: FloatArray, blur_rings: float) -> FloatArray:
    """(RINGS + 1, 3) mean colour by radius; rings that the photograph does not show take their neighbours'.

    NaN on all of the iris, or all of the white, where it shows none of it.
    """
    index: IntArray = np.clip(radius * RINGS_OF_IRIS + 0.5, 0, RINGS).astype(np.intp)
    own = _own_colours(pixels.sum(axis=1), radius)
    columns = np.column_stack([np.ones(len(pixels)), pixels])[own]
    per_ring = np.stack([np.bincount(index[own], column, minlength=RINGS + 1) for column in columns.T], axis=1)
    evened = gaussian_filter1d(per_ring, blur_rings, axis=0, mode="constant")
    means = evened[:, 1:] / np.maximum(evened[:, :1], 1e-6)
    known = evened[:, 0] * (1 + np.sqrt(4 * np.pi) * blur_rings) >= LEAST_SAMPLES
    table = np.full((RINGS + 1, 3), np.nan, dtype=np.float32)
    for part in (slice(0, WHITE_RING), slice(WHITE_RING, RINGS + 1)):
        places = part.start + np.flatnonzero(known[part])
        if len(places):
            rings = np.arange(part.start, part.stop)
            table[part] = np.stack([np.interp(rings, places, means[places, c]) for c in range(3)], axis=1)
    return table


def _own_colours(brightness: FloatArray, radius: FloatArray) -> BoolArray:
    """(n,) bool: pixels without lamps that the iris mirrors and without lashes before the white."""
    own = np.ones(len(radius), dtype=bool)
    for part, (least, most) in ((radius < 1, OWN_IRIS), (radius >= 1, OWN_WHITE)):
        if part.any():
            usual = np.median(brightness[part])
            own &= ~part | ((brightness > least * usual) & (brightness < most * usual))
    return own
