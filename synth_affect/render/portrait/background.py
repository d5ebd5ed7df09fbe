"""What is behind a person, out of focus: paper, walls with windows and furniture, trees with light between them."""

from __future__ import annotations

import cv2
import numpy as np

from synth_affect.arrays import FloatArray
from synth_affect.heads.camera import ImageSize
from synth_affect.render.portrait.lights import Lights


def draw_background(lights: Lights, size: ImageSize, rng: np.random.Generator) -> FloatArray:
    """(height, width, 3) float32, linear light, lit as the person is."""
    level = lights.radiance.mean(axis=(0, 1)) + 0.35 * sum(
        (lamp.strength for lamp in lights.lamps), np.zeros(3, dtype=np.float32)
    )
    kind = rng.choice(["paper", "room", "outdoors"], p=_CHANCES.get(lights.name, (0.3, 0.6, 0.1)))
    # Drawn at one size and enlarged, so that the same seed gives the same place at every size of picture.
    canvas = {"paper": _paper, "room": _room, "outdoors": _outdoors}[str(kind)](rng)
    canvas = np.clip(canvas * level, 0.0, 4.0).astype(np.float32)
    reduced: FloatArray = cv2.resize(canvas, (size.width, size.height), interpolation=cv2.INTER_LINEAR)
    return np.maximum(reduced, 0)


_CANVAS = 256
_CHANCES = {
    "studio": (0.85, 0.15, 0.0),
    "sun": (0.15, 0.35, 0.5),
    "evening": (0.15, 0.35, 0.5),
    "overcast": (0.2, 0.4, 0.4),
}


def _tint(rng: np.random.Generator, strength: float) -> FloatArray:
    tint = np.exp(strength * rng.standard_normal(3))
    colour: FloatArray = (tint / tint.mean()).astype(np.float32)
    return colour


def _paper(rng: np.random.Generator) -> FloatArray:
    rows, columns = np.mgrid[:_CANVAS, :_CANVAS].astype(np.float32) / _CANVAS - 0.5
    centre = rng.normal(0, 0.2, 2)
    far = (columns - centre[0]) ** 2 + (rows - centre[1]) ** 2
    shade = rng.choice([0.06, 0.2, 0.5, 0.95]) * np.exp(0.2 * rng.standard_normal())
    light = shade * (0.45 + 0.75 * np.exp(-far / 0.18)) * (1 + rng.normal(0, 0.4) * columns)
    paper: FloatArray = light[..., None] * _tint(rng, 0.14)
    return paper


def _room(rng: np.random.Generator) -> FloatArray:
    canvas = np.ones((_CANVAS, _CANVAS, 3), dtype=np.float32) * 0.45 * _tint(rng, 0.12) * rng.uniform(0.4, 1.5)
    floor = int(_CANVAS * rng.uniform(0.6, 1.1))
    canvas[floor:] = 0.25 * _tint(rng, 0.25)
    for _ in range(rng.integers(4, 12)):
        x, y = rng.integers(-40, _CANVAS, 2)
        w, h = rng.integers(14, 120), rng.integers(20, 170)
        shade = rng.choice([0.06, 0.15, 0.35, 0.8, 2.2], p=[0.25, 0.25, 0.25, 0.15, 0.1])
        colour = shade * _tint(rng, 0.3)
        cv2.rectangle(canvas, (int(x), int(y)), (int(x + w), int(y + h)), colour.tolist(), -1, cv2.LINE_AA)
    slope = 1 + rng.normal(0, 0.35) * (np.arange(_CANVAS, dtype=np.float32) / _CANVAS - 0.5)
    return _defocused(canvas * slope[None, :, None], float(rng.uniform(2.5, 11)))


def _outdoors(rng: np.random.Generator) -> FloatArray:
    sky = np.array([0.8, 0.95, 1.2], dtype=np.float32) * rng.uniform(0.8, 2.0)
    green = np.array([0.16, 0.22, 0.07], dtype=np.float32) * _tint(rng, 0.25)
    grey = np.array([0.3, 0.28, 0.26], dtype=np.float32) * _tint(rng, 0.08)
    ground = green if rng.random() < 0.6 else grey
    coarse = rng.standard_normal((12, 12)).astype(np.float32)
    fine = rng.standard_normal((50, 50)).astype(np.float32)
    noise = cv2.resize(coarse, (_CANVAS, _CANVAS), interpolation=cv2.INTER_CUBIC)
    noise += 0.6 * cv2.resize(fine, (_CANVAS, _CANVAS), interpolation=cv2.INTER_CUBIC)
    horizon = rng.uniform(0.1, 0.6)
    rows = np.arange(_CANVAS, dtype=np.float32)[:, None] / _CANVAS
    open_sky = 1 / (1 + np.exp(-(horizon - rows + 0.10 * noise) / 0.04))
    canvas = open_sky[..., None] * sky + (1 - open_sky[..., None]) * ground * np.exp(0.45 * noise)[..., None]
    for _ in range(rng.integers(0, 40)):
        centre = tuple(int(v) for v in rng.integers(0, _CANVAS, 2))
        cv2.circle(canvas, centre, int(rng.integers(1, 4)), (4.0 * sky).tolist(), -1, cv2.LINE_AA)
    return _defocused(canvas.astype(np.float32), float(rng.uniform(4, 12)))


def _defocused(canvas: FloatArray, radius: float) -> FloatArray:
    """Through a round aperture, so that points become discs."""
    width = 2 * int(np.ceil(radius)) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, width)).astype(np.float32)
    blurred: FloatArray = cv2.filter2D(canvas, -1, disc / disc.sum(), borderType=cv2.BORDER_REFLECT)
    softened: FloatArray = cv2.GaussianBlur(blurred, (0, 0), max(radius / 6, 0.5))
    return softened
