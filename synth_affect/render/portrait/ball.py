"""A head as a ball with hills: how far its outside is from a point within, in every direction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from synth_affect.arrays import FloatArray
from synth_affect.heads.model import HeadModel, embed, region_vertices

LATITUDES, LONGITUDES = 72, 144


@dataclass(frozen=True, slots=True, eq=False)
class Ball:
    """A head as distances from a point within. centre : (3,) mm.  radius_mm : (latitudes, longitudes) float32."""

    centre: FloatArray
    radius_mm: FloatArray


def ball_of(head: HeadModel, neutral: FloatArray) -> Ball:
    """The outside of a head without its ears."""
    outside = np.setdiff1d(region_vertices(head, "skin", "scalp", "neck", "lids"), region_vertices(head, "ears"))
    points = neutral[outside].astype(np.float64)
    marks = embed(neutral, head.triangles, head.landmarks_478)
    centre = np.array([0.0, float(marks[9, 1]) + 6.0, (points[:, 2].min() + points[:, 2].max()) / 2])
    away = points - centre
    radius = np.linalg.norm(away, axis=1)
    down = (np.arange(LATITUDES) + 0.5) / LATITUDES * np.pi
    around = (np.arange(LONGITUDES) + 0.5) / LONGITUDES * 2 * np.pi
    sine = np.sin(down)[:, None]
    grid = np.stack(
        [sine * np.sin(around), np.broadcast_to(np.cos(down)[:, None], (LATITUDES, LONGITUDES)), sine * np.cos(around)],
        axis=-1,
    )
    distance, nearest = cKDTree(away / radius[:, None]).query(grid.reshape(-1, 3), k=6)
    weight = 1 / (np.asarray(distance) + 0.02) ** 2
    table = np.einsum("gk,gk->g", radius[nearest], weight) / np.sum(weight, axis=1)
    return Ball(centre.astype(np.float32), table.reshape(LATITUDES, LONGITUDES).astype(np.float32))


def radius_at(ball: Ball, down: FloatArray, around: FloatArray) -> FloatArray:
    """mm, bilinear. down : rad from the top.  around : rad from the front, towards +x."""
    rows = np.clip(down / np.pi * LATITUDES - 0.5, 0, LATITUDES - 1.001)
    columns = around / (2 * np.pi) * LONGITUDES - 0.5
    i, j = rows.astype(int), np.floor(columns).astype(int)
    u, v = rows - i, columns - j
    table = ball.radius_mm
    left, right = j % LONGITUDES, (j + 1) % LONGITUDES
    above = (1 - v) * table[i, left] + v * table[i, right]
    below = (1 - v) * table[i + 1, left] + v * table[i + 1, right]
    radius: FloatArray = (1 - u) * above + u * below
    return radius
