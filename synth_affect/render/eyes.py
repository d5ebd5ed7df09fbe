"""The eyes as a texture: what the photograph shows between the lids, and iris and white continued under them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from synth_affect.arrays import BoolArray, FloatArray, IntArray
from synth_affect.heads.model import HeadModel, region_triangles, region_vertices

LID_MM = 0.9
"""So close to a lid the photograph shows its edge and lashes, not the eye."""
SOFT_MM = 0.25
"""Width of the change from the photograph's pixels to the continued ones."""
LID_SHADE, LID_SHADOW_MM = 0.62, 2.2
"""Code value at a lid's edge against the open eye, and how far in the shadow of lid and lashes reaches."""
RINGS = 24
LEAST_SAMPLES = 4


@dataclass(frozen=True, slots=True, eq=False)
class EyeTexture:
    """Both eyes of one face in one picture; an eye does not move, so its pixels stay where they are.

    trust : (height, width) float32 in [0, 1], how surely the photograph shows the eye at a pixel.
    radius : (n_vertices,) float32, on the eyeballs the angle from the iris' pole as a share of the drawn cap; 0 else.
    ring_colours : (2, RINGS + 1, 3) float32 sRGB 0-255, mean colour by radius, for the picture's left and right eye.
    middle_px : the column between both eyes.
    """

    trust: FloatArray
    radius: FloatArray
    ring_colours: FloatArray
    middle_px: float


def eye_texture(
    head: HeadModel,
    pixels: FloatArray,
    opening: BoolArray,
    rest_radius: FloatArray,
    radius: FloatArray,
    projected: FloatArray,
    px_per_mm: float,
) -> EyeTexture:
    """Read both eyes.

    pixels : (height, width, 3) float32 sRGB, 0-255.  opening : (height, width) bool, between the lids at rest.
    rest_radius : (height, width), `radius` under each pixel at rest.  projected : (n_vertices, 3), px, px, mm.
    """
    inside = cv2.distanceTransform(opening.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5) / px_per_mm
    trust = np.clip(inside / LID_MM, 0, 1).astype(np.float32)
    trust = np.minimum(trust, cv2.GaussianBlur(trust, (0, 0), max(SOFT_MM * px_per_mm, 0.4)))
    middle = float(projected[region_vertices(head, "eyeball", "iris"), 0].mean())
    columns = np.arange(opening.shape[1])[None, :] + 0.5
    deep = inside > LID_MM
    halves = (deep & (columns < middle), deep & (columns >= middle))
    tables = np.stack([_ring_means(pixels[half], rest_radius[half]) for half in halves])
    return EyeTexture(trust, radius, tables, middle)


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
    columns = np.nonzero(eyes)[1]
    side: IntArray = (columns + 0.5 >= texture.middle_px).astype(np.intp)
    ring = np.clip(radius * RINGS, 0, RINGS - 1.001)
    low = ring.astype(np.intp)
    part = (ring - low)[:, None]
    continued = texture.ring_colours[side, low] * (1 - part) + texture.ring_colours[side, low + 1] * part
    continued *= shadow[:, None]
    trust = texture.trust[eyes][:, None]
    colours: FloatArray = (trust * pixels[eyes] + (1 - trust) * continued).astype(np.float32)
    return colours


def _ring_means(pixels: FloatArray, radius: FloatArray) -> FloatArray:
    """(RINGS + 1, 3) mean colour by radius; rings that the photograph does not show take their neighbours'."""
    index: IntArray = np.clip((radius * RINGS).astype(np.intp), 0, RINGS)
    count = np.bincount(index, minlength=RINGS + 1)
    known = np.flatnonzero(count >= LEAST_SAMPLES)
    if len(known) == 0:
        grey = pixels.mean(axis=0) if len(pixels) else np.full(3, 128.0)
        return np.tile(grey, (RINGS + 1, 1)).astype(np.float32)
    summed = np.stack([np.bincount(index, pixels[:, c], minlength=RINGS + 1) for c in range(3)], axis=1)
    means = summed[known] / count[known][:, None]
    filled = np.stack([np.interp(np.arange(RINGS + 1), known, means[:, c]) for c in range(3)], axis=1)
    return filled.astype(np.float32)
