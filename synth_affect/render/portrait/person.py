"""What a rendered person looks like besides the shape of the head: skin, hair, eyes, clothes.

Every range here is judgement, by eye on sheets of faces, unless a source stands beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from synth_affect.render.portrait.pigment import TYPOLOGY_RANGE_DEG


class HairStyle(StrEnum):
    """How the hair of the head is worn."""

    BALD = "bald"
    BUZZ = "buzz"
    CROP = "crop"
    SIDE_PART = "side_part"
    SWEPT_BACK = "swept_back"
    BOB = "bob"
    LONG = "long"
    WAVY = "wavy"
    CURLY = "curly"
    AFRO = "afro"
    TIED_BACK = "tied_back"
    THINNING = "thinning"
    BEANIE = "beanie"


class Beard(StrEnum):
    """What grows on the lower face."""

    NONE = "none"
    SHADOW = "shadow"
    STUBBLE = "stubble"
    SHORT = "short"
    MOUSTACHE = "moustache"
    GOATEE = "goatee"


class Clothing(StrEnum):
    """What is worn about the neck."""

    CREW = "crew"
    TURTLENECK = "turtleneck"
    WIDE = "wide"


@dataclass(frozen=True, slots=True)
class Person:
    """age_years : of skin and hair; the head's shape does not follow it.
    masculinity : in [0, 1], of brows, beard, hair and make-up; the head's shape does not follow it.
    typology_deg : individual typology angle of the skin, from very light (60) to very dark (-60).
    blood : haemoglobin, 1 is usual.  freckles, wrinkles, roughness, blush : in [0, 1].
    make_up : in [0, 1], on lips and lids.  lip_colour : index of the lipstick, used where there is make-up.
    hair_style, beard, clothing : see there.  eumelanin, pheomelanin : in [0, 1], of the hair.  grey : in [0, 1].
    brow_thickness : factor.  iris : index of the iris' colour.  seed : of everything drawn in detail.
    """

    age_years: float
    masculinity: float
    typology_deg: float
    blood: float
    freckles: float
    wrinkles: float
    roughness: float
    blush: float
    make_up: float
    lip_colour: int
    hair_style: HairStyle
    beard: Beard
    clothing: Clothing
    eumelanin: float
    pheomelanin: float
    grey: float
    brow_thickness: float
    iris: int
    seed: int


N_LIPSTICKS, N_IRISES = 6, 7
_LONG_STYLES = (HairStyle.BOB, HairStyle.LONG, HairStyle.WAVY, HairStyle.TIED_BACK)
_SHORT_STYLES = (HairStyle.BUZZ, HairStyle.CROP, HairStyle.SIDE_PART, HairStyle.SWEPT_BACK)


def draw_person(rng: np.random.Generator, tone: float) -> Person:
    """A random person. tone : in [0, 1], place in the range of skin tones, which callers spread evenly."""
    low, high = TYPOLOGY_RANGE_DEG
    typology = high + tone * (low - high)
    age = float(18 + 60 * rng.beta(1.3, 1.9))
    masculinity = float(np.clip(rng.choice([0.12, 0.88]) + 0.12 * rng.standard_normal(), 0, 1))
    dark_chance = 1 / (1 + np.exp((typology - 22) / 7))
    dark = bool(rng.random() < dark_chance)
    eumelanin = float(rng.uniform(0.86, 1.0) if dark else rng.beta(1.6, 1.2))
    pheomelanin = float(rng.uniform(0, 0.25) if dark else rng.beta(1, 3))
    greying = 1 / (1 + np.exp(-(age - 56) / 6))
    grey = float(np.clip(greying + 0.12 * rng.standard_normal(), 0, 1) if age > 36 else 0.0)
    man = bool(rng.random() < masculinity)
    return Person(
        age_years=age,
        masculinity=masculinity,
        typology_deg=float(typology),
        blood=float(np.exp(0.25 * rng.standard_normal())),
        freckles=float(rng.random() ** 3 * (0.2 if dark else 1.0)),
        wrinkles=float(np.clip((age - 28) / 45 + 0.12 * rng.standard_normal(), 0.02, 1)),
        roughness=float(np.clip(rng.normal(0.45 + 0.12 * masculinity, 0.15), 0.1, 1)),
        blush=float(rng.random()),
        make_up=0.0 if man else float(max(rng.uniform(-0.6, 1.0), 0)),
        lip_colour=int(rng.integers(N_LIPSTICKS)),
        hair_style=_hair_style(rng, man, age, dark),
        beard=_beard(rng, man, age),
        clothing=Clothing(rng.choice([str(c) for c in Clothing], p=[0.6, 0.2, 0.2])),
        eumelanin=eumelanin,
        pheomelanin=pheomelanin,
        grey=grey,
        brow_thickness=float(np.exp(0.18 * rng.standard_normal()) * (0.75 + 0.45 * masculinity)),
        iris=int(rng.integers(3)) if dark else int(rng.integers(N_IRISES)),
        seed=int(rng.integers(2**31)),
    )


def _hair_style(rng: np.random.Generator, man: bool, age: float, dark: bool) -> HairStyle:
    if rng.random() < 0.05:
        return HairStyle.BEANIE
    weights = {style: 1.0 for style in (_SHORT_STYLES if man else _LONG_STYLES)}
    if man:
        weights[HairStyle.BALD] = 0.25 + 0.5 * (age > 45)
        weights[HairStyle.THINNING] = 1.0 * (age > 40)
    else:
        weights[HairStyle.CROP] = weights[HairStyle.SIDE_PART] = 0.4
    weights[HairStyle.CURLY] = 0.9
    weights[HairStyle.AFRO] = 1.2 if dark else 0.1
    styles, chances = list(weights), np.array(list(weights.values()))
    return styles[int(rng.choice(len(styles), p=chances / chances.sum()))]


def _beard(rng: np.random.Generator, man: bool, age: float) -> Beard:
    first = rng.random(2)
    if not man:
        return Beard.NONE
    chances = {
        Beard.NONE: 0.15,
        Beard.SHADOW: 0.3,
        Beard.STUBBLE: 0.25,
        Beard.SHORT: 0.18,
        Beard.MOUSTACHE: 0.05,
        Beard.GOATEE: 0.07,
    }
    return list(chances)[int(np.searchsorted(np.cumsum(list(chances.values())), first[0]))]
