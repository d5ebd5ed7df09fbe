"""One person's skin, painted on the chart: colour, relief and gloss, from pigments and anatomy."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from synth_affect.arrays import FloatArray, readonly
from synth_affect.render.portrait.anatomy import Anatomy, blurred
from synth_affect.render.portrait.chart import TEXEL_MM, Chart
from synth_affect.render.portrait.facial_hair import brow_colour
from synth_affect.render.portrait.person import Beard, HairStyle, Person
from synth_affect.render.portrait.pigment import hair_reflectance, melanin_of, skin_reflectance

LIPSTICKS = np.array(
    [
        [0.42, 0.06, 0.07],
        [0.30, 0.03, 0.05],
        [0.50, 0.14, 0.13],
        [0.38, 0.10, 0.14],
        [0.20, 0.03, 0.05],
        [0.52, 0.20, 0.17],
    ],
    dtype=np.float32,
)
"""Linear RGB."""


@dataclass(frozen=True, slots=True, eq=False)
class Skin:
    """On the chart: colour : (height, width, 3) float32, linear reflectance.  relief_mm : (height, width) float32.
    roughness : (height, width) float32 in (0, 1], of the surface's reflection.
    """

    colour: FloatArray
    relief_mm: FloatArray
    roughness: FloatArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "colour", readonly(self.colour, "colour", ("height", "width", 3), np.float32))
        shape = self.colour.shape[:2]
        object.__setattr__(self, "relief_mm", readonly(self.relief_mm, "relief_mm", shape, np.float32))
        object.__setattr__(self, "roughness", readonly(self.roughness, "roughness", shape, np.float32))


def smooth_noise(rng: np.random.Generator, shape: tuple[int, int], width_mm: float) -> FloatArray:
    """(height, width) float32 noise of about unit variance and this grain."""
    step = max(width_mm / TEXEL_MM, 1.0)
    coarse = rng.standard_normal((int(shape[0] / step) + 3, int(shape[1] / step) + 3)).astype(np.float32)
    if step == 1.0:
        return np.ascontiguousarray(coarse[: shape[0], : shape[1]])
    noise: FloatArray = cv2.resize(coarse, None, fx=step, fy=step, interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(noise[: shape[0], : shape[1]]) * np.float32(1.25)


def paint_skin(chart: Chart, anatomy: Anatomy, person: Person) -> Skin:
    """The skin of a person at rest."""
    rng = np.random.default_rng([person.seed, 1])
    shape = (chart.size.height, chart.size.width)
    melanin, blood = _pigments(anatomy, person, rng, shape)
    colour = skin_reflectance(melanin, blood)
    colour = _with_lips(colour, anatomy, person, rng)
    colour = _with_stubble(colour, anatomy, person, rng)
    colour = _with_brows(colour, anatomy, person)
    colour = _with_scalp(colour, anatomy, person, rng)
    colour = _with_make_up(colour, anatomy, person)
    return Skin(
        colour=np.clip(colour, 0.004, 0.95).astype(np.float32),
        relief_mm=_relief(chart, anatomy, person, rng),
        roughness=_roughness(anatomy, person, rng, shape),
    )


def _pigments(
    anatomy: Anatomy, person: Person, rng: np.random.Generator, shape: tuple[int, int]
) -> tuple[FloatArray, FloatArray]:
    base = melanin_of(person.typology_deg, person.blood)
    uneven = 0.02 + 0.045 * person.age_years / 60
    patches = 0.7 * smooth_noise(rng, shape, 16.0) + 0.4 * smooth_noise(rng, shape, 5.0)
    melanin = np.full(shape, base, dtype=np.float32) * (1 + uneven * patches)
    melanin += 0.018 * smooth_noise(rng, shape, 1.0) + 0.03 * smooth_noise(rng, shape, 2.2)
    melanin += 0.10 * base * (anatomy.under_eyes * 0.9 + anatomy.lids) + 0.03 * anatomy.under_eyes
    melanin += _freckles(anatomy, person, rng, shape) + _moles(person, rng, shape)
    blood = np.full(shape, person.blood, dtype=np.float32)
    flushed = 0.5 + 1.3 * person.blush
    blood += flushed * (0.40 * anatomy.cheeks + 0.55 * anatomy.nose) + 0.5 * anatomy.lids + 0.45 * anatomy.under_eyes
    blood += 0.8 * np.minimum(anatomy.lid_rims, 1)
    blood *= 1 + 0.10 * smooth_noise(rng, shape, 8.0) + 0.10 * smooth_noise(rng, shape, 2.5)
    blood += (0.10 + 0.15 * person.roughness) * np.maximum(smooth_noise(rng, shape, 1.4) - 0.6, 0)
    return np.maximum(melanin, 0.02), np.maximum(blood, 0.05)


def _freckles(anatomy: Anatomy, person: Person, rng: np.random.Generator, shape: tuple[int, int]) -> FloatArray:
    spots = smooth_noise(rng, shape, 1.8) + 0.5 * smooth_noise(rng, shape, 6.0)
    where = np.minimum(0.35 + 1.2 * (anatomy.cheeks + anatomy.nose), 1.3) * (1 - anatomy.lips)
    freckles: FloatArray = 0.45 * person.freckles * where * np.clip(spots - 1.1, 0, 1)
    aged = smooth_noise(rng, shape, 3.5) + 0.5 * smooth_noise(rng, shape, 9.0)
    return freckles + 0.30 * max((person.age_years - 45) / 35, 0) * np.clip(aged - 1.7, 0, 0.7)


def _moles(person: Person, rng: np.random.Generator, shape: tuple[int, int]) -> FloatArray:
    moles = np.zeros(shape, dtype=np.float32)
    for _ in range(int(rng.poisson(7))):
        centre = rng.uniform([0.22 * shape[1], 0.15 * shape[0]], [0.78 * shape[1], 0.95 * shape[0]])
        radius = rng.uniform(0.4, 1.3) / TEXEL_MM
        strength = rng.uniform(0.3, 1.0)
        cv2.circle(
            moles, tuple(np.rint(centre * 16).astype(int).tolist()), int(radius * 16), strength, -1, cv2.LINE_AA, 4
        )
    return blurred(moles, 0.35)


def _with_lips(colour: FloatArray, anatomy: Anatomy, person: Person, rng: np.random.Generator) -> FloatArray:
    shape = colour.shape[:2]
    base = melanin_of(person.typology_deg, person.blood)
    streaks = cv2.GaussianBlur(rng.standard_normal(shape).astype(np.float32), (0, 0), sigmaX=0.9, sigmaY=4.0)
    streaks /= streaks.std()
    own = skin_reflectance(0.25 + 0.62 * base + 0.05 * streaks, 3.3 + 0.5 * person.blood + 0.35 * streaks)
    worn = LIPSTICKS[person.lip_colour] * (1 + 0.05 * streaks[..., None])
    cover = 0.85 * min(person.make_up * 1.6, 1.0)
    lips = (1 - cover) * own + cover * worn
    lips *= 1 - 0.30 * anatomy.lip_line[..., None]
    share = anatomy.lips[..., None] * (0.72 + 0.28 * cover)
    mixed: FloatArray = (1 - share) * colour + share * lips
    return mixed


def _with_stubble(colour: FloatArray, anatomy: Anatomy, person: Person, rng: np.random.Generator) -> FloatArray:
    shown = {Beard.NONE: 0.06 * person.masculinity, Beard.SHADOW: 0.45, Beard.STUBBLE: 0.75}.get(person.beard, 0.55)
    if shown < 0.03:
        return colour
    hair = hair_reflectance(person.eumelanin, person.pheomelanin, person.grey)
    shape = colour.shape[:2]
    dots = np.clip(smooth_noise(rng, shape, 0.8) - 0.2, 0, 1.3)
    even = 1 + 0.25 * smooth_noise(rng, shape, 8.0)
    amount = shown * anatomy.beard * even * (0.30 + 0.55 * dots)
    amount = np.clip(amount, 0, 0.85)[..., None]
    # Through the skin over them, roots look bluish.
    below = 0.55 * hair + 0.45 * colour * np.array([0.50, 0.58, 0.66], dtype=np.float32)
    mixed: FloatArray = (1 - amount) * colour + amount * below
    return mixed


def _with_brows(colour: FloatArray, anatomy: Anatomy, person: Person) -> FloatArray:
    """The roots of the brows darken the skin between the hairs."""
    hair = brow_colour(person)
    amount = np.clip(0.42 * person.brow_thickness * anatomy.brows, 0, 0.6)[..., None]
    mixed: FloatArray = (1 - amount) * colour + amount * (0.6 * hair + 0.25 * colour)
    return mixed


def _with_scalp(colour: FloatArray, anatomy: Anatomy, person: Person, rng: np.random.Generator) -> FloatArray:
    shown = {HairStyle.BALD: 0.12, HairStyle.BEANIE: 0.3, HairStyle.BUZZ: 0.85, HairStyle.THINNING: 0.2}.get(
        person.hair_style, 0.7
    )
    hair = hair_reflectance(person.eumelanin, person.pheomelanin, person.grey)
    dots = np.clip(0.85 + 0.25 * smooth_noise(rng, colour.shape[:2], 0.8), 0, 1.4)
    edge = np.clip(
        anatomy.hair + 0.18 * smooth_noise(rng, colour.shape[:2], 1.5) * (anatomy.hair * (1 - anatomy.hair) * 4), 0, 1
    )
    amount = np.clip(shown * edge * dots, 0, 0.92)[..., None]
    mixed: FloatArray = (1 - amount) * colour + amount * (0.5 * hair + 0.06 * colour)
    return mixed


def _with_make_up(colour: FloatArray, anatomy: Anatomy, person: Person) -> FloatArray:
    if person.make_up < 0.15:
        return colour
    shadows = np.array([[0.55, 0.42, 0.36], [0.50, 0.40, 0.46], [0.42, 0.42, 0.46]], dtype=np.float32)
    tint = shadows[person.seed % len(shadows)]
    amount = (0.75 * person.make_up * anatomy.lids)[..., None]
    colour = colour * (1 - amount + amount * tint)
    blush = (0.25 * person.make_up * anatomy.cheeks)[..., None]
    painted: FloatArray = colour * (1 - blush + blush * np.array([1.0, 0.62, 0.62], dtype=np.float32))
    return painted


def _relief(chart: Chart, anatomy: Anatomy, person: Person, rng: np.random.Generator) -> FloatArray:
    shape = (chart.size.height, chart.size.width)
    fine = smooth_noise(rng, shape, 0.4) + 1.3 * smooth_noise(rng, shape, 0.9)
    pores = -np.clip(smooth_noise(rng, shape, 1.1) - 0.7, 0, 1.5)
    oily = 0.6 + 0.7 * (anatomy.cheeks + anatomy.nose)
    relief = (0.3 + person.roughness) * (0.012 * fine + 0.045 * oily * pores)
    relief += 0.04 * (0.3 + person.wrinkles) * smooth_noise(rng, shape, 3.0) + 0.10 * smooth_noise(rng, shape, 9.0)
    streaks = cv2.GaussianBlur(rng.standard_normal(shape).astype(np.float32), (0, 0), sigmaX=1.0, sigmaY=5.0)
    streaks /= streaks.std()
    lips = np.minimum(anatomy.lips * 1.2, 1)
    mixed: FloatArray = (1 - lips) * relief + lips * (0.035 * streaks) - 0.15 * anatomy.lip_line
    return mixed.astype(np.float32)


def _roughness(anatomy: Anatomy, person: Person, rng: np.random.Generator, shape: tuple[int, int]) -> FloatArray:
    rough = 0.50 - 0.08 * (anatomy.nose + 0.4 * anatomy.cheeks) + 0.04 * smooth_noise(rng, shape, 6.0)
    rough += 0.06 * (person.make_up - 0.3)
    gloss = 0.33 - 0.10 * person.make_up
    lips = np.minimum(anatomy.lips * 1.1, 1)
    mixed: FloatArray = (1 - lips) * rough + lips * gloss
    wet = np.minimum(anatomy.lid_rims, 1)
    mixed = mixed - 0.10 * wet
    return np.clip(mixed, 0.2, 0.8).astype(np.float32)
