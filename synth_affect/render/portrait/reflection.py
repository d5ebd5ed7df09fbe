"""What a surface does with light, pixel by pixel: relief turns its normal; a lamp gives light and highlights."""

from __future__ import annotations

import numpy as np
from numba import njit

from synth_affect.arrays import BoolArray, FloatArray
from synth_affect.render.portrait.lights import Lamp

STEEPEST = 1.2
"""Largest slope of the relief."""
WRAP = (0.20, 0.08, 0.05)
"""How far beyond a right angle red, green and blue light reach round in skin."""


@njit(cache=True)  # type: ignore[untyped-decorator]
def bump(normal: FloatArray, point: FloatArray, height_mm: FloatArray, covered: BoolArray, bumped: FloatArray) -> None:
    """Write into `bumped` (height, width, 3) the normals of a surface lifted by `height_mm` (height, width).

    normal, point : (height, width, 3), of the smooth surface.  Source: Mikkelsen 2010, with differences in the picture.
    """
    rows, columns = covered.shape
    for i in range(rows):
        for j in range(columns):
            bumped[i, j] = normal[i, j]
            if not covered[i, j] or i + 1 >= rows or j + 1 >= columns:
                continue
            if not covered[i + 1, j] or not covered[i, j + 1]:
                continue
            ax, ay, az = (
                point[i, j + 1, 0] - point[i, j, 0],
                point[i, j + 1, 1] - point[i, j, 1],
                point[i, j + 1, 2] - point[i, j, 2],
            )
            bx, by, bz = (
                point[i + 1, j, 0] - point[i, j, 0],
                point[i + 1, j, 1] - point[i, j, 1],
                point[i + 1, j, 2] - point[i, j, 2],
            )
            across = ax * ax + ay * ay
            # Where the surface breaks off, neighbouring pixels say nothing about its slope.
            if az * az > 36 * across or bz * bz > 36 * across:
                continue
            nx, ny, nz = normal[i, j, 0], normal[i, j, 1], normal[i, j, 2]
            fx, fy, fz = by * nz - bz * ny, bz * nx - bx * nz, bx * ny - by * nx
            sx, sy, sz = ny * az - nz * ay, nz * ax - nx * az, nx * ay - ny * ax
            determinant = ax * fx + ay * fy + az * fz
            if abs(determinant) < 1e-9:
                continue
            hx = (height_mm[i, j + 1] - height_mm[i, j]) / determinant
            hy = (height_mm[i + 1, j] - height_mm[i, j]) / determinant
            gx, gy, gz = hx * fx + hy * sx, hx * fy + hy * sy, hx * fz + hy * sz
            steep = np.sqrt(gx * gx + gy * gy + gz * gz)
            scale = np.float32(1) if steep <= STEEPEST else np.float32(STEEPEST) / steep
            nx, ny, nz = nx - scale * gx, ny - scale * gy, nz - scale * gz
            length = np.sqrt(nx * nx + ny * ny + nz * nz)
            bumped[i, j, 0], bumped[i, j, 1], bumped[i, j, 2] = nx / length, ny / length, nz / length


def fresnel(cosine: FloatArray, reflects: FloatArray, rough: FloatArray) -> FloatArray:
    """(n,) float32: the share of light that is mirrored; Schlick 1994, the grazing end held back on rough surfaces."""
    grazing = (1 - cosine) ** 2
    grazing = grazing * grazing * (1 - cosine)
    share: FloatArray = reflects + (np.maximum(1 - rough, reflects) - reflects) * grazing * (1 - 0.5 * rough)
    return share


def add_lamp(
    lamp: Lamp,
    reach: FloatArray,
    normal: FloatArray,
    wet: FloatArray,
    to_eye: FloatArray,
    rough: FloatArray,
    reflects: FloatArray,
    skin: BoolArray,
    light: FloatArray,
    shine: FloatArray,
) -> None:
    """Add a lamp to `light` and `shine` (n, 3), in place.

    reach : (n,) share of the lamp that is seen.  normal, wet : (n, 3), for diffuse light and for highlights.
    Source of the highlight: GGX (Walter et al. 2007), widened by the size of the lamp (Karis 2013).
    """
    _add_lamp(
        lamp.towards,
        lamp.strength,
        np.float32(lamp.radius_rad),
        reach,
        normal,
        wet,
        to_eye,
        rough,
        reflects,
        skin,
        np.array(WRAP, dtype=np.float32),
        light,
        shine,
    )


@njit(cache=True)  # type: ignore[untyped-decorator]
def _add_lamp(
    towards: FloatArray,
    strength: FloatArray,
    radius: float,
    reach: FloatArray,
    normal: FloatArray,
    wet: FloatArray,
    to_eye: FloatArray,
    rough: FloatArray,
    reflects: FloatArray,
    skin: BoolArray,
    wraps: FloatArray,
    light: FloatArray,
    shine: FloatArray,
) -> None:
    one = np.float32(1)
    for k in range(len(reach)):
        if reach[k] <= 0:
            continue
        cosine = normal[k, 0] * towards[0] + normal[k, 1] * towards[1] + normal[k, 2] * towards[2]
        for c in range(3):
            wrap = wraps[c] if skin[k] else np.float32(0.02)
            diffuse = (cosine + wrap) / ((one + wrap) * (one + wrap))
            if diffuse > 0:
                light[k, c] += diffuse * reach[k] * strength[c]
        x, y, z = to_eye[k, 0] + towards[0], to_eye[k, 1] + towards[1], to_eye[k, 2] + towards[2]
        length = np.sqrt(x * x + y * y + z * z) + np.float32(1e-6)
        x, y, z = x / length, y / length, z / length
        nl = wet[k, 0] * towards[0] + wet[k, 1] * towards[1] + wet[k, 2] * towards[2]
        if nl <= 0:
            continue
        nh = min(max(wet[k, 0] * x + wet[k, 1] * y + wet[k, 2] * z, np.float32(0)), one)
        nv = max(wet[k, 0] * to_eye[k, 0] + wet[k, 1] * to_eye[k, 1] + wet[k, 2] * to_eye[k, 2], np.float32(0.05))
        vh = max(to_eye[k, 0] * x + to_eye[k, 1] * y + to_eye[k, 2] * z, np.float32(0))
        squared = rough[k] * rough[k]
        alpha = min(squared + np.float32(0.5) * radius, one)
        a2 = alpha * alpha
        bottom = nh * nh * (a2 - one) + one
        half = squared / 2 + np.float32(1e-3)
        hidden = one / ((nl * (one - half) + half) * (nv * (one - half) + half))
        grazing = (one - vh) ** 5
        mirrored = reflects[k] + (max(one - rough[k], reflects[k]) - reflects[k]) * grazing * (
            one - np.float32(0.5) * rough[k]
        )
        radiance = min(np.float32(0.25) * a2 / (bottom * bottom) * hidden * mirrored * nl, np.float32(6.0))
        for c in range(3):
            shine[k, c] += radiance * reach[k] * strength[c]
