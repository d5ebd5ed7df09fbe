"""What a person does in one recording: a path through the plane, and what each unit does meanwhile, frame by frame.

A recording is a function of (seed, subject, take) alone. Spontaneous ones go from neutral to one or a few points of the
plane and back. Where several categories share a point, one of them is felt; some feelings are mixtures of two. Posed
ones show one of the six basic expressions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synth_affect.affect import Emotion, ValenceArousal, position
from synth_affect.arrays import BoolArray, FloatArray, readonly
from synth_affect.blendshape.action_units import ARKIT_UNITS, UNIT_INDEX
from synth_affect.blendshape.affect_map import expression_weights
from synth_affect.blendshape.synthetic.subjects import Habits, Stream, generator
from synth_affect.blendshape.synthetic.timing import (
    POSED,
    SPONTANEOUS,
    Durations,
    blinks,
    glances,
    minimum_jerk,
    tremor,
)

FRAMES_PER_SECOND = 60

BASIC_EXPRESSIONS = (
    Emotion.ANGER,
    Emotion.DISGUST,
    Emotion.FEAR,
    Emotion.HAPPINESS,
    Emotion.SADNESS,
    Emotion.SURPRISE,
)
"""Posed take k shows the k-th."""
POSED_RADIUS = 0.95

N_TARGETS = (0.55, 0.30, 0.15)
"""Shares of spontaneous recordings with one, two and three targets."""
LEAST_RADIUS = 0.25
BEYOND_CIRCLE, LARGEST_RADIUS = 0.15, 1.3
"""Share of targets between the unit circle and the corners of the square, and how far those go."""
FELT_AS_CATEGORY, CATEGORY_REACH, CATEGORY_WIDTH = 0.4, 0.35, 0.12
"""Share of targets felt as a category within reach, and how fast its chance falls with its distance."""
MIXED = 0.3
"""Share of targets that are a mixture with a second category within reach."""

INTENSITY = 1.12
"""Factor on the intensity of all expressions. People leave units out, have milder families of expressions, and no unit
goes beyond 1; with this their faces move, in the median, as far as the map's do for the same point."""

HOLD_TREMOR, UNIT_TREMOR, TREMOR_PERIODS_S = 0.05, 0.04, (0.7, 5.0)
"""Standard deviations of the fluctuation of the whole feeling and of each unit, as shares of their strength."""
DROWSY_AROUSAL, DROWSY_BLINKS = -0.3, 1.6

_MARGIN_S = 0.25
"""Neutral at the end after everything has come back."""


@dataclass(frozen=True, slots=True, eq=False)
class SequencePlan:
    """One recording, before any geometry.

    posed, category : as in GallerySequence.
    weights : (n_frames, 52) float64 in [0, 1], in the order of ARKIT_UNITS; the first row is 0.
    valence, arousal : (n_frames,) float64, what is truly felt; annotators see it with errors.
    apex : (n_frames,) bool, every unit has arrived at the target of a recording with one target.
    """

    posed: bool
    category: Emotion | None
    weights: FloatArray
    valence: FloatArray
    arousal: FloatArray
    apex: BoolArray

    def __post_init__(self) -> None:
        weights = readonly(self.weights, "weights", ("n_frames", len(ARKIT_UNITS)), np.float64)
        object.__setattr__(self, "weights", weights)
        for field, dtype in (("valence", np.float64), ("arousal", np.float64), ("apex", np.bool_)):
            object.__setattr__(self, field, readonly(getattr(self, field), field, (len(weights),), dtype))


@dataclass(frozen=True, slots=True, eq=False)
class _Target:
    """point : on the plane.  weights : (52,) what it looks like.  category : what it is felt as, where that is one."""

    point: ValenceArousal
    weights: FloatArray
    category: Emotion | None


