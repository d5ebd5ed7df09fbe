"""How activity rises, holds and falls: minimum-jerk steps, slow tremor, blinks, glances.

Sources: durations are the defaults of a compilation of smile and blink studies (Schmidt, Cohn & Tian 2003; Schmidt et
al. 2006, 2009; Guo et al. 2018 for the order of spontaneous and posed; Bentivoglio et al. 1997 for the rate of blinks,
17 a minute at rest, log-normal; Ousler et al. 2014 for the share of partial blinks, 53 %); their exact bounds, and
glances, are judgement. Time is in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_affect.arrays import FloatArray

BLINK_CLOSING_S, BLINK_CLOSED_S, BLINK_OPENING_S = 0.08, 0.03, 0.16
PARTIAL_BLINKS = 0.53
GLANCE_S = 0.06
GLANCES_PER_S = 0.4
GLANCE_SD = 0.18
"""Of the weights of gaze units; 1 is about 30 degrees."""


@dataclass(frozen=True, slots=True)
class Durations:
    """Ranges (least, most) in seconds of one kind of expression.

    onset : from neutral to the first target.  hold : at a target.  change : from one target to the next.
    offset : back to neutral.  rest : neutral, before and after.
    """

    onset: tuple[float, float]
    hold: tuple[float, float]
    change: tuple[float, float]
    offset: tuple[float, float]
    rest: tuple[float, float]


# Deliberate expressions are faster and shorter; the peak speed of all is proportional to their amplitude.
SPONTANEOUS = Durations(onset=(0.5, 0.8), hold=(0.8, 2.4), change=(0.5, 0.9), offset=(0.7, 1.2), rest=(0.3, 0.7))
POSED = Durations(onset=(0.3, 0.5), hold=(0.6, 1.4), change=(0.3, 0.5), offset=(0.5, 1.0), rest=(0.3, 0.4))


def minimum_jerk(phase: FloatArray) -> FloatArray:
    """From 0 at phase <= 0 to 1 at phase >= 1, with no speed and no acceleration at either end."""
    t = np.clip(phase, 0, 1)
    step: FloatArray = t**3 * (10 + t * (6 * t - 15))
    return step


def tremor(time_s: FloatArray, n_signals: int, periods_s: tuple[float, float], rng: np.random.Generator) -> FloatArray:
    """(n_frames, n_signals): smooth random signals of unit variance, each a sum of four waves of random periods."""
    n_waves = 4
    frequency = 1 / rng.uniform(*periods_s, (n_signals, n_waves))
    phase = rng.uniform(0, 2 * np.pi, (n_signals, n_waves))
    waves = np.sin(2 * np.pi * time_s[:, None, None] * frequency + phase)
    signals: FloatArray = waves.sum(axis=2) * np.sqrt(2 / n_waves)
    return signals


def blinks(time_s: FloatArray, per_minute: float, rng: np.random.Generator) -> FloatArray:
    """(n_frames,) in [0, 1], how closed the lids are; 0 at the first frame. Intervals are exponential."""
    closed = np.zeros(len(time_s))
    duration = BLINK_CLOSING_S + BLINK_CLOSED_S + BLINK_OPENING_S
    start = time_s[0]
    while True:
        start += duration + rng.exponential(max(60 / per_minute - duration, duration))
        depth = rng.uniform(0.4, 0.9) if rng.random() < PARTIAL_BLINKS else 1.0
        if start > time_s[-1]:
            return closed
        closing = minimum_jerk((time_s - start) / BLINK_CLOSING_S)
        opening = minimum_jerk((time_s - start - BLINK_CLOSING_S - BLINK_CLOSED_S) / BLINK_OPENING_S)
        np.maximum(closed, depth * (closing - opening), out=closed)


def glances(time_s: FloatArray, rng: np.random.Generator) -> FloatArray:
    """(n_frames, 2): gaze to the subject's left and up, in weights of the gaze units; 0 at the first frame."""
    gaze = np.zeros((len(time_s), 2))
    start, last = time_s[0], np.zeros(2)
    while True:
        start += GLANCE_S + rng.exponential(1 / GLANCES_PER_S)
        # Away and back about as often.
        target = rng.normal(0, GLANCE_SD, 2) if rng.random() < 0.5 or not last.any() else np.zeros(2)
        if start > time_s[-1]:
            return gaze
        gaze += (target - last) * minimum_jerk((time_s - start) / GLANCE_S)[:, None]
        last = target
