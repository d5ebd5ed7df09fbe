"""How well predicted categories agree with labels: accuracy, mean recall, confusion; bootstrap intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synth_affect.errors import ShapeError
from synth_affect.regressors.metrics import LEVEL, N_BOOTSTRAP, Score, without_nan


@dataclass(frozen=True, slots=True)
class ClassScores:
    """n : samples.  n_groups : what the bootstrap drew.
    accuracy : share of the samples.  mean_recall : mean over the categories of the share of each that was found; of the
        categories that there are.
    confusion : rows are the categories of the labels, columns the predictions; counts.
    """

    n: int
    n_groups: int
    categories: tuple[str, ...]
    accuracy: Score
    mean_recall: Score
    confusion: tuple[tuple[int, ...], ...]

    def described(self) -> dict[str, Any]:
        """As JSON values; what is undefined is None."""
        found: dict[str, Any] = without_nan(asdict(self))
        return found


def score_classes(
    truth: npt.NDArray[np.int64],
    predicted: npt.NDArray[np.int64],
    categories: Sequence[str],
    *,
    groups: Sequence[str] | None = None,
    n_bootstrap: int = N_BOOTSTRAP,
    seed: int = 0,
) -> ClassScores:
    """Scores of (n,) predicted numbers of `categories`.

    groups : see `metrics.score_affect`.
    Raises ShapeError for no sample, or different counts.
    """
    if len(truth) == 0 or predicted.shape != truth.shape:
        raise ShapeError("predicted", f"one number for each of {len(truth)} labels, one or more", predicted.shape)
    names: npt.NDArray[Any] = np.arange(len(truth)) if groups is None else np.unique(groups, return_inverse=True)[1]
    n_groups, k = int(names.max()) + 1, len(categories)
    counts = np.zeros((n_groups, k, k))
    np.add.at(counts, (names, truth, predicted), 1)
    rng = np.random.default_rng(seed)
    drawn = [
        _rates(np.tensordot(np.bincount(rng.integers(n_groups, size=n_groups), minlength=n_groups), counts, 1))
        for _ in range(n_bootstrap if n_groups > 1 else 0)
    ]
    confusion = counts.sum(axis=0)
    accuracy, mean_recall = _rates(confusion)
    return ClassScores(
        n=len(truth),
        n_groups=n_groups,
        categories=tuple(categories),
        accuracy=_scored(accuracy, [rates[0] for rates in drawn]),
        mean_recall=_scored(mean_recall, [rates[1] for rates in drawn]),
        confusion=tuple(tuple(int(cell) for cell in row) for row in confusion),
    )


def share_text(score: Mapping[str, float | None]) -> str:
    """A `Score` as `described` gives it, in per cent: 67% [63, 71]."""
    value, low, high = score["value"], score["low"], score["high"]
    if value is None:
        return "undefined"
    return f"{value:.0%}" if low is None or high is None else f"{value:.0%} [{100 * low:.0f}, {100 * high:.0f}]"


def _scored(value: float, drawn: Sequence[float]) -> Score:
    low, high = np.percentile(drawn, [50 * (1 - LEVEL), 50 * (1 + LEVEL)]) if drawn else (math.nan, math.nan)
    return Score(value, float(low), float(high))


def _rates(confusion: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Accuracy, and mean recall."""
    of_each, right = confusion.sum(axis=1), np.diag(confusion)
    there = of_each > 0
    return float(right.sum() / of_each.sum()), float(np.mean(right[there] / of_each[there]))