def plan_spontaneous(habits: Habits, seed: int, subject: int, take: int) -> SequencePlan:
    """The spontaneous recording `take`, from 0, of a person."""
    rng = generator(seed, Stream.SPONTANEOUS, subject, take)
    n_targets = 1 + int(rng.choice(len(N_TARGETS), p=N_TARGETS))
    targets = [_draw_target(habits, rng) for _ in range(n_targets)]
    return _plan(habits, targets, SPONTANEOUS, rng, posed=False)


def plan_posed(habits: Habits, seed: int, subject: int, take: int) -> SequencePlan:
    """The posed recording `take` of a person: BASIC_EXPRESSIONS[take]."""
    rng = generator(seed, Stream.POSED, subject, take)
    emotion = BASIC_EXPRESSIONS[take]
    return _plan(habits, [_as_category(habits, _at(emotion, POSED_RADIUS), emotion)], POSED, rng, posed=True)


def _at(emotion: Emotion, radius: float) -> ValenceArousal:
    direction = position(emotion).direction_rad
    return ValenceArousal(radius * math.cos(direction), radius * math.sin(direction))


def _as_category(habits: Habits, point: ValenceArousal, emotion: Emotion | None) -> _Target:
    strength = 1.0 if emotion is None else habits.category_strength[emotion]
    weights = expression_weights(point, emotion, intensity=INTENSITY * strength, expression_map=habits.expressions)
    return _Target(point, weights, emotion)


def _draw_target(habits: Habits, rng: np.random.Generator) -> _Target:
    point = _draw_point(rng)
    within_reach = [
        (emotion, distance)
        for emotion in Emotion
        if (distance := _distance(point, position(emotion))) < CATEGORY_REACH and emotion is not Emotion.NEUTRAL
    ]
    chances = np.array([math.exp(-distance / CATEGORY_WIDTH) for _, distance in within_reach])
    felt, mixed, share = rng.random() < FELT_AS_CATEGORY, rng.random() < MIXED, rng.uniform(0.15, 0.45)
    first, second = rng.random(2)
    if not within_reach:
        return _as_category(habits, point, None)
    # By the inverse of the cumulated chances, so that each target takes the same number of draws.
    cumulated = np.cumsum(chances) / chances.sum()
    one, other = (within_reach[int(np.searchsorted(cumulated, draw))][0] for draw in (first, second))
    target = _as_category(habits, point, one if felt else None)
    if not mixed or other is target.category:
        return target
    weights = (1 - share) * target.weights + share * _as_category(habits, point, other).weights
    return _Target(point, weights, None)


def _draw_point(rng: np.random.Generator) -> ValenceArousal:
    """Even in direction, and over the disc in radius; some in the corners beyond it."""
    direction = rng.uniform(0, math.tau)
    radius = math.sqrt(rng.uniform(LEAST_RADIUS**2, 1.0))
    beyond, further = rng.random() < BEYOND_CIRCLE, rng.uniform(1.0, LARGEST_RADIUS)
    edge = 1 / max(abs(math.cos(direction)), abs(math.sin(direction)))
    if beyond:
        radius = min(further, edge)
    # The cosine of an angle times the length of that edge can leave the square by a rounding error.
    return ValenceArousal(
        min(max(radius * math.cos(direction), -1.0), 1.0), min(max(radius * math.sin(direction), -1.0), 1.0)
    )


def _distance(one: ValenceArousal, other: ValenceArousal) -> float:
    return math.hypot(one.valence - other.valence, one.arousal - other.arousal)


