import numpy as np
import pytest

from synth_affect.affect import Emotion, position, ring
from synth_affect.errors import InputError
from synth_affect.pipelines.judges.classes import (
    ceiling_readings,
    class_positions,
    expected_valence_arousal,
    parse_class,
)
from synth_affect.regressors.metrics import concordance

SEVEN = ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral")


def test_databases_own_names_are_understood() -> None:
    assert [parse_class(name) for name in ("Happy", "anger", " sad ")] == [
        Emotion.HAPPINESS,
        Emotion.ANGER,
        Emotion.SADNESS,
    ]


def test_a_class_without_a_place_is_named() -> None:
    with pytest.raises(InputError, match="'other' has no position"):
        class_positions(["anger", "other"])


def test_an_expectation_over_one_class_is_its_position() -> None:
    positions = class_positions(SEVEN)
    happy = position(Emotion.HAPPINESS)
    assert expected_valence_arousal(np.eye(7)[3], positions) == pytest.approx((happy.valence, happy.arousal))
    half = expected_valence_arousal(np.array([0, 0, 0, 2, 0, 0, 2.0]), positions)
    assert half == pytest.approx((happy.valence / 2, happy.arousal / 2))


def test_the_ceiling_is_the_nearest_mixture_of_classes() -> None:
    rng = np.random.default_rng(3)
    positions = np.array(class_positions(SEVEN))
    targets = rng.uniform(-1, 1, (40, 2))
    best = ceiling_readings(targets, positions)
    mixtures = rng.dirichlet(np.full(7, 0.15), 20000) @ positions
    nearest = np.linalg.norm(targets[:, np.newaxis] - mixtures, axis=2).min(axis=1)
    distance = np.linalg.norm(targets - best, axis=1)
    assert (distance <= nearest + 1e-12).all()
    assert (nearest <= distance + 0.03).all()
    np.testing.assert_allclose(ceiling_readings(positions[:1], positions), positions[:1])


def test_two_classes_reach_a_line_and_one_a_point() -> None:
    line = ceiling_readings(np.array([(0.5, 0.9), (2.0, 0.0)]), [(0.0, 0.0), (1.0, 0.0)])
    np.testing.assert_allclose(line, [(0.5, 0.0), (1.0, 0.0)])
    np.testing.assert_allclose(ceiling_readings(np.array([(0.5, 0.9)]), [(0.2, 0.1)]), [(0.2, 0.1)])


def test_no_targets_have_no_ceiling() -> None:
    assert ceiling_readings(np.zeros((0, 2)), class_positions(SEVEN)).shape == (0, 2)


def test_a_judge_of_classes_cannot_see_low_arousal() -> None:
    targets = np.array([(target.valence, target.arousal) for target in ring()])
    best = ceiling_readings(targets, class_positions(SEVEN))
    valence, arousal = (concordance(targets[:, axis], best[:, axis]) for axis in (0, 1))
    assert 0.9 < valence < 1
    assert 0.6 < arousal < valence - 0.1
