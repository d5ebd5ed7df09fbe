"""Scores: against definitions written out, numpy, scipy and torchmetrics; degenerate input; intervals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from synth_affect.errors import ShapeError
from synth_affect.regressors.metrics import concordance, score_affect

EXACT = 1e-7


def drawn(n: int = 400, seed: int = 0, noise: float = 0.4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = np.clip(rng.normal(0.1, 0.4, (n, 2)), -1, 1)
    return truth, 0.6 * truth + rng.normal(0.05, noise, (n, 2))


def concordance_by_definition(x: np.ndarray, y: np.ndarray) -> float:
    covariance = sum((a - x.mean()) * (b - y.mean()) for a, b in zip(x, y, strict=True)) / len(x)
    return float(2 * covariance / (np.var(x) + np.var(y) + (x.mean() - y.mean()) ** 2))


@pytest.mark.parametrize(("offset", "scale"), [(0.0, 1.0), (1e3, 1.0), (0.0, 1e-4)])
def test_they_are_their_definitions(offset: float, scale: float) -> None:
    truth, found = (scale * side + offset for side in drawn())
    scores = score_affect(truth, found, n_bootstrap=0)
    for d, own in enumerate((scores.valence, scores.arousal)):
        x, y = truth[:, d], found[:, d]
        assert own.ccc.value == pytest.approx(concordance_by_definition(x, y), abs=EXACT)
        assert own.pearson.value == pytest.approx(stats.pearsonr(x, y).statistic, abs=EXACT)
        assert own.mse.value == pytest.approx(np.mean((x - y) ** 2), rel=EXACT)
        assert own.rmse.value == pytest.approx(np.sqrt(np.mean((x - y) ** 2)), rel=EXACT)
        assert own.sagr.value == np.mean(np.sign(x) == np.sign(y))


def test_torchmetrics_says_the_same_but_for_the_count_in_its_concordance() -> None:
    torch, torchmetrics = pytest.importorskip("torch"), pytest.importorskip("torchmetrics")
    truth, found = drawn(50)
    found += 0.3
    x, y = torch.from_numpy(truth), torch.from_numpy(found)
    scores = score_affect(truth, found, n_bootstrap=0)
    pearson = torchmetrics.functional.pearson_corrcoef(y, x)
    mse = torchmetrics.functional.mean_squared_error(y, x, num_outputs=2)
    theirs = torchmetrics.functional.concordance_corrcoef(y, x)
    for d, own in enumerate((scores.valence, scores.arousal)):
        assert own.pearson.value == pytest.approx(float(pearson[d]), abs=EXACT)
        assert own.mse.value == pytest.approx(float(mse[d]), abs=EXACT)
        # With n - 1 below the variances and n below nothing else:
        s = np.cov(truth[:, d], found[:, d], ddof=1)
        apart = truth[:, d].mean() - found[:, d].mean()
        assert float(theirs[d]) == pytest.approx(2 * s[0, 1] / (s[0, 0] + s[1, 1] + apart**2), abs=EXACT)
        assert abs(float(theirs[d]) - own.ccc.value) > 1e-5


def test_zero_is_a_sign_of_its_own() -> None:
    truth = np.array([[0.0, 0.5], [0.0, -0.5], [0.3, 0.0], [-0.2, 0.1]])
    found = np.array([[0.0, 0.1], [0.1, 0.1], [0.0, 0.0], [-0.9, -0.1]])
    scores = score_affect(truth, found, n_bootstrap=0)
    assert scores.valence.sagr.value == 0.5
    assert scores.arousal.sagr.value == 0.5


@pytest.mark.parametrize("constant", [0.0, 0.1, -1.0])
def test_what_is_constant_has_a_stated_score(constant: float) -> None:
    truth, found = drawn(30)
    one_sided = score_affect(truth, np.full_like(found, constant))
    assert one_sided.valence.ccc.value == 0
    assert np.isnan(one_sided.valence.pearson.value)
    assert one_sided.valence.mse.value == pytest.approx(np.mean((truth[:, 0] - constant) ** 2))
    both = score_affect(np.full_like(truth, 0.1), np.full_like(found, constant))
    assert np.isnan(both.valence.ccc.value)
    assert both.described()["valence"]["ccc"] == {"value": None, "low": None, "high": None}


def test_one_sample_has_an_error_and_no_correlation() -> None:
    scores = score_affect([[0.5, 0.2]], [[0.25, 0.2]])
    assert (scores.n, scores.valence.mse.value, scores.arousal.mse.value) == (1, 0.0625, 0.0)
    assert np.isnan(scores.valence.ccc.value)
    assert np.isnan([scores.valence.mse.low, scores.valence.mse.high]).all()


@pytest.mark.parametrize(
    ("truth", "found", "said"),
    [
        (np.zeros((0, 2)), np.zeros((0, 2)), "one sample or more"),
        (np.zeros((3, 2)), np.zeros((4, 2)), r"prediction: expected \(3, 2\)"),
        (np.zeros(3), np.zeros(3), "truth"),
        (np.zeros((3, 2)), np.full((3, 2), np.nan), "finite"),
    ],
)
def test_what_has_no_score_is_refused(truth: np.ndarray, found: np.ndarray, said: str) -> None:
    with pytest.raises(ShapeError, match=said):
        score_affect(truth, found)


def test_groups_must_be_of_all_samples() -> None:
    with pytest.raises(ShapeError, match="groups"):
        score_affect(*drawn(10), groups=["a"] * 9)


def test_intervals_are_those_of_samples_drawn_anew() -> None:
    truth, found = drawn(60)
    scores = score_affect(truth, found, n_bootstrap=300, seed=4)
    rng = np.random.default_rng(4)
    naive = []
    for _ in range(300):
        take = rng.integers(60, size=60)
        naive.append(concordance_by_definition(truth[take, 0], found[take, 0]))
    low, high = np.percentile(naive, [2.5, 97.5])
    assert scores.valence.ccc.low == pytest.approx(low, abs=EXACT)
    assert scores.valence.ccc.high == pytest.approx(high, abs=EXACT)
    assert scores.valence.ccc.low < scores.valence.ccc.value < scores.valence.ccc.high


def test_copies_of_a_person_do_not_narrow_the_interval_of_people() -> None:
    truth, found = drawn(40)
    people = [f"{i}" for i in range(40)]
    once = score_affect(truth, found, groups=people)
    often = score_affect(np.repeat(truth, 9, axis=0), np.repeat(found, 9, axis=0), groups=np.repeat(people, 9).tolist())
    by_sample = score_affect(np.repeat(truth, 9, axis=0), np.repeat(found, 9, axis=0))
    assert often.n_groups == 40
    assert often.valence.ccc.low == pytest.approx(once.valence.ccc.low, abs=EXACT)
    width = often.valence.ccc.high - often.valence.ccc.low
    assert by_sample.valence.ccc.high - by_sample.valence.ccc.low < 0.5 * width


def test_concordance_of_itself_is_one() -> None:
    truth, _ = drawn(20)
    assert concordance(truth[:, 0], truth[:, 0]) == pytest.approx(1.0, abs=1e-12)
    assert concordance(truth[:, 0], -truth[:, 0]) < 0
