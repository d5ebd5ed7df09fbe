"""Invented people: an identity of the head model, and habits in what they do with their faces, and when.

A subject is a function of (seed, index) alone. All figures are judgement, unless a source stands beside them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np

from synth_affect.affect import Emotion
from synth_affect.arrays import FloatArray, readonly
from synth_affect.blendshape.action_units import ARKIT_UNITS, UNIT_INDEX, mirrored
from synth_affect.blendshape.affect_map import ExpressionMap, default_map, periodic_slopes
from synth_affect.blendshape.synthetic.style import FaceMotion, FaceSupport, draw_motion

LARGEST_COEFFICIENT = 2.2
"""Standard deviations; heads further out look like caricatures."""

VARIANT_SHARE: dict[Emotion, dict[str, float]] = {
    Emotion.HAPPINESS: {"cheekSquint": 0.51},
    Emotion.SADNESS: {"browInnerUp": 0.60, "mouthShrug": 0.67},
    Emotion.FEAR: {"browOuterUp": 0.57, "eyeWide": 0.63},
    Emotion.ANGER: {"mouthShrug": 0.52, "mouthUpperUp": 0.26},
    Emotion.SURPRISE: {"eyeWide": 0.66},
    Emotion.DISGUST: {"browDown": 0.31},
}
"""Share of people whose expression has the unit: Du, Tao & Martinez 2014, table 1, for the AU behind it."""

WEAK_UNIT, WEAK_SHARE = 0.35, 0.7
"""Any other unit below this weight in a prototype is taken for a variant that this share of people use."""
UNUSED = 0.2
"""What is left of a variant in the faces of those who do not use it."""

CATEGORY_STRENGTH_SD = 0.15
UNIT_USE_SD = 0.15
SIDE_SD = 0.10
TEMPO_SD = 0.15
"""Standard deviations of logarithms: of a category's strength, of a unit's use, of one side's lead, of the tempo."""

DELAY_SD_S, SMILE_DELAY_S = 0.06, 0.05
"""Units start at different times; those that go with a smile within 100 ms of it (AU6 and AU25 with AU12)."""
_SMILE_UNITS = ("mouthSmile", "cheekSquint", "jawOpen", "mouthLowerDown", "mouthUpperUp")
LARGEST_DELAY_S = 0.15

BLINKS_PER_MINUTE, BLINK_RATE_SD = 17.0, 0.4
"""Bentivoglio et al. 1997: mean at rest; log-normal."""


class Stream(IntEnum):
    """What a random generator is for. Each has a stream of its own: one draw more here changes nothing there."""

    IDENTITY = 0
    STYLE = 1
    HABITS = 2
    SPONTANEOUS = 3
    POSED = 4
    ANNOTATORS = 5
    RATINGS = 6
    SCANS = 7
    POSES = 8
    EMPHASIS = 9


def generator(seed: int, stream: Stream, *indices: int) -> np.random.Generator:
    """The generator of one purpose, a function of its arguments alone."""
    return np.random.default_rng([seed, int(stream), *indices])


@dataclass(frozen=True, slots=True, eq=False)
class Habits:
    """What a person does when they feel something, and when.

    expressions : their own map from the plane to units.
    category_strength : factor on the intensity of each category; 1 where the direction alone decides.
    side_gain : (52,) factor on each unit's weight.
    delay_s : (52,) s, when each unit starts.  stretch : (52,) factor on the duration of its rise.
    tempo : factor on all durations.  blinks_per_minute : when awake.
    """

    expressions: ExpressionMap
    category_strength: dict[Emotion, float]
    side_gain: FloatArray
    delay_s: FloatArray
    stretch: FloatArray
    tempo: float
    blinks_per_minute: float

    def __post_init__(self) -> None:
        for field in ("side_gain", "delay_s", "stretch"):
            array = readonly(getattr(self, field), field, (len(ARKIT_UNITS),), np.float64)
            object.__setattr__(self, field, array)


def subject_name(index: int) -> str:
    """The subject's name in galleries and folders, from 1."""
    return f"synthetic-{index + 1:03d}"


