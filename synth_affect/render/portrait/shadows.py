"""What the light of a direction reaches: depth maps seen from there, at the vertices and at the pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from synth_affect.arrays import FloatArray, IntArray, readonly
from synth_affect.heads.camera import ImageSize
from synth_affect.render.portrait.lights import Lamp, panorama_directions
from synth_affect.render.rasterizer import rasterize_projected

FAR_MM = 1e6
_OFFSET_MM = 2000.0
"""Keeps depths before the rasterizer's near plane."""


@dataclass(frozen=True, slots=True, eq=False)
class ShadowMaps:
    """Depth maps of parallel light. axes : (n, 3, 3) float32, rows: right, up and towards the light, view axes.
    centre : (3,) float32, mm.  px_per_mm : of the maps.  depth : (n, size, size) float32, mm, along the light.
    """

    axes: FloatArray
    centre: FloatArray
    px_per_mm: float
    depth: FloatArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "axes", readonly(self.axes, "axes", ("n", 3, 3), np.float32))
        object.__setattr__(self, "centre", readonly(self.centre, "centre", (3,), np.float32))
        depth = readonly(self.depth, "depth", (len(self.axes), "size", "size"), np.float32, finite=False)
        object.__setattr__(self, "depth", depth)


def shadow_maps(
    vertices: FloatArray,
    triangles: IntArray,
    strands: FloatArray,
    directions: FloatArray,
    size: int,
    *,
    focus: FloatArray,
) -> ShadowMaps:
    """Maps from each of the directions.

    vertices : (n_vertices, 3) float32, mm, view axes.  strands : (n_points, 3) float32, points of hair, that cover
        a pixel each.  directions : (n, 3) float32, unit, towards the light.
    focus : (n_focus, 3) mm, what the maps show whole; what lies outside them is lit.
    """
    low, high = focus.min(axis=0), focus.max(axis=0)
    centre = ((low + high) / 2).astype(np.float32)
    reach = float(np.linalg.norm(high - low)) / 2 + 1
    scale = size / (2 * reach)
    depth = np.empty((len(directions), size, size), dtype=np.float32)
    axes = np.stack([_axes(direction) for direction in directions])
    for place, rows in enumerate(axes):
        seen = (vertices - centre) @ rows.T
        drawn = np.empty_like(seen)
        drawn[:, 0] = size / 2 + scale * seen[:, 0]
        drawn[:, 1] = size / 2 - scale * seen[:, 1]
        drawn[:, 2] = _OFFSET_MM - seen[:, 2]
        fragments = rasterize_projected(drawn, triangles, ImageSize(size, size))
        z = fragments.zbuf[0, :, :, 0]
        depth[place] = np.where(z < 0, FAR_MM, z)
        if len(strands):
            _splat(strands, rows, centre, scale, depth[place])
    return ShadowMaps(axes, centre, scale, depth)


def _axes(direction: FloatArray) -> FloatArray:
    towards = direction / np.linalg.norm(direction)
    helper = np.array([0.0, 1.0, 0.0]) if abs(towards[1]) < 0.9 else np.array([1.0, 0.0, 0.0])
    right = np.cross(helper, towards)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(towards, right), towards]).astype(np.float32)


@njit(cache=True)  # type: ignore[untyped-decorator]
def _splat(points: FloatArray, axes: FloatArray, centre: FloatArray, scale: float, depth: FloatArray) -> None:
    size = depth.shape[0]
    for k in range(points.shape[0]):
        x, y, z = points[k, 0] - centre[0], points[k, 1] - centre[1], points[k, 2] - centre[2]
        column = int(size / 2 + scale * (x * axes[0, 0] + y * axes[0, 1] + z * axes[0, 2]))
        row = int(size / 2 - scale * (x * axes[1, 0] + y * axes[1, 1] + z * axes[1, 2]))
        if 0 <= column < size and 0 <= row < size:
            away = np.float32(_OFFSET_MM) - (x * axes[2, 0] + y * axes[2, 1] + z * axes[2, 2])
            if away < depth[row, column]:
                depth[row, column] = away


