"""Eyes as spheres with a cornea: white with veins, iris with its ring and fibres, pupil, and mirrored surroundings."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from synth_affect.arrays import FloatArray
from synth_affect.heads.model import HeadModel, region_vertices
from synth_affect.render.portrait.person import Person
from synth_affect.render.portrait.sampling import sampled

IRIS_COLOURS = np.array(
    [
        [0.065, 0.028, 0.012],
        [0.10, 0.048, 0.020],
        [0.035, 0.017, 0.010],
        [0.22, 0.135, 0.055],
        [0.20, 0.20, 0.10],
        [0.16, 0.24, 0.33],
        [0.26, 0.29, 0.30],
    ],
    dtype=np.float32,
)
"""Linear RGB: browns, hazel, green, blue, grey."""
WHITE = np.array([0.66, 0.60, 0.56], dtype=np.float32)
CORNEA_RADIUS_MM = 8.0
RADII, ANGLES = 96, 256
IRIS_SHARE = 1.0
"""Of the radius of the model's iris."""


@dataclass(frozen=True, slots=True, eq=False)
class EyePaint:
    """iris : (RADII, ANGLES, 3) float32, from the pupil's centre to the limbus.
    white : (RADII, ANGLES, 3) float32, from the limbus backwards, over 2 radii of the iris.
    """

    iris: FloatArray
    white: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Eyeball:
    """centre : (3,) mm.  axis : (3,), unit, the gaze.  radius_mm, iris_mm : of the ball and the iris.  View axes."""

    centre: FloatArray
    axis: FloatArray
    radius_mm: float
    iris_mm: float


def paint_eyes(person: Person) -> EyePaint:
    """Both eyes of a person are alike."""
    rng = np.random.default_rng([person.seed, 9])
    base = IRIS_COLOURS[person.iris] * np.exp(0.15 * rng.standard_normal())
    r = np.linspace(0, 1, RADII, dtype=np.float32)[:, None]
    fibres = _polar_noise(rng, 2, 90) + 0.6 * _polar_noise(rng, 5, 60)
    clouds = _polar_noise(rng, 4, 9)
    collar = np.exp(-(((r - 0.52 - 0.03 * _polar_noise(rng, 1, 20)) / 0.09) ** 2))
    shade = 1.0 + 0.34 * fibres * np.clip(r * 2 - 0.5, 0, 1) + 0.22 * clouds + 0.5 * collar
    shade = np.clip(shade, 0.25, 2.6)
    inner = base * np.array([1.5, 1.05, 0.65], dtype=np.float32)
    colour = shade[..., None] * (base + (inner - base) * collar[..., None] * 0.8)
    limbus = 1 / (1 + np.exp(-(r - 0.88) / 0.035))
    colour = colour * (1 - 0.82 * limbus[..., None])
    pupil = rng.uniform(0.30, 0.44)
    hole = 1 / (1 + np.exp((r - pupil) / 0.018))
    colour = colour * (1 - hole[..., None]) + 0.003 * hole[..., None]

    out = np.linspace(0, 1, RADII, dtype=np.float32)[:, None]
    redness = 0.25 + 0.6 * rng.random()
    veins = _veins(rng, int(10 + 22 * redness))
    back = np.clip(out * 1.3, 0, 1)
    white = WHITE * (1 - 0.10 * max((person.age_years - 40) / 40, 0) * np.array([0.2, 0.5, 1.3], dtype=np.float32))
    flesh = np.array([1.0, 0.80, 0.76], dtype=np.float32)
    white = white * (1 + (flesh - 1) * (redness * back**2)[..., None])
    white = white * (1 - 0.5 * redness * (veins * back)[..., None] * np.array([0.25, 0.9, 0.9], dtype=np.float32))
    grey = 1 - 0.25 * np.exp(-out / 0.05)
    return EyePaint(np.clip(colour, 0.002, 0.9).astype(np.float32), (white * grey[..., None]).astype(np.float32))


def _polar_noise(rng: np.random.Generator, radial: int, angular: int) -> FloatArray:
    coarse = rng.standard_normal((radial + 2, angular)).astype(np.float32)
    ring = np.concatenate([coarse, coarse[:, :4]], axis=1)
    wide = cv2.resize(ring, (int(ANGLES * (angular + 4) / angular), RADII), interpolation=cv2.INTER_CUBIC)
    noise: FloatArray = wide[:, :ANGLES] * 0.8
    return noise


