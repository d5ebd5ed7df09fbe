"""The eyes as a texture: what the photograph shows between the lids, and iris and white continued under them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d

from synth_affect.arrays import BoolArray, FloatArray, IntArray
from synth_affect.heads.model import HeadModel, region_triangles, region_vertices

LID_MM = 0.9
"""So close to a lid the photograph shows its edge and lashes, not the eye."""
SOFT_MM = 0.25
"""Width of the change from the photograph's pixels to the continued ones."""
LID_SHADE, LID_SHADOW_MM = 0.62, 2.2
"""Code value at a lid's edge against the open eye, and how far in the shadow of lid and lashes reaches."""
RINGS = 72
LEAST_SAMPLES = 4
RING_BLUR_PX, IRIS_RADIUS_MM = 0.6, 5.9
"""Rings are evened out over this many pixels: in a small picture few fall on each. Half of the visible iris of adults:
11.7 mm (Rüfer et al. 2005)."""
LASH_SHADE, LASH_REACH_MM = (0.35, 0.6), 1.6
"""What is this much darker than its ring, so near to a lid, is lash or its shade, which a lid that moves takes away."""
HIDDEN_IRIS = 0.35
"""Code value of an iris that the photograph does not show, against the eye's white: brown, the most common."""


@dataclass(frozen=True, slots=True, eq=False)
class EyeTexture:
    """Both eyes of one face in one picture; an eye does not move, so its pixels stay where they are.

    trust : (height, width) float32 in [0, 1], how surely the photograph shows the eye at a pixel.
    radius : (n_vertices,) float32, on the eyeballs the angle from the iris' pole as a share of the drawn cap; 0 else.
    ring_colours : (2, RINGS + 1, 3) float32 sRGB 0-255, mean colour by radius, for the subject's right and left eye.
    centres : (2, 2) float32 px, where both eyes are in the picture, in the same order.
    """

    trust: FloatArray
    radius: FloatArray
    ring_colours: FloatArray
    centres: FloatArray


def eye_texture(
    head: HeadModel,
    pixels: FloatArray,
    opening: BoolArray,
    rest_radius: FloatArray,
    radius: FloatArray,
    projected: FloatArray,
    px_per_mm: float,
    white: FloatArray,
) -> EyeTexture:
    """Read both eyes.

    pixels : (height, width, 3) float32 sRGB, 0-255.  opening : (height, width) bool, between the lids at rest.
    rest_radius : (height, width), `radius` under each pixel at rest.  projected : (n_vertices, 3), px, px, mm.
    white : (3,) float32 sRGB, 0-255, of an eye whose white the photograph hides.
    """
    inside = cv2.distanceTransform(opening.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5) / px_per_mm
    trust = np.clip(inside / LID_MM, 0, 1).astype(np.float32)
    trust = np.minimum(trust, cv2.GaussianBlur(trust, (0, 0), max(SOFT_MM * px_per_mm, 0.4)))
    ball = region_vertices(head, "eyeball", "iris")
    centres = np.stack([projected[ball[head.mean[ball, 0] * side > 0], :2].mean(axis=0) for side in (-1, 1)])
    rows, columns = np.nonzero(inside > LID_MM)
    side = _nearer(centres, rows, columns)
    iris = region_vertices(head, "iris")
    iris_share = float(radius[iris].max())
    iris_ring, ring_mm = int(np.ceil(iris_share * RINGS)), IRIS_RADIUS_MM / (iris_share * RINGS)
    tables = np.stack(
        [
            _ring_means(pixels[rows[side == k], columns[side == k]], rest_radius[rows[side == k], columns[side == k]],
                        iris_ring, white, RING_BLUR_PX / (px_per_mm * ring_mm))
            for k in (0, 1)
        ]
    )  # fmt: skip
    trust = _without_lashes(trust, pixels, inside, rest_radius, centres, tables)
    return EyeTexture(trust, radius, tables, centres)


def _without_lashes(
    trust: FloatArray,
    pixels: FloatArray,
    inside_mm: FloatArray,
    rest_radius: FloatArray,
    centres: FloatArray,
    tables: FloatArray,
) -> FloatArray:
    """`trust` (height, width), less where a pixel near a lid is darker than its ring."""
    near = (inside_mm > 0) & (inside_mm < LASH_REACH_MM)
    ring = np.clip(np.rint(rest_radius[near] * RINGS), 0, RINGS).astype(np.intp)
    usual = tables[_nearer(centres, *np.nonzero(near)), ring].sum(axis=1)
    bare = np.clip((pixels[near].sum(axis=1) / np.maximum(usual, 1) - LASH_SHADE[0]) / np.ptp(LASH_SHADE), 0, 1)
    lessened = trust.copy()
    lessened[near] *= bare
    return lessened


def eye_radius(head: HeadModel) -> FloatArray:
    """(n_vertices,) float32: on the eyeballs the angle from the iris' pole, 1 at the rim of the drawn cap; 0 elsewhere.

    Read off the texture coordinates, which are polar on each eyeball.
    """
    radius = np.zeros(len(head.mean), dtype=np.float32)
    cap = region_triangles(head, "eyeball", "iris")
    corners, uv_corners = head.triangles[cap].ravel(), head.uv_triangles[cap].ravel()
    for side in (-1, 1):
        mine = head.mean[corners, 0] * side > 0
        uv = head.uv[uv_corners[mine]]
        centre = 0.5 * (uv.min(axis=0) + uv.max(axis=0))
        extent = 0.5 * (uv.max(axis=0) - uv.min(axis=0))
        radius[corners[mine]] = np.linalg.norm((uv - centre) / extent, axis=1)
    return radius


def eye_colours(
    texture: EyeTexture, pixels: FloatArray, eyes: BoolArray, radius: FloatArray, px_per_mm: float
) -> FloatArray:
    """(n, 3) float32 sRGB, 0-255: colours of the pixels where `eyes` is set, in row-major order.

    pixels : (height, width, 3), the photograph.  radius : (n,) EyeTexture.radius under those pixels now.
    Where the photograph shows the eye well inside the lids, its own pixel; elsewhere the ring's mean colour in the
    shadow of the lids' edges.
    """
    from_lid = cv2.distanceTransform(eyes.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)[eyes] / px_per_mm
    shadow = LID_SHADE + (1 - LID_SHADE) * np.clip(from_lid / LID_SHADOW_MM, 0, 1)
    side = _nearer(texture.centres, *np.nonzero(eyes))
    ring = np.clip(radius * RINGS, 0, RINGS - 1.001)
    low = ring.astype(np.intp)
    part = (ring - low)[:, None]
    continued = texture.ring_colours[side, low] * (1 - part) + texture.ring_colours[side, low + 1] * part
    continued *= shadow[:, None]
    trust = texture.trust[eyes][:, None]
    colours: FloatArray = (trust * pixels[eyes] + (1 - trust) * continued).astype(np.float32)
    return colours


def _nearer(centres: FloatArray, rows: IntArray, columns: IntArray) -> IntArray:
    """(n,) 0 or 1: which of two places in the picture each pixel is nearer to."""
    places = np.stack([columns + 0.5, rows + 0.5], axis=1)
    distance = ((places[:, None] - centres) ** 2).sum(axis=2)
    nearer: IntArray = np.argmin(distance, axis=1)
    return nearer


def _ring_means(
    pixels: FloatArray, radius: FloatArray, iris_ring: int, white: FloatArray, blur_rings: float
) -> FloatArray:
    """(RINGS + 1, 3) mean colour by radius; rings that the photograph does not show take their neighbours'.

    Where it shows no ring of the eye's white, from iris_ring on, they take `white`: not the iris'.
    """
    index: IntArray = np.clip((radius * RINGS).astype(np.intp), 0, RINGS)
    columns = np.column_stack([np.ones(len(pixels)), pixels])
    per_ring = np.stack([np.bincount(index, column, minlength=RINGS + 1) for column in columns.T], axis=1)
    evened = gaussian_filter1d(per_ring, blur_rings, axis=0, mode="constant")
    means = evened[:, 1:] / np.maximum(evened[:, :1], 1e-6)
    known = evened[:, 0] * (1 + np.sqrt(4 * np.pi) * blur_rings) >= LEAST_SAMPLES
    if not known[iris_ring + 1 :].any():
        known[iris_ring + 1 :] = True
        means[iris_ring + 1 :] = white
    if not known[:iris_ring].any():
        known[0] = True
        means[0] = HIDDEN_IRIS * white
    places = np.flatnonzero(known)
    filled = np.stack([np.interp(np.arange(RINGS + 1), places, means[places, c]) for c in range(3)], axis=1)
    return filled.astype(np.float32)
