"""Light as rooms and weather make it: an environment with windows, sky and walls, and lamps that cast shadows.

None of it is made of spherical harmonics: edges of windows and small suns are as sharp as the panorama.
Convention: view axes are x right, y up, z to the viewer; `Lights.radiance` is a panorama whose middle looks at the
viewer (+z), its right half to +x, its first row straight up.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from synth_affect.arrays import FloatArray, readonly
from synth_affect.render.portrait.sampling import sampled

PANORAMA = (64, 128)


@dataclass(frozen=True, slots=True, eq=False)
class Lamp:
    """towards : (3,) float32, unit, view axes, from the face to the lamp.  radius_rad : of its disc.
    strength : (3,) float32, linear RGB, radiance of a white surface that faces it.
    """

    towards: FloatArray
    radius_rad: float
    strength: FloatArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "towards", readonly(self.towards, "towards", (3,), np.float32))
        object.__setattr__(self, "strength", readonly(self.strength, "strength", (3,), np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class Lights:
    """name : of the kind of place.  radiance : (64, 128, 3) float32, linear, of the surroundings.  lamps : besides."""

    name: str
    radiance: FloatArray
    lamps: tuple[Lamp, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "radiance", readonly(self.radiance, "radiance", (*PANORAMA, 3), np.float32))


PLACES = ("overcast", "window", "studio", "sun", "room", "evening")


def panorama_directions() -> FloatArray:
    """(64, 128, 3) float32, unit, view axes: where each pixel of a panorama looks."""
    height, width = PANORAMA
    down = (np.arange(height) + 0.5) / height * np.pi
    around = (np.arange(width) + 0.5 - width / 2) / width * 2 * np.pi
    sine = np.sin(down)[:, None]
    directions = np.stack(
        [sine * np.sin(around), np.broadcast_to(np.cos(down)[:, None], PANORAMA), sine * np.cos(around)], axis=-1
    )
    return directions.astype(np.float32)


def look_up(panorama: FloatArray, directions: FloatArray) -> FloatArray:
    """(..., 3) float32: a panorama (64, 128, 3) in directions (..., 3), unit, view axes."""
    height, width = panorama.shape[:2]
    columns = np.arctan2(directions[..., 0], directions[..., 2]) * np.float32(width / (2 * np.pi)) + (width / 2 - 0.5)
    rows = np.arccos(np.clip(directions[..., 1], -1, 1)) * np.float32(height / np.pi) - 0.5
    padded = np.concatenate([panorama[:, -1:], panorama, panorama[:, :1]], axis=1)
    return sampled(padded, columns + 1, rows)


def blurred_panorama(radiance: FloatArray, width_rad: float) -> FloatArray:
    """`radiance` through a Gaussian of this width; a little too narrow near the poles."""
    pixels = width_rad * PANORAMA[1] / (2 * np.pi)
    pad = int(3 * pixels) + 1
    wide = np.concatenate([radiance[:, -pad:], radiance, radiance[:, :pad]], axis=1)
    return np.ascontiguousarray(cv2.GaussianBlur(wide, (0, 0), pixels)[:, pad:-pad])


def draw_lights(rng: np.random.Generator) -> Lights:
    """The light of a random place, by which a white face that looks at the viewer has a radiance of about 1."""
    name = str(rng.choice(PLACES, p=[0.17, 0.24, 0.22, 0.12, 0.16, 0.09]))
    directions = panorama_directions()
    radiance, lamps = _PLACES[name](rng, directions)
    grain = cv2.resize(rng.standard_normal((9, 17)).astype(np.float32), PANORAMA[::-1], interpolation=cv2.INTER_CUBIC)
    radiance = np.maximum(radiance * np.exp(0.25 * grain)[..., None], 0.004).astype(np.float32)
    total = _on_face(radiance, directions) + sum(
        float(lamp.strength.mean()) * max(float(lamp.towards[2]) + 0.15, 0.1) for lamp in lamps
    )
    scale = np.float32(1 / total)
    lamps = [Lamp(lamp.towards, lamp.radius_rad, scale * lamp.strength) for lamp in lamps]
    return Lights(name, scale * radiance, tuple(lamps))


def _on_face(radiance: FloatArray, directions: FloatArray) -> float:
    solid = np.sqrt(np.maximum(1 - directions[..., 1] ** 2, 0))
    solid *= 4 * np.pi / solid.sum()
    return float((radiance.mean(axis=2) * np.maximum(directions[..., 2], 0) * solid).sum() / np.pi)


def _unit(x: float, y: float, z: float) -> FloatArray:
    vector = np.array([x, y, z], dtype=np.float32)
    return vector / np.linalg.norm(vector)


def _at(azimuth_deg: float, elevation_deg: float) -> FloatArray:
    a, e = np.radians(azimuth_deg), np.radians(elevation_deg)
    return _unit(np.cos(e) * np.sin(a), np.sin(e), np.cos(e) * np.cos(a))


def _gradient(directions: FloatArray, up: FloatArray, level: FloatArray, down: FloatArray) -> FloatArray:
    y = directions[..., 1:2]
    return np.where(
        y > 0, level + (up - level) * np.sqrt(np.maximum(y, 0)), level + (down - level) * np.minimum(-2 * y, 1)
    )


def _warm(kelvin: float) -> FloatArray:
    """Roughly the colour of light of this temperature, with a mean of 1, against daylight."""
    t = (kelvin - 6500) / 6500
    colour = np.array([1 - 0.55 * t, 1 - 0.05 * abs(t), 1 + 0.75 * t])
    light: FloatArray = (np.clip(colour, 0.1, 3) / colour.mean()).astype(np.float32)
    return light


def _panel(
    directions: FloatArray, azimuth_deg: float, elevation_deg: float, half_width: float, half_height: float
) -> FloatArray:
    """1 inside a rectangle of these half-sizes (tangents) in that direction, 0 elsewhere."""
    forward = _at(azimuth_deg, elevation_deg)
    right = _unit(forward[2], 0, -forward[0])
    up = np.cross(forward, right)
    along = directions @ forward
    with np.errstate(divide="ignore", invalid="ignore"):
        x, y = (directions @ right) / along, (directions @ up) / along
    inside = (along > 0) & (np.abs(x) < half_width) & (np.abs(y) < half_height)
    return inside[..., None].astype(np.float32)


def _overcast(rng: np.random.Generator, directions: FloatArray) -> tuple[FloatArray, list[Lamp]]:
    sky = _warm(rng.uniform(6200, 8000))
    ground = np.array([0.22, 0.20, 0.16]) * rng.uniform(0.5, 1.3)
    radiance = _gradient(directions, 1.3 * sky, rng.uniform(0.4, 0.9) * sky, ground)
    towards = _at(rng.uniform(-60, 60), rng.uniform(35, 65))
    return radiance, [Lamp(towards, np.radians(22), rng.uniform(0.5, 1.1) * sky)]


def _window(rng: np.random.Generator, directions: FloatArray) -> tuple[FloatArray, list[Lamp]]:
    wall = np.array([0.16, 0.145, 0.125]) * rng.uniform(0.6, 1.8)
    radiance = _gradient(directions, 1.2 * wall, wall, 0.6 * wall)
    side = rng.choice([-1, 1])
    azimuth, elevation = side * rng.uniform(15, 75), rng.uniform(5, 30)
    day = _warm(rng.uniform(5600, 7500))
    width, height = rng.uniform(0.3, 0.7), rng.uniform(0.4, 0.8)
    pane = _panel(directions, azimuth, elevation, width, height)
    bars = _panel(directions, azimuth, elevation, 0.03, height) + _panel(directions, azimuth, elevation, width, 0.03)
    radiance = radiance + rng.uniform(2, 4) * day * pane * (1 - np.minimum(bars, 1))
    return radiance, [Lamp(_at(azimuth, elevation), np.radians(16), rng.uniform(1.0, 2.0) * day)]


def _studio(rng: np.random.Generator, directions: FloatArray) -> tuple[FloatArray, list[Lamp]]:
    wall = np.full(3, rng.uniform(0.05, 0.25))
    radiance = _gradient(directions, wall, wall, wall)
    colour = _warm(rng.uniform(5000, 6500))
    side = rng.choice([-1, 1])
    azimuth, elevation = side * rng.uniform(20, 50), rng.uniform(20, 45)
    radiance = radiance + 5.0 * colour * _panel(directions, azimuth, elevation, 0.28, 0.28)
    radiance = radiance + rng.uniform(0.5, 2.0) * colour * _panel(directions, -side * rng.uniform(30, 60), 5, 0.5, 0.6)
    lamps = [Lamp(_at(azimuth, elevation), np.radians(11), rng.uniform(1.0, 1.8) * colour)]
    if rng.random() < 0.6:
        rim = _at(-side * rng.uniform(115, 150), rng.uniform(15, 40))
        lamps.append(Lamp(rim, np.radians(9), rng.uniform(0.8, 2.2) * _warm(rng.uniform(4500, 7000))))
    return radiance, lamps


def _sun(rng: np.random.Generator, directions: FloatArray) -> tuple[FloatArray, list[Lamp]]:
    sky = np.array([0.35, 0.5, 0.8]) * rng.uniform(0.7, 1.3)
    ground = np.array([0.34, 0.30, 0.22]) * rng.uniform(0.6, 1.4)
    radiance = _gradient(directions, sky, 1.1 * sky + 0.15, ground)
    towards = _at(rng.uniform(-80, 80), rng.uniform(22, 60))
    return radiance, [Lamp(towards, np.radians(2.2), rng.uniform(1.4, 2.4) * np.array([1.12, 1.0, 0.85]))]


def _room(rng: np.random.Generator, directions: FloatArray) -> tuple[FloatArray, list[Lamp]]:
    warm = _warm(rng.uniform(3600, 5200))
    wall = np.array([0.42, 0.39, 0.35]) * rng.uniform(0.5, 1.2) * warm
    radiance = _gradient(directions, 1.3 * wall, wall, 0.5 * wall)
    lamps = []
    for _ in range(2):
        azimuth, elevation = rng.uniform(-110, 110), rng.uniform(30, 70)
        radiance = radiance + 4.0 * warm * _panel(directions, azimuth, elevation, 0.18, 0.18)
        lamps.append(Lamp(_at(azimuth, elevation), np.radians(9), rng.uniform(0.4, 0.9) * warm))
    return radiance, lamps


def _evening(rng: np.random.Generator, directions: FloatArray) -> tuple[FloatArray, list[Lamp]]:
    sky = np.array([0.42, 0.42, 0.55]) * rng.uniform(0.7, 1.2)
    glow = np.maximum(directions @ _at(rng.uniform(-80, 80), 5), 0)[..., None] ** 4
    radiance = _gradient(directions, 0.8 * sky, sky, 0.4 * sky) + glow * np.array([1.1, 0.65, 0.35])
    towards = _at(rng.uniform(-85, 85), rng.uniform(6, 18))
    return radiance, [Lamp(towards, np.radians(4), rng.uniform(0.9, 1.7) * np.array([1.35, 0.95, 0.6]))]


_PLACES = {
    "overcast": _overcast,
    "window": _window,
    "studio": _studio,
    "sun": _sun,
    "room": _room,
    "evening": _evening,
}