def _plan(
    habits: Habits, targets: Sequence[_Target], durations: Durations, rng: np.random.Generator, *, posed: bool
) -> SequencePlan:
    starts, lengths, holds = _schedule(len(targets), durations, habits.tempo, rng)
    delay = np.clip(habits.delay_s + 0.01 * rng.standard_normal(len(ARKIT_UNITS)), -durations.rest[0] / 2, None)
    last_arrival = starts[-1] + lengths[-1] * habits.stretch.max() + delay.max()
    n_frames = math.ceil((last_arrival + max(holds[-1], _MARGIN_S)) * FRAMES_PER_SECOND)
    time_s = np.arange(n_frames) / FRAMES_PER_SECOND

    poses = np.array([np.zeros(len(ARKIT_UNITS)), *(t.weights for t in targets), np.zeros(len(ARKIT_UNITS))])
    points = np.array([(0.0, 0.0), *((t.point.valence, t.point.arousal) for t in targets), (0.0, 0.0)])
    weights = np.zeros((n_frames, len(ARKIT_UNITS)))
    felt = np.zeros((n_frames, 2))
    for k, (start, length) in enumerate(zip(starts, lengths, strict=True)):
        arrived = minimum_jerk((time_s[:, None] - start - delay) / (length * habits.stretch))
        weights += arrived * (poses[k + 1] - poses[k])
        felt += minimum_jerk((time_s - start) / length)[:, None] * (points[k + 1] - points[k])

    waver = tremor(time_s, 1 + len(ARKIT_UNITS), TREMOR_PERIODS_S, rng)
    together = np.clip(1 + HOLD_TREMOR * waver[:, :1], 0, None)
    felt = np.clip(felt * together, -1, 1)
    weights = weights * together * np.clip(1 + UNIT_TREMOR * waver[:, 1:], 0, None) * habits.side_gain
    weights = _with_eyes(np.clip(weights, 0, 1), time_s, _blink_rate(habits, points), rng)

    apex = np.zeros(n_frames, dtype=np.bool_)
    if len(targets) == 1:
        arrived_s = starts[0] + float((delay + lengths[0] * habits.stretch).max())
        leaves_s = starts[1] + float(min(delay.min(), 0.0))
        apex = (time_s >= arrived_s) & (time_s <= leaves_s)
    category = targets[0].category if len(targets) == 1 else None
    return SequencePlan(posed, category, weights, felt[:, 0], felt[:, 1], apex)


def _schedule(
    n_targets: int, durations: Durations, tempo: float, rng: np.random.Generator
) -> tuple[list[float], list[float], list[float]]:
    """Seconds: when each move starts, how long it takes, how long is held after it; one move more than targets."""
    starts, lengths, holds = [], [], []
    now = rng.uniform(*durations.rest)
    for move in range(n_targets + 1):
        kind = durations.onset if move == 0 else durations.offset if move == n_targets else durations.change
        length = tempo * rng.uniform(*kind)
        hold = rng.uniform(*durations.rest) if move == n_targets else tempo * rng.uniform(*durations.hold)
        starts.append(now)
        lengths.append(length)
        # Longer than the laggards take, so that a target is seen before the next.
        holds.append(hold if move == n_targets else hold + 0.25 * length)
        now += length + holds[-1]
    return starts, lengths, holds


def _blink_rate(habits: Habits, points: FloatArray) -> float:
    drowsy = points[:, 1].min() < DROWSY_AROUSAL
    return habits.blinks_per_minute * (DROWSY_BLINKS if drowsy else 1.0)


def _with_eyes(weights: FloatArray, time_s: FloatArray, blink_rate: float, rng: np.random.Generator) -> FloatArray:
    """`weights` with blinks and glances, which mean nothing and are in every recording."""
    closed = blinks(time_s, blink_rate, rng)
    left, up = glances(time_s, rng).T
    seen = weights.copy()
    for unit, glance in (
        ("eyeLookOutLeft", left),
        ("eyeLookInRight", left),
        ("eyeLookInLeft", -left),
        ("eyeLookOutRight", -left),
        ("eyeLookUpLeft", up),
        ("eyeLookUpRight", up),
        ("eyeLookDownLeft", -up),
        ("eyeLookDownRight", -up),
    ):
        # Closed lids no longer follow the gaze.
        seen[:, UNIT_INDEX[unit]] = np.clip(glance, 0, 1) * (1 - closed)
    for side in ("Left", "Right"):
        blink = UNIT_INDEX["eyeBlink" + side]
        seen[:, blink] = 1 - (1 - weights[:, blink]) * (1 - closed)
        seen[:, UNIT_INDEX["eyeWide" + side]] *= 1 - closed
    return seen
