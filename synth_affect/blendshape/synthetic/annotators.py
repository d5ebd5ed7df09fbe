"""Those who watch the recordings and say, for each frame, what is felt. The label is their mean.

Each has a gain and a bias of their own on either dimension, is a little late, and errs: mostly about the whole
recording, the rest in slow drifts. Standard deviations of one annotator's error: AffectNet's two annotators differ by
an RMSE of .340 / .362, which is .24 / .26 each; 25 raters of single pictures (AffectNet-C25) spread by .26 / .41.
Annotators of video react 1 to 6 s late (Mariooryad & Busso 2015); labels of short recordings are brought back by each
one's lag, and what is left here is the error of that. Gains, biases and the split of the error are judgement.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_affect.arrays import FloatArray, readonly
from synth_affect.blendshape.synthetic.sequences import FRAMES_PER_SECOND, SequencePlan
from synth_affect.blendshape.synthetic.subjects import Stream, generator
from synth_affect.blendshape.synthetic.timing import tremor

N_ANNOTATORS = 6
ERROR_SD = (0.25, 0.32)
"""Of one annotator, valence and arousal, about their own gain, bias and lag."""
WHOLE_RECORDING = 0.6
"""Share of that variance that is one error for a whole recording; the rest drifts."""
DRIFT_PERIODS_S = (1.5, 8.0)
GAIN_SD, BIAS_SD = 0.12, 0.05
LAG_S = (0.0, 0.4)
"""What is left after each one's lag was taken out; give `draw_annotators` 1 to 3 s to imitate uncorrected labels."""


@dataclass(frozen=True, slots=True, eq=False)
class Annotators:
    """gain, bias : (n_annotators, 2) float64, of valence and arousal.  lag_s : (n_annotators,) float64."""

    gain: FloatArray
    bias: FloatArray
    lag_s: FloatArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "gain", readonly(self.gain, "gain", ("n_annotators", 2), np.float64))
        object.__setattr__(self, "bias", readonly(self.bias, "bias", self.gain.shape, np.float64))
        object.__setattr__(self, "lag_s", readonly(self.lag_s, "lag_s", self.gain.shape[:1], np.float64))


def draw_annotators(seed: int, *, lag_s: tuple[float, float] = LAG_S) -> Annotators:
    """The annotators of a gallery. lag_s : range of their lags."""
    rng = generator(seed, Stream.ANNOTATORS)
    return Annotators(
        gain=np.exp(GAIN_SD * rng.standard_normal((N_ANNOTATORS, 2))),
        bias=BIAS_SD * rng.standard_normal((N_ANNOTATORS, 2)),
        lag_s=rng.uniform(*lag_s, N_ANNOTATORS),
    )


def rate(annotators: Annotators, plan: SequencePlan, rng: np.random.Generator) -> FloatArray:
    """(n_annotators, n_frames, 2) float64 in [-1, 1]: valence and arousal that each says of each frame."""
    felt = np.stack([plan.valence, plan.arousal], axis=1)
    time_s = np.arange(len(felt)) / FRAMES_PER_SECOND
    n = len(annotators.lag_s)
    whole = rng.standard_normal((n, 1, 2))
    drift = tremor(time_s, 2 * n, DRIFT_PERIODS_S, rng).reshape(-1, n, 2).transpose(1, 0, 2)
    error = np.sqrt(WHOLE_RECORDING) * whole + np.sqrt(1 - WHOLE_RECORDING) * drift
    late = np.stack(
        [
            np.stack([np.interp(time_s - lag, time_s, felt[:, dimension]) for dimension in range(2)], axis=1)
            for lag in annotators.lag_s
        ]
    )
    said = annotators.gain[:, None] * late + annotators.bias[:, None] + np.array(ERROR_SD) * error
    on_scale: FloatArray = np.clip(said, -1, 1)  # which ends there
    return on_scale


def label(annotators: Annotators, plan: SequencePlan, seed: int, subject: int, take: int) -> FloatArray:
    """(n_frames, 2) float32: the mean that the annotators give to the spontaneous recording `take` of a person."""
    said = rate(annotators, plan, generator(seed, Stream.RATINGS, subject, take))
    mean: FloatArray = said.mean(axis=0).astype(np.float32)
    return mean
