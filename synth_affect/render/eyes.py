"""The revealed eye: iris and white that a lid hid in the photograph, continued from what it shows."""

from __future__ import annotations

import cv2
import numpy as np

from synth_affect.arrays import FloatArray, IntArray
from synth_affect.heads.model import region_triangles, region_vertices
from synth_affect.render.flow import SurfaceFlow
from synth_affect.render.rasterizer import interpolate
from synth_affect.render.scene import EYE_KIND, Scene

LID_MM = 0.9
"""So close to a lid the photograph shows its edge and lashes, not the eye."""
RINGS = 24
LEAST_SAMPLES = 4


def eye_radius(scene: Scene) -> FloatArray:
    """(n_vertices,) float32: on the eyeballs the angle from the pole of the iris, as a share of the drawn cap; 0 else."""
    head = scene.head
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


def eye_colours(scene: Scene, surface: SurfaceFlow) -> FloatArray:
    """(height, width, 3) float32 sRGB, 0-255: the eyes where kind_map is 2; 0 elsewhere.

    Where the photograph shows the surface point well inside the opening of the lids, its own pixel (the eye does not
    move); elsewhere the mean colour of the same ring round the pupil.
    """
    colours = np.zeros((*surface.kind_map.shape, 3), dtype=np.float32)
    eyes = surface.kind_map == EYE_KIND
    if not eyes.any():
        return colours
    radius = eye_radius(scene)
    ball = region_vertices(scene.head, "eyeball", "iris")
    rest_radius = interpolate(scene.fragments, scene.triangles, radius[:, None])[..., 0]
    new_radius = interpolate(surface.fragments, scene.triangles, radius[:, None])[..., 0]
    opening = (scene.kind_map == EYE_KIND).astype(np.uint8)
    inside = cv2.distanceTransform(opening, cv2.DIST_L2, cv2.DIST_MASK_5) / scene.px_per_mm
    trust = np.clip(inside / LID_MM, 0, 1).astype(np.float32) * eyes
    middle = scene.projected[ball, 0].mean()
    columns = np.arange(eyes.shape[1])[None, :]
    for half in (columns < middle, columns >= middle):
        mine = eyes & half
        source = (inside > LID_MM) & half
        if not mine.any():
            continue
        table = _ring_means(scene.pixels[source], rest_radius[source])
        ring = np.clip(new_radius[mine] * RINGS, 0, RINGS - 1.001)
        low = ring.astype(np.intp)
        part = (ring - low)[:, None]
        colours[mine] = table[low] * (1 - part) + table[low + 1] * part
    soft = cv2.GaussianBlur(trust, (0, 0), max(0.25 * scene.px_per_mm, 0.4))
    trust = np.minimum(trust, soft)[..., None]
    blended: FloatArray = np.where(eyes[..., None], trust * scene.pixels + (1 - trust) * colours, 0)
    return blended.astype(np.float32)


def _ring_means(pixels: FloatArray, radius: FloatArray) -> FloatArray:
    """(RINGS + 1, 3) mean colour by radius; rings that the photograph does not show take their neighbours'."""
    index: IntArray = np.clip((radius * RINGS).astype(np.intp), 0, RINGS)
    count = np.bincount(index, minlength=RINGS + 1)
    table = np.stack([np.bincount(index, pixels[:, c], minlength=RINGS + 1) for c in range(3)], axis=1)
    known = np.flatnonzero(count >= LEAST_SAMPLES)
    if len(known) == 0:
        grey = pixels.mean(axis=0) if len(pixels) else np.full(3, 128.0)
        return np.tile(grey, (RINGS + 1, 1)).astype(np.float32)
    means = table[known] / count[known][:, None]
    filled = np.stack([np.interp(np.arange(RINGS + 1), known, means[:, c]) for c in range(3)], axis=1)
    return filled.astype(np.float32)
