"""A knitted cap on a head."""

from __future__ import annotations

import numpy as np

from synth_affect.arrays import FloatArray, IntArray
from synth_affect.heads.model import embed
from synth_affect.render.portrait.ball import ball_of, radius_at
from synth_affect.render.portrait.chart import Chart
from synth_affect.render.portrait.person import Person

BRIM = ((0.0, -1.0), (0.02, 4.0), (0.0, 8.5), (-0.06, 10.0), (-0.22, 10.0), (-0.30, 9.0), (-0.31, 5.5))
"""Rows of the turned-up brim, from the inside outwards: rad below its edge, and mm off the head."""


def beanie(chart: Chart, person: Person, neutral: FloatArray) -> tuple[FloatArray, IntArray]:
    """Vertices (n, 3) mm, head frame, and triangles of a knitted cap with a turned-up brim."""
    rng = np.random.default_rng([person.seed, 8])
    head = chart.head
    ball = ball_of(head, neutral)
    marks = embed(neutral, head.triangles, head.landmarks_478)
    columns = 96
    around = np.arange(columns) / columns * 2 * np.pi
    front, drop = float(marks[10, 1]) - rng.uniform(-2, 12), rng.uniform(4, 16)
    edge_y = front - drop * (1 - np.cos(around)) / 2
    steps = np.linspace(0.05, np.pi / 2 + 0.5, 120)
    heights = np.stack([ball.centre[1] + radius_at(ball, np.full(columns, t), around) * np.cos(t) for t in steps])
    edge = np.array([np.interp(-edge_y[j], -heights[:, j], steps) for j in range(columns)])
    tall = rng.uniform(6, 22)
    rows = [(edge + below, off + 0 * around) for below, off in BRIM]
    for t in np.linspace(1, 0.02, 26):
        rows.append(((edge - 0.31) * t, 5.5 + tall * (1 - t) ** 1.5))
    points = []
    for down, off in rows:
        radius = radius_at(ball, down, around) + off
        sine = radius * np.sin(down)
        place = [sine * np.sin(around), radius * np.cos(down), sine * np.cos(around)]
        points.append(ball.centre + np.stack(place, axis=1))
    k, j = np.meshgrid(np.arange(len(rows) - 1), np.arange(columns), indexing="ij")
    a, b = k * columns + j, k * columns + (j + 1) % columns
    c, d = a + columns, b + columns
    triangles = np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([b, d, c], -1).reshape(-1, 3)])
    return np.concatenate(points).astype(np.float32), triangles.astype(np.int32)
