"""Hair as strands: how they take light, and how they are drawn over a picture with a depth buffer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from synth_affect.arrays import FloatArray, IntArray, readonly


@dataclass(frozen=True, slots=True, eq=False)
class Strands:
    """points : (n, k, 3) float32, mm, from root to tip.  colour : (n, 3) float32, linear reflectance.
    width_mm : (n,) float32, at the root; tips taper.  shelter : (n, k) float32 in [0, 1], 0 deep inside the hair.
    """

    points: FloatArray
    colour: FloatArray
    width_mm: FloatArray
    shelter: FloatArray

    def __post_init__(self) -> None:
        points = readonly(self.points, "points", ("n", "k", 3), np.float32)
        object.__setattr__(self, "points", points)
        object.__setattr__(self, "colour", readonly(self.colour, "colour", (len(points), 3), np.float32))
        object.__setattr__(self, "width_mm", readonly(self.width_mm, "width_mm", (len(points),), np.float32))
        object.__setattr__(self, "shelter", readonly(self.shelter, "shelter", points.shape[:2], np.float32))


def tangents(points: FloatArray) -> FloatArray:
    """(n, k, 3) float32, unit, along strands (n, k, 3) from root to tip."""
    along = np.empty_like(points)
    along[:, :-1] = points[:, 1:] - points[:, :-1]
    along[:, -1] = along[:, -2]
    along /= np.maximum(np.sqrt(np.einsum("nkc,nkc->nk", along, along))[..., None], 1e-6)
    return along


def lit_by(
    strands: FloatArray, along: FloatArray, colour: FloatArray, towards: FloatArray, to_eye: FloatArray
) -> FloatArray:
    """(n, k, 3) float32: light that strands send to the eye of a lamp of unit strength.

    strands, along : (n, k, 3) points and tangents.  colour : (n, 3).  towards, to_eye : (3,), unit, view axes.
    Source: the diffuse term and the two highlights, one white and one through the fibre, of Kajiya & Kay 1989 and
    Scheuermann 2004.
    """
    with_light = along @ towards
    with_eye = along @ to_eye
    sine = np.sqrt(np.maximum(1 - with_light**2, 0))
    eye_sine = np.sqrt(np.maximum(1 - with_eye**2, 0))
    half = sine * eye_sine - with_light * with_eye
    shifted = np.clip(half - 0.06, 0, 1)
    first = shifted**2  # x^64 by squaring
    for _ in range(5):
        first = first * first
    second = np.clip(half + 0.05, 0, 1)
    for _ in range(4):
        second = second * second
    light: FloatArray = (0.55 * sine + 0.55 * second)[..., None] * colour[:, None, :]
    light += (0.06 * first)[..., None]
    return light


@njit(cache=True)  # type: ignore[untyped-decorator]
def draw(
    projected: FloatArray,
    light: FloatArray,
    half_width_px: FloatArray,
    order: IntArray,
    opacity: float,
    nearer_mm: float,
    picture: FloatArray,
    depth: FloatArray,
    cover: FloatArray,
) -> None:
    """Blend the segments of strands into `picture` (height, width, 3), premultiplied, and `cover` (height, width).

    projected : (n, k, 3) float32, px, px, depth mm.  light : (n, k, 3).  half_width_px : (n, k).
    order : (n * (k - 1),) the segments, strand by strand, from the farthest to the nearest.
    nearer_mm : how far behind the surfaces of `depth` (height, width) a strand is still seen.
    """
    height, width = depth.shape
    per_strand = projected.shape[1] - 1
    for place in range(len(order)):
        i, j = order[place] // per_strand, order[place] % per_strand
        x0, y0, z0 = projected[i, j, 0], projected[i, j, 1], projected[i, j, 2]
        x1, y1, z1 = projected[i, j + 1, 0], projected[i, j + 1, 1], projected[i, j + 1, 2]
        if z0 <= 1.0 or z1 <= 1.0:
            continue
        if max(x0, x1) < -2 or max(y0, y1) < -2 or min(x0, x1) > width + 2 or min(y0, y1) > height + 2:
            continue
        dx, dy = x1 - x0, y1 - y0
        steep = abs(dy) > abs(dx)
        major = abs(dy) if steep else abs(dx)
        if major < 1e-3:
            continue
        slant = max(major / np.sqrt(dx * dx + dy * dy), np.float32(0.5))
        start = y0 if steep else x0
        end = y1 if steep else x1
        along = np.float32(1) / (end - start)
        first, last = int(np.ceil(min(start, end) - 0.5)), int(np.ceil(max(start, end) - 0.5))
        first, last = max(first, 0), min(last, height if steep else width)
        for step in range(first, last):
            t = (step + np.float32(0.5) - start) * along
            z = z0 + t * (z1 - z0) - np.float32(nearer_mm)
            across = (x0 + t * dx) if steep else (y0 + t * dy)
            reach = (half_width_px[i, j] + t * (half_width_px[i, j + 1] - half_width_px[i, j])) / slant
            left, right = across - reach, across + reach
            for side in range(max(int(np.floor(left)), 0), min(int(np.floor(right)) + 1, width if steep else height)):
                row, column = (step, side) if steep else (side, step)
                if z > depth[row, column]:
                    continue
                alpha = np.float32(opacity) * (min(side + np.float32(1), right) - max(np.float32(side), left))
                for c in range(3):
                    lit = light[i, j, c] + t * (light[i, j + 1, c] - light[i, j, c])
                    picture[row, column, c] += alpha * (lit - picture[row, column, c])
                cover[row, column] += alpha * (1 - cover[row, column])


def far_to_near(projected: FloatArray) -> IntArray:
    """(n * (k - 1),) int32: the order in which `draw` blends segments of (n, k, 3) strands."""
    depth = projected[:, :-1, 2] + projected[:, 1:, 2]
    order: IntArray = np.argsort(-depth.ravel(), kind="stable").astype(np.int32)
    return order