def draw_identity(support: FaceSupport, seed: int, index: int) -> FloatArray:
    """(n_identity,) float32 standard deviations."""
    rng = generator(seed, Stream.IDENTITY, index)
    drawn = rng.standard_normal(len(support.head.identity_basis))
    coefficients: FloatArray = np.clip(drawn, -LARGEST_COEFFICIENT, LARGEST_COEFFICIENT).astype(np.float32)
    return coefficients


def draw_subject_motion(support: FaceSupport, seed: int, index: int) -> FaceMotion:
    """The person's face at rest and how it moves."""
    basis = support.head.identity_basis[:, support.vertex_of]
    identity = draw_identity(support, seed, index)
    neutral = support.mean + (identity @ basis.reshape(len(basis), -1)).reshape(-1, 3)
    scale = float(np.std(neutral, axis=0).mean() / np.std(support.mean, axis=0).mean())
    return draw_motion(support, neutral, scale, generator(seed, Stream.STYLE, index))


def draw_habits(seed: int, index: int) -> Habits:
    """The person's habits."""
    rng = generator(seed, Stream.HABITS, index)
    stems = sorted({_stem(name) for name in ARKIT_UNITS})
    stem_of = np.array([stems.index(_stem(name)) for name in ARKIT_UNITS])
    expressions = _own_map(rng, stem_of, len(stems))
    strength = {e: float(np.exp(CATEGORY_STRENGTH_SD * rng.standard_normal())) for e in Emotion}
    lead = SIDE_SD * rng.standard_normal(len(stems)) + SIDE_SD / 2 * rng.standard_normal()
    sides = np.array([name.endswith("Left") - int(name.endswith("Right")) for name in ARKIT_UNITS])
    delay = np.clip(DELAY_SD_S * rng.standard_normal(len(stems)), -LARGEST_DELAY_S, LARGEST_DELAY_S)[stem_of]
    with_smile = np.array([name.startswith(_SMILE_UNITS) for name in ARKIT_UNITS])
    delay[with_smile] = np.clip(delay[with_smile], -SMILE_DELAY_S, SMILE_DELAY_S)
    return Habits(
        expressions=expressions,
        category_strength=strength,
        side_gain=np.exp(sides * lead[stem_of]),
        delay_s=delay,
        stretch=rng.uniform(0.85, 1.25, len(stems))[stem_of],
        tempo=float(np.exp(TEMPO_SD * rng.standard_normal())),
        blinks_per_minute=BLINKS_PER_MINUTE * math.exp(BLINK_RATE_SD * rng.standard_normal() - BLINK_RATE_SD**2 / 2),
    )


def _own_map(rng: np.random.Generator, stem_of: FloatArray, n_stems: int) -> ExpressionMap:
    """The packaged map as this person shows it: some variants unused, the rest more or less, contempt on their side."""
    packaged = default_map()
    families = {}
    for emotion, weights in packaged.families.items():
        use = np.exp(UNIT_USE_SD * rng.standard_normal(n_stems))
        chance = rng.random(n_stems)
        share = _shares(emotion, weights)
        families[emotion] = weights * use[stem_of] * np.where(chance[stem_of] < share, 1.0, UNUSED)
    if rng.random() < 0.5:
        other = [UNIT_INDEX[mirrored(name)] for name in ARKIT_UNITS]
        families[Emotion.CONTEMPT] = families[Emotion.CONTEMPT][other]
    # The ring's prototypes are families too, under their own names.
    ring = [
        next(families[e] for e, weights in packaged.families.items() if np.array_equal(weights, prototype))
        for prototype in packaged.prototypes
    ]
    prototypes = np.clip(np.array(ring), 0, 1)
    return replace(
        packaged,
        prototypes=prototypes,
        slopes=periodic_slopes(packaged.directions_rad, prototypes),
        families=families,
    )


def _shares(emotion: Emotion, weights: FloatArray) -> FloatArray:
    """(52,) share of people who use each unit in this expression."""
    share = np.where(weights < WEAK_UNIT, WEAK_SHARE, 1.0)
    for unit, published in VARIANT_SHARE.get(emotion, {}).items():
        share[[name.startswith(unit) for name in ARKIT_UNITS]] = published
    return share


def _stem(name: str) -> str:
    return name.removesuffix("Left").removesuffix("Right")