def _veins(rng: np.random.Generator, n: int) -> FloatArray:
    veins = np.zeros((RADII, ANGLES), dtype=np.float32)
    for _ in range(n):
        angle, row = rng.uniform(0, ANGLES), float(RADII)
        points = []
        reach = rng.uniform(0.15, 0.75) * RADII
        while row > reach:
            points.append((angle, row))
            row -= rng.uniform(2, 5)
            angle += rng.normal(0, 2.2)
        if len(points) > 1:
            line = np.rint(np.array(points) * 16).astype(np.int32)
            cv2.polylines(veins, [line], False, float(rng.uniform(0.25, 0.8)), 1, cv2.LINE_AA, 4)
    soft: FloatArray = cv2.GaussianBlur(veins, (0, 0), 0.8)
    return soft


def find_eyeballs(head: HeadModel, vertices: FloatArray) -> tuple[Eyeball, Eyeball]:
    """Right and left eye. vertices : (n_vertices, 3) mm, in any frame; the results are in it too."""
    balls, irises = region_vertices(head, "eyeball"), region_vertices(head, "iris")
    found = []
    for side in (-1, 1):
        ball = vertices[balls[np.sign(head.mean[balls, 0]) == side]].astype(np.float64)
        iris = vertices[irises[np.sign(head.mean[irises, 0]) == side]].astype(np.float64)
        # |p|^2 = 2 c.p + r^2 - |c|^2 is linear in what is sought.
        middle = ball.mean(axis=0)
        p = ball - middle
        solution = np.linalg.lstsq(np.column_stack([2 * p, np.ones(len(p))]), (p**2).sum(axis=1), rcond=None)[0]
        centre = solution[:3] + middle
        radius = float(np.sqrt(solution[3] + (solution[:3] ** 2).sum()))
        axis = iris.mean(axis=0) - centre
        axis /= np.linalg.norm(axis)
        off = iris - centre
        across = np.linalg.norm(off - (off @ axis)[:, None] * axis, axis=1)
        found.append(Eyeball(centre, axis, radius, IRIS_SHARE * float(across.max())))
    return found[0], found[1]


def paint_pixels(
    eyes: tuple[Eyeball, Eyeball], paint: EyePaint, points: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Of points (n, 3) on eyeballs, mm: colour, normal of the ball and of the wet surface over it, (n, 3) each."""
    distance = np.stack([np.linalg.norm(points - eye.centre, axis=1) for eye in eyes])
    nearer = np.argmin(distance, axis=0)
    colour = np.zeros_like(points)
    ball_normal, wet_normal = np.zeros_like(points), np.zeros_like(points)
    for k, eye in enumerate(eyes):
        mine = nearer == k
        if not mine.any():
            continue
        off = points[mine] - eye.centre
        along = off @ eye.axis
        across = off - along[:, None] * eye.axis
        r = np.linalg.norm(across, axis=1)
        up = np.array([0.0, 1.0, 0.0]) - eye.axis[1] * eye.axis
        up /= np.linalg.norm(up)
        right = np.cross(up, eye.axis)
        angle = np.arctan2(across @ right, across @ up) % (2 * np.pi)
        column = (angle / (2 * np.pi) * ANGLES).astype(np.float32)
        share = r / eye.iris_mm
        iris = _look(paint.iris, column, share * (RADII - 1))
        white = _look(paint.white, column, (share - 1) / 2 * (RADII - 1))
        inside = np.clip((1.0 - share) / 0.06 + 0.5, 0, 1).astype(np.float32)
        colour[mine] = inside[:, None] * iris + (1 - inside[:, None]) * white
        ball = off / np.linalg.norm(off, axis=1, keepdims=True)
        ball_normal[mine] = ball
        # The cornea is a smaller sphere, set so that it meets the ball at the limbus.
        tilt = np.clip(across / CORNEA_RADIUS_MM, -0.95, 0.95)
        bulge = tilt + np.sqrt(np.maximum(1 - (tilt**2).sum(axis=1), 0.05))[:, None] * eye.axis
        blend = np.clip((1.15 - share) / 0.3, 0, 1)[:, None]
        wet = ball * (1 - blend) + bulge * blend
        wet_normal[mine] = wet / np.linalg.norm(wet, axis=1, keepdims=True)
    return colour, ball_normal, wet_normal


def _look(table: FloatArray, column: FloatArray, row: FloatArray) -> FloatArray:
    padded = np.concatenate([table, table[:, :2]], axis=1)
    return sampled(padded, column, row)
