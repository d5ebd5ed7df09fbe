"""How well predictions of valence and arousal agree with labels: CCC, Pearson, MSE, RMSE, SAGR, bootstrap intervals.

Moments are those of the population (divided by n) throughout. torchmetrics' concordance divides the variances by n - 1
but not the squared difference of the means, and so depends on n; hence the formulas stand here, on float64. Its Pearson
correlation and mean squared error are the same numbers as ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synth_affect.arrays import FloatArray, readonly
from synth_affect.errors import ShapeError

N_BOOTSTRAP, LEVEL = 1000, 0.95
_CONSTANT = 1e-14
"""Share of the squared scale of the values below which a variance is that of a constant, but for rounding."""


@dataclass(frozen=True, slots=True)
class Score:
    """value : NaN where it is undefined.  low, high : ends of the percentile interval; NaN where there is none."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class DimensionScores:
    """Of valence, or of arousal.

    ccc : Lin's concordance, 2 s_xy / (s_x^2 + s_y^2 + (m_x - m_y)^2): 0 when one side is constant, NaN when both are.
    pearson : NaN when either side is constant.
    mse, rmse : in units of the labels.
    sagr : share of the samples whose signs agree; 0 is a sign of its own, which agrees with 0 alone.
    """

    ccc: Score
    pearson: Score
    mse: Score
    rmse: Score
    sagr: Score


@dataclass(frozen=True, slots=True)
class AffectScores:
    """n : samples.  n_groups : what the bootstrap drew: samples, or groups of them."""

    n: int
    n_groups: int
    valence: DimensionScores
    arousal: DimensionScores

    @property
    def mean_ccc(self) -> float:
        """(CCC of valence + CCC of arousal) / 2."""
        return (self.valence.ccc.value + self.arousal.ccc.value) / 2

    def described(self) -> dict[str, Any]:
        """As JSON values; what is undefined is None."""
        found: dict[str, Any] = without_nan(asdict(self))
        return found


def score_affect(
    truth: npt.ArrayLike,
    prediction: npt.ArrayLike,
    *,
    groups: Sequence[str] | None = None,
    n_bootstrap: int = N_BOOTSTRAP,
    seed: int = 0,
) -> AffectScores:
    """Scores of (n, 2) predictions, valence and arousal, over all samples at once.

    groups : of each sample: a person or a recording; the bootstrap then draws groups, because the samples of one are
        alike. None: it draws samples.
    n_bootstrap : resamples; 0 for no intervals. Resamples in which a score is undefined are left out of its interval,
        and there is none where they are more than half, or where there is one group.
    Raises ShapeError for no sample, other shapes, or values that are not finite.
    """
    x = readonly(truth, "truth", ("n", 2), np.float64)
    y = readonly(prediction, "prediction", (len(x), 2), np.float64)
    if len(x) == 0:
        raise ShapeError("truth", "one sample or more", x.shape)
    names: npt.NDArray[Any] = np.arange(len(x)) if groups is None else np.unique(groups, return_inverse=True)[1]
    if len(names) != len(x):
        raise ShapeError("groups", (len(x),), (len(names),))
    n_groups = int(names.max()) + 1
    dimensions = [_score(x[:, d], y[:, d], names, n_groups, n_bootstrap, seed) for d in range(2)]
    return AffectScores(len(x), n_groups, *dimensions)


def concordance(truth: FloatArray, prediction: FloatArray) -> float:
    """CCC of two (n,) sequences; see `DimensionScores`."""
    moments = _Moments.of(np.asarray(truth, dtype=np.float64), np.asarray(prediction, dtype=np.float64))
    return float(moments.scores(moments.rows.sum(axis=0))[0])


@dataclass(frozen=True, slots=True, eq=False)
class _Moments:
    """rows : (n, 7) what sums of samples need: 1, x, y, x x, y y, x y (of centred x, y), whether signs agree.
    offset : mean x - mean y, which centring took away.  least : variances of x and y that are those of constants.
    """

    rows: FloatArray
    offset: float
    least: tuple[float, float]

    @classmethod
    def of(cls, x: FloatArray, y: FloatArray) -> _Moments:
        cx, cy = x - x.mean(), y - y.mean()
        rows = np.stack([np.ones_like(x), cx, cy, cx * cx, cy * cy, cx * cy, np.sign(x) == np.sign(y)], axis=1)
        least = (_CONSTANT * float(np.square(x).max()), _CONSTANT * float(np.square(y).max()))
        return cls(rows, float(x.mean() - y.mean()), least)

    def scores(self, sums: FloatArray) -> FloatArray:
        """(..., 5): CCC, Pearson, MSE, RMSE, SAGR of (..., 7) sums of rows."""
        n = sums[..., 0]
        mx, my, xx, yy, xy, agree = (sums[..., i] / n for i in range(1, 7))
        vx, vy, cov, apart = xx - mx * mx, yy - my * my, xy - mx * my, mx - my + self.offset
        still_x, still_y = vx <= self.least[0], vy <= self.least[1]
        cov = np.where(still_x | still_y, 0.0, cov)
        with np.errstate(divide="ignore", invalid="ignore"):
            ccc = np.where(still_x & still_y, np.nan, 2 * cov / (vx + vy + apart * apart))
            pearson = np.where(still_x | still_y, np.nan, cov / np.sqrt(vx * vy))
        mse = np.maximum(xx + yy - 2 * xy + 2 * (mx - my) * self.offset + self.offset**2, 0.0)
        return np.stack([ccc, np.clip(pearson, -1, 1), mse, np.sqrt(mse), agree], axis=-1)


def _score(
    x: FloatArray, y: FloatArray, groups: npt.NDArray[Any], n_groups: int, n_bootstrap: int, seed: int
) -> DimensionScores:
    moments = _Moments.of(x, y)
    values = moments.scores(moments.rows.sum(axis=0))
    # Of the samples themselves: sums of squares lose half the digits where predictions are nearly right.
    values[2] = np.mean(np.square(x - y))
    values[3] = np.sqrt(values[2])
    low = high = np.full(5, np.nan)
    if n_bootstrap > 0 and n_groups > 1:
        sums = np.stack([np.bincount(groups, weights=column, minlength=n_groups) for column in moments.rows.T], axis=1)
        rng = np.random.default_rng(seed)
        draws = (rng.integers(n_groups, size=n_groups) for _ in range(n_bootstrap))
        drawn = moments.scores(np.stack([np.bincount(draw, minlength=n_groups) @ sums for draw in draws]))
        low, high = _interval(drawn)
    return DimensionScores(*(Score(float(v), float(a), float(b)) for v, a, b in zip(values, low, high, strict=True)))


def _interval(drawn: FloatArray) -> tuple[FloatArray, FloatArray]:
    ends = np.full((2, drawn.shape[1]), np.nan)
    for place, column in enumerate(drawn.T):
        defined = column[np.isfinite(column)]
        if 2 * len(defined) > len(column):
            ends[:, place] = np.percentile(defined, [50 * (1 - LEVEL), 50 * (1 + LEVEL)])
    return ends[0], ends[1]


def without_nan(value: Any) -> Any:
    """`value` of JSON's kinds with None for each NaN."""
    if isinstance(value, dict):
        return {name: without_nan(part) for name, part in value.items()}
    return None if isinstance(value, float) and np.isnan(value) else value
