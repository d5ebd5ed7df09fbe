import numpy as np
import pytest

from synth_affect.blendshape.action_units import ARKIT_UNITS, UNIT_INDEX
from synth_affect.blendshape.synthetic.sequences import (
    BASIC_EXPRESSIONS,
    FRAMES_PER_SECOND,
    SequencePlan,
    plan_posed,
    plan_spontaneous,
)
from synth_affect.blendshape.synthetic.subjects import draw_habits
from synth_affect.blendshape.synthetic.timing import blinks, glances, minimum_jerk, tremor

EYES = [k for k, name in enumerate(ARKIT_UNITS) if name.startswith("eye")]
REST = [k for k in range(len(ARKIT_UNITS)) if k not in EYES]


@pytest.fixture(scope="module")
def spontaneous() -> list[SequencePlan]:
    return [plan_spontaneous(draw_habits(0, subject), 0, subject, take) for subject in range(12) for take in range(9)]


@pytest.fixture(scope="module")
def posed() -> list[SequencePlan]:
    return [plan_posed(draw_habits(0, subject), 0, subject, take) for subject in range(4) for take in range(6)]


def test_recordings_start_neutral_and_come_back(spontaneous: list[SequencePlan], posed: list[SequencePlan]) -> None:
    for plan in [*spontaneous, *posed]:
        assert not plan.weights[:5].any()
        assert plan.weights[-1, REST].max() < 1e-9
        ends = np.stack([plan.valence, plan.arousal])[:, [0, -1]]
        np.testing.assert_allclose(ends, 0, atol=1e-12)
        assert plan.weights.min() >= 0
        assert plan.weights.max() <= 1


def test_nothing_jumps(spontaneous: list[SequencePlan], posed: list[SequencePlan]) -> None:
    for plan in [*spontaneous, *posed]:
        # The fastest is a posed onset of .3 s: minimum jerk peaks at 15/8 of the mean speed; people differ.
        assert np.abs(np.diff(plan.weights[:, REST], axis=0)).max() < 15 / 8 / (0.3 * 0.5 * FRAMES_PER_SECOND)
        assert np.abs(np.diff(plan.valence)).max() < 0.12
        assert np.abs(np.diff(plan.weights[:, EYES], axis=0)).max() < 0.6  # blinks close within 80 ms


def test_length_and_coverage_are_those_of_the_protocol(spontaneous: list[SequencePlan]) -> None:
    lengths = [len(plan.weights) for plan in spontaneous]
    assert 340 < np.mean(lengths) < 440
    points = np.concatenate([np.stack([plan.valence, plan.arousal], axis=1) for plan in spontaneous])
    cells, _, _ = np.histogram2d(points[:, 0], points[:, 1], bins=10, range=[[-1, 1]] * 2)
    assert (cells > 0).mean() > 0.85
    assert (points[:, 1] < -0.3).mean() > 0.1
    assert not any(plan.posed for plan in spontaneous)
    assert len({plan.category for plan in spontaneous}) > 8


def test_posed_recordings_have_a_category_and_an_apex_at_their_peak(posed: list[SequencePlan]) -> None:
    for k, plan in enumerate(posed):
        assert plan.posed
        assert plan.category == BASIC_EXPRESSIONS[k % 6]
        (apex,) = np.nonzero(plan.apex)
        assert 10 < len(apex) < 150
        assert np.all(np.diff(apex) == 1)
        strength = plan.weights[:, REST].sum(axis=1)
        assert strength[apex].min() > 0.75 * strength.max()
        assert strength[~plan.apex].mean() < 0.6 * strength[plan.apex].mean()


def test_a_smile_brings_the_cheeks_along_within_a_tenth_of_a_second() -> None:
    happiness = BASIC_EXPRESSIONS.index("happiness")
    seen = 0
    for subject in range(30):
        plan = plan_posed(draw_habits(0, subject), 0, subject, happiness)
        starts = [
            int(np.argmax(plan.weights[:, UNIT_INDEX[unit]] > 0.02 * plan.weights[:, UNIT_INDEX[unit]].max()))
            for unit in ("mouthSmileLeft", "cheekSquintLeft")
        ]
        if plan.weights[:, UNIT_INDEX["cheekSquintLeft"]].max() > 0.2:
            seen += 1
            assert abs(starts[0] - starts[1]) <= 0.2 * FRAMES_PER_SECOND
    assert seen > 8


def test_a_recording_depends_on_its_own_numbers_alone() -> None:
    habits = draw_habits(3, 5)
    once, again = plan_spontaneous(habits, 3, 5, 7), plan_spontaneous(draw_habits(3, 5), 3, 5, 7)
    np.testing.assert_array_equal(once.weights, again.weights)
    np.testing.assert_array_equal(once.valence, again.valence)
    for seed, subject, take in ((4, 5, 7), (3, 6, 7), (3, 5, 8)):
        other = plan_spontaneous(habits, seed, subject, take)
        assert other.weights.shape != once.weights.shape or np.any(other.weights != once.weights)


def test_minimum_jerk_starts_and_ends_at_rest() -> None:
    phase = np.linspace(-0.5, 1.5, 201)
    step = minimum_jerk(phase)
    np.testing.assert_allclose(step[[0, 50, 100, 150, 200]], [0, 0, 0.5, 1, 1], atol=1e-12)
    assert np.gradient(step, phase).max() == pytest.approx(15 / 8, rel=1e-3)


def test_tremor_has_unit_variance_and_blinks_their_rate() -> None:
    time_s = np.arange(60 * 600) / 60
    signals = tremor(time_s, 50, (0.7, 5.0), np.random.default_rng(0))
    assert signals.shape == (len(time_s), 50)
    assert signals.std() == pytest.approx(1, abs=0.05)
    closed = blinks(time_s, 17, np.random.default_rng(1))
    starts = np.count_nonzero((closed[:-1] == 0) & (closed[1:] > 0))
    assert starts / 10 == pytest.approx(17, rel=0.25)
    assert closed[0] == 0
    assert closed.max() == pytest.approx(1, abs=0.02)
    gaze = glances(time_s, np.random.default_rng(2))
    assert not gaze[0].any()
    assert 0.05 < gaze.std() < 0.3
