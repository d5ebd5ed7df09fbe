"""Scores of categories against their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest

from synth_affect.errors import ShapeError
from synth_affect.regressors.class_scores import score_classes, share_text

NAMES = ("fear", "anger", "neutral")


def test_they_are_what_counting_says() -> None:
    rng = np.random.default_rng(0)
    truth, found = rng.integers(0, 2, 60), rng.integers(0, 3, 60)  # nobody is neutral
    scores = score_classes(truth, found, NAMES, groups=[str(i // 6) for i in range(60)])
    assert (scores.n, scores.n_groups) == (60, 10)
    assert scores.accuracy.value == pytest.approx(np.mean(truth == found))
    recalls = [np.mean(found[truth == k] == k) for k in (0, 1)]
    assert scores.mean_recall.value == pytest.approx(np.mean(recalls))
    assert scores.confusion[1][2] == int(np.sum((truth == 1) & (found == 2)))
    assert scores.accuracy.low < scores.accuracy.value < scores.accuracy.high


def test_one_person_has_no_interval_and_nobody_no_score() -> None:
    scores = score_classes(np.array([0, 1]), np.array([0, 1]), NAMES, groups=["a", "a"])
    assert (scores.accuracy.value, scores.mean_recall.value) == (1.0, 1.0)
    assert math.isnan(scores.accuracy.low)
    with pytest.raises(ShapeError):
        score_classes(np.zeros(0, dtype=int), np.zeros(0, dtype=int), NAMES)


def test_shares_are_told_in_per_cent_with_their_interval() -> None:
    assert share_text({"value": 0.674, "low": 0.63, "high": 0.706}) == "67% [63, 71]"
    assert share_text({"value": 1.0, "low": None, "high": None}) == "100%"
    assert share_text({"value": None, "low": None, "high": None}) == "undefined"