@njit(cache=True)  # type: ignore[untyped-decorator]
def _reached(
    points: FloatArray,
    axes: FloatArray,
    centre: FloatArray,
    scale: float,
    depth: FloatArray,
    bias_mm: float,
    soft_mm: float,
    light: FloatArray,
) -> None:
    """light (n_points, n_maps): 1 where nothing is nearer to the light by `bias_mm`, falling over `soft_mm`."""
    size = depth.shape[1]
    for k in range(points.shape[0]):
        x, y, z = points[k, 0] - centre[0], points[k, 1] - centre[1], points[k, 2] - centre[2]
        for m in range(depth.shape[0]):
            column = size / 2 + scale * (x * axes[m, 0, 0] + y * axes[m, 0, 1] + z * axes[m, 0, 2]) - 0.5
            row = size / 2 - scale * (x * axes[m, 1, 0] + y * axes[m, 1, 1] + z * axes[m, 1, 2]) - 0.5
            away = np.float32(_OFFSET_MM) - (x * axes[m, 2, 0] + y * axes[m, 2, 1] + z * axes[m, 2, 2])
            c, r = int(np.floor(column)), int(np.floor(row))
            if c < 0 or r < 0 or c >= size - 1 or r >= size - 1:
                light[k, m] = 1.0
                continue
            u, v = column - c, row - r
            total = 0.0
            for i in range(2):
                for j in range(2):
                    behind = (away - depth[m, r + i, c + j] - bias_mm) / soft_mm
                    part = (v if i else 1 - v) * (u if j else 1 - u)
                    total += part * min(max(1 - behind, 0.0), 1.0)
            light[k, m] = total


def reached(maps: ShadowMaps, points: FloatArray, bias_mm: float, soft_mm: float) -> FloatArray:
    """(n_points, n_maps) float32 in [0, 1]: how much of each light comes to points (n_points, 3) mm, view axes."""
    light = np.empty((len(points), len(maps.depth)), dtype=np.float32)
    _reached(
        np.ascontiguousarray(points, dtype=np.float32),
        maps.axes,
        maps.centre,
        maps.px_per_mm,
        maps.depth,
        bias_mm,
        soft_mm,
        light,
    )
    return light


def sphere_directions(n: int) -> FloatArray:
    """(n, 3) float32: unit vectors, evenly over the sphere (a Fibonacci lattice)."""
    k = np.arange(n) + 0.5
    y = 1 - 2 * k / n
    around = np.pi * (1 + np.sqrt(5)) * k
    r = np.sqrt(1 - y**2)
    return np.stack([r * np.sin(around), y, r * np.cos(around)], axis=1).astype(np.float32)


def gathered(radiance: FloatArray, directions: FloatArray) -> FloatArray:
    """(n, 3) float32: the light of a panorama that each of the directions stands for, radiance times solid angle."""
    looks = panorama_directions().reshape(-1, 3)
    solid = np.sqrt(np.maximum(1 - looks[:, 1] ** 2, 0))
    solid *= 4 * np.pi / solid.sum()
    nearest = np.argmax(looks @ directions.T, axis=1)
    light = np.stack(
        [np.bincount(nearest, radiance.reshape(-1, 3)[:, c] * solid, minlength=len(directions)) for c in range(3)],
        axis=1,
    )
    return light.astype(np.float32)


def disc_directions(lamp: Lamp, n: int) -> FloatArray:
    """(n, 3) float32: unit vectors over a lamp's disc."""
    right, up, towards = _axes(lamp.towards)
    k = np.arange(n) + 0.5
    r, a = np.tan(lamp.radius_rad) * np.sqrt(k / n), np.pi * (1 + np.sqrt(5)) * k
    points = towards + (r * np.cos(a))[:, None] * right + (r * np.sin(a))[:, None] * up
    directions: FloatArray = points / np.linalg.norm(points, axis=1, keepdims=True)
    return directions.astype(np.float32)
