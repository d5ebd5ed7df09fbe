"""Procedural wrinkle maps: small height fields in the head's texture coordinates, one a group of folds and side.

Folds are drawn as furrows along curves on the mean face. The curves follow the lines that facial muscles fold across
their pull (forehead: frontalis; glabella: corrugator and procerus; crow's feet: orbicularis oculi; nose: levator labii
alaeque nasi; nasolabial fold: zygomaticus; chin: mentalis; mouth corner: depressor anguli oris), drawn by eye.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import CubicSpline

from synth_affect.heads.camera import ImageSize
from synth_affect.heads.model import HeadModel, region_triangles
from synth_affect.render.rasterizer import interpolate, rasterize_projected

SIZE = 384
SEED = 3


@dataclass(frozen=True)
class Stroke:
    """points : (n, 2) mm from the middle between the outer eye corners, x to the subject's left, y up.
    depth_mm, width_mm : of the furrow (standard deviation of its profile).
    ends : how far it tapers, share of its length.
    """

    points: tuple[tuple[float, float], ...]
    depth_mm: float
    width_mm: float
    ends: float = 0.3


def _forehead() -> list[Stroke]:
    strokes = []
    for k, y in enumerate((26.5, 32.5, 40.5, 47.0)):
        lift = 3.0 - 0.6 * k
        strokes.append(
            Stroke(
                ((-42, y - 4), (-26, y + lift), (-9, y - 0.5), (0, y - 1.5), (9, y - 0.5), (26, y + lift), (42, y - 4)),
                (0.42, 0.55, 0.45, 0.3)[k],
                1.15,
                0.25,
            )
        )
    return strokes


def _glabella() -> list[Stroke]:
    return [
        Stroke(((7.5, 7), (6.5, 14), (7.5, 22)), 0.85, 1.2, 0.35),
        Stroke(((-7.5, 7), (-6.5, 14), (-7.5, 22)), 0.75, 1.2, 0.35),
        Stroke(((1.5, 9), (1.0, 15), (2.0, 20)), 0.3, 1.0, 0.4),
    ]


def _nose_root() -> list[Stroke]:
    return [
        Stroke(((-9, 4.5), (0, 3.0), (9, 4.5)), 0.7, 1.2, 0.4),
        Stroke(((-7, 0.5), (0, -1), (7, 0.5)), 0.45, 1.1, 0.4),
    ]


def _sided(side: float) -> dict[str, list[Stroke]]:
    def put(*points: tuple[float, float]) -> tuple[tuple[float, float], ...]:
        return tuple((side * x, y) for x, y in points)

    return {
        "crows_feet": [
            Stroke(put((46, 3), (52, 7), (58, 12)), 0.5, 0.95, 0.45),
            Stroke(put((47, -1), (54, 0), (61, 2)), 0.55, 0.95, 0.45),
            Stroke(put((46, -5), (53, -8), (59, -11)), 0.5, 0.95, 0.45),
        ],
        "lower_lid": [Stroke(put((18, -11), (28, -14), (38, -12.5), (45, -8)), 0.5, 1.2, 0.35)],
        "nose": [
            Stroke(put((6, -5), (10, -9), (13, -14)), 0.55, 0.95, 0.4),
            Stroke(put((7, -10), (10.5, -14), (13, -19)), 0.45, 0.9, 0.4),
        ],
        "nasolabial": [
            Stroke(put((16, -30), (18, -38), (23, -49), (28, -58), (31.5, -66), (31.5, -73)), 1.0, 2.3, 0.35),
        ],
        "mouth_corner": [Stroke(put((27, -67), (29.5, -74), (30, -83)), 0.8, 1.4, 0.45)],
        "dimple": [Stroke(put((33, -61), (34.5, -66), (34, -71)), 0.9, 1.5, 0.5)],
    }


def _chin() -> list[Stroke]:
    rng = np.random.default_rng(SEED)
    pebbles = []
    for _ in range(26):
        x, y = rng.uniform(-15, 15), rng.uniform(-101, -89)
        dx, dy = rng.normal(0, 1.6, 2)
        pebbles.append(Stroke(((x, y), (x + dx, y + dy), (x + 2 * dx, y + dy)), 0.32, 1.0, 0.5))
    return [Stroke(((-17, -88), (-8, -85.5), (0, -85), (8, -85.5), (17, -88)), 0.8, 1.6, 0.35), *pebbles]


def fold_groups() -> dict[str, list[Stroke]]:
    """All groups by name; sided ones end in _left and _right (the subject's)."""
    groups = {"forehead": _forehead(), "glabella": _glabella(), "nose_root": _nose_root(), "chin": _chin()}
    for side, sign in (("left", 1.0), ("right", -1.0)):
        groups |= {f"{name}_{side}": strokes for name, strokes in _sided(sign).items()}
    return groups


def texel_places(head: HeadModel, window: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(SIZE, SIZE, 3) mm, the mean face under each texel of `window` (u0, v0, u1, v1), and where there is skin."""
    skin = region_triangles(head, "skin", "lips", "lids")
    uv = (head.uv - window[:2]) / (window[2:] - window[:2]) * SIZE
    flat = np.concatenate([uv, np.full((len(uv), 1), 100.0)], axis=1).astype(np.float32)
    flat[~np.isin(np.arange(len(flat)), head.uv_triangles[skin])] = [-10, -10, 100]
    fragments = rasterize_projected(flat, head.uv_triangles[skin], ImageSize(SIZE, SIZE))
    corners = np.zeros((len(head.uv), 3), dtype=np.float32)
    corners[head.uv_triangles[skin]] = head.mean[head.triangles[skin]]
    covered = fragments.pix_to_face[0, :, :, 0] >= 0
    return interpolate(fragments, head.uv_triangles[skin], corners), covered


def draw(strokes: list[Stroke], places: np.ndarray, covered: np.ndarray) -> np.ndarray:
    """(SIZE, SIZE) float32 mm: furrows below zero with raised shoulders."""
    rng = np.random.default_rng(SEED)
    height = np.zeros(covered.shape, dtype=np.float64)
    surface = places[covered].astype(np.float64)
    for stroke in strokes:
        knots = np.array(stroke.points)
        t = np.linspace(0, 1, len(knots))
        fine = np.linspace(0, 1, 60)
        curve = CubicSpline(t, knots, axis=0, bc_type="natural")(fine)
        wobble = np.convolve(rng.normal(0, 1, 60 + 12), np.ones(13) / 13, "valid")
        curve = curve + 1.6 * wobble[:, None] * [0.3, 1.0]
        # Lift the curve onto the surface: the frontmost skin at each (x, y).
        nearest = ((surface[None, :, :2] - curve[:, None]) ** 2).sum(2).argmin(1)
        curve3 = surface[nearest]
        strength = np.clip(np.minimum(fine, 1 - fine) / stroke.ends, 0, 1) ** 1.3
        strength *= 0.75 + 0.25 * np.clip(1 + np.convolve(rng.normal(0, 1.5, 72), np.ones(13) / 13, "valid"), 0, 2)
        distance = np.full(covered.shape, np.inf)
        squared = np.full(len(surface), np.inf)
        at = np.zeros(len(surface), dtype=int)
        for k, point in enumerate(curve3):
            d = ((surface - point) ** 2).sum(1)
            closer = d < squared
            squared[closer], at[closer] = d[closer], k
        distance[covered] = np.sqrt(squared)
        depth = np.zeros(covered.shape)
        depth[covered] = stroke.depth_mm * strength[at]
        z = distance / stroke.width_mm
        height += depth * (-np.exp(-0.5 * z**2) + 0.32 * np.exp(-0.5 * (z - 2.4) ** 2))
    height[~covered] = 0
    return height.astype(np.float32)
