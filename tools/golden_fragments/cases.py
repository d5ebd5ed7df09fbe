"""Three meshes, four poses, one size: what the golden file shows."""

from __future__ import annotations

from functools import cache

import numpy as np

from synth_affect.arrays import FloatArray
from synth_affect.heads.camera import Camera, ImageSize
from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.mesh import Mesh

SIZE = ImageSize(128, 128)
FOCAL_PX, DISTANCE_MM = 250.0, 600.0
CENTRE_PX = (64.3, 63.8)
"""Off the pixel grid, so that no centre lies on an edge by symmetry."""
POSES_DEG = ((0.0, 0.0, 0.0), (35.0, -12.0, 8.0), (-70.0, 15.0, -20.0), (160.0, 25.0, 40.0))
"""Yaw, pitch, roll; the last looks at the back."""


@cache
def golden_meshes() -> dict[str, Mesh]:
    """By name: the packaged head, whose parts lie inside each other; a ball; a knot that hides itself."""
    head = load_cc0()
    return {"head": Mesh(head.mean, head.triangles), "ball": ball(95.0, 24, 36), "knot": knot(70.0, 20.0, 240, 14)}


def golden_camera(pose: int) -> Camera:
    """The camera of the pose with this number."""
    yaw, pitch, roll = np.radians(POSES_DEG[pose])
    cy, sy, cp, sp, cr, sr = *_turn(yaw), *_turn(pitch), *_turn(roll)
    rotation = (
        np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
        @ np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
        @ np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    )
    return Camera(rotation, np.array([3.7, -5.1, DISTANCE_MM]), FOCAL_PX, np.array(CENTRE_PX))


def ball(radius_mm: float, n_rings: int, n_segments: int) -> Mesh:
    """A closed ball of rings of latitude, which share their poles."""
    polar = np.pi * (np.arange(1, n_rings) / n_rings)[:, None]
    around = 2 * np.pi * np.arange(n_segments)[None] / n_segments
    rings = np.stack(
        [np.sin(polar) * np.cos(around), np.cos(polar) + 0 * around, -np.sin(polar) * np.sin(around)], axis=-1
    )
    vertices = np.concatenate([rings.reshape(-1, 3), [[0, 1, 0], [0, -1, 0]]])
    first, last = np.arange(n_segments), (n_rings - 2) * n_segments + np.arange(n_segments)
    north, south = np.full(n_segments, len(vertices) - 2), np.full(n_segments, len(vertices) - 1)
    triangles = np.concatenate(
        [
            _grid(n_rings - 1, n_segments, closed=False),
            np.stack([north, first, np.roll(first, -1)], axis=1),
            np.stack([south, np.roll(last, -1), last], axis=1),
        ]
    )
    return Mesh(radius_mm * vertices, triangles)


def knot(radius_mm: float, tube_mm: float, n_along: int, n_around: int) -> Mesh:
    """A tube along a trefoil: from every side parts of it hide others."""
    t = 2 * np.pi * np.arange(n_along) / n_along

    def curve(t: FloatArray) -> FloatArray:
        return np.stack([np.sin(t) + 2 * np.sin(2 * t), np.cos(t) - 2 * np.cos(2 * t), -np.sin(3 * t)], axis=1) / 2

    along = _unit(curve(t + 1e-4) - curve(t - 1e-4))
    across = _unit(np.cross(along, curve(t) + np.array([0.0, 0.0, 5.0])))
    up = np.cross(across, along)
    angle = 2 * np.pi * np.arange(n_around) / n_around
    tube = np.cos(angle)[None, :, None] * across[:, None] + np.sin(angle)[None, :, None] * up[:, None]
    vertices = radius_mm * curve(t)[:, None] + tube_mm * tube
    return Mesh(vertices.reshape(-1, 3), _grid(n_along, n_around, closed=True))


def _grid(n_rows: int, n_columns: int, *, closed: bool) -> np.ndarray:
    """Triangles of a grid of vertices, row by row, whose columns close into rings, and with `closed` its rows too."""
    rows = np.arange(n_rows if closed else n_rows - 1)[:, None]
    columns = np.arange(n_columns)[None]
    below, beside = (rows + 1) % n_rows, (columns + 1) % n_columns
    a, b = rows * n_columns + columns, rows * n_columns + beside
    c, d = below * n_columns + columns, below * n_columns + beside
    return np.concatenate([np.stack([a, c, b], axis=-1), np.stack([b, c, d], axis=-1)]).reshape(-1, 3)


def _turn(angle: float) -> tuple[float, float]:
    return float(np.cos(angle)), float(np.sin(angle))


def _unit(vectors: FloatArray) -> FloatArray:
    unit: FloatArray = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit
