import numpy as np
import pytest

from synth_affect.blendshape.synthetic.annotators import ERROR_SD, Annotators, draw_annotators, label, rate
from synth_affect.blendshape.synthetic.recordings import (
    AnnotationCeiling,
    GalleryRecipe,
    annotation_ceiling,
    concordance,
)
from synth_affect.blendshape.synthetic.sequences import SequencePlan, plan_spontaneous
from synth_affect.blendshape.synthetic.subjects import draw_habits
from synth_affect.errors import InputError


def steady(valence: float, arousal: float, n_frames: int = 120) -> SequencePlan:
    return SequencePlan(
        posed=False,
        category=None,
        weights=np.zeros((n_frames, 52)),
        valence=np.full(n_frames, valence),
        arousal=np.full(n_frames, arousal),
        apex=np.zeros(n_frames, bool),
    )


def faultless(n: int, lag_s: float = 0.0) -> Annotators:
    return Annotators(gain=np.ones((n, 2)), bias=np.zeros((n, 2)), lag_s=np.full(n, lag_s))


def test_one_annotator_errs_as_much_as_published() -> None:
    rng = np.random.default_rng(0)
    said = np.stack([rate(faultless(8), steady(0.1, -0.1), rng) for _ in range(150)])
    np.testing.assert_allclose(said.std(axis=(0, 1, 2)), ERROR_SD, rtol=0.1)
    np.testing.assert_allclose(said.mean(axis=(0, 1, 2)), [0.1, -0.1], atol=0.03)


def test_the_mean_of_many_errs_less_and_errors_are_smooth_in_time() -> None:
    annotators, plan = draw_annotators(0), steady(0.2, 0.2)
    errors = np.stack([label(annotators, plan, 0, subject, 0) for subject in range(120)]) - 0.2
    one = ERROR_SD[0] / np.sqrt(len(annotators.lag_s))
    assert errors[..., 0].std() == pytest.approx(one, rel=0.25)
    assert np.abs(np.diff(errors, axis=1)).max() < 0.03


def test_a_lag_comes_late() -> None:
    felt = np.clip(np.arange(240) / 60 - 1, 0, 1)
    plan = SequencePlan(False, None, np.zeros((240, 52)), felt, felt, np.zeros(240, bool))
    rng, same = np.random.default_rng(1), np.random.default_rng(1)
    late, prompt = rate(faultless(1, 0.5), plan, rng)[0], rate(faultless(1), plan, same)[0]
    moved = (prompt - late)[:, 0]
    assert moved[61:90].min() > 0
    assert moved[100] == pytest.approx(0.5, abs=0.01)


def test_labels_stay_on_the_scale() -> None:
    annotators, habits = draw_annotators(0), draw_habits(0, 0)
    for take in range(20):
        labels = label(annotators, plan_spontaneous(habits, 0, 0, take), 0, 0, take)
        assert labels.dtype == np.float32
        assert np.abs(labels).max() <= 1


def test_the_ceiling_is_below_agreement_and_above_chance() -> None:
    ceiling = annotation_ceiling(GalleryRecipe(6, 40, 0))
    assert isinstance(ceiling, AnnotationCeiling)
    assert 0.8 < ceiling.ccc_valence < 0.98
    assert 0.75 < ceiling.ccc_arousal < 0.98
    assert 0 < ceiling.mse_valence < 0.06
    # The best gain and bias never agree less; these annotators' mean gain is near 1, so they win little.
    assert 0 < ceiling.reachable_ccc_valence - ceiling.ccc_valence < 0.05
    assert 0 < ceiling.reachable_ccc_arousal - ceiling.ccc_arousal < 0.05
    with pytest.raises(InputError, match="--sequences"):
        annotation_ceiling(GalleryRecipe(6, 0, 0))


def test_concordance_of_a_shifted_copy() -> None:
    one = np.random.default_rng(2).standard_normal((1000, 1))
    assert concordance(one, one)[0] == pytest.approx(1)
    variance = one.var()
    assert concordance(one, one + 0.5)[0] == pytest.approx(2 * variance / (2 * variance + 0.25))
