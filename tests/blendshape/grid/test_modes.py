from __future__ import annotations

import numpy as np

from synth_affect.blendshape.grid.modes import modes_of

METRIC = np.eye(4)


def faces(rng: np.random.Generator, direction: int, size: float, count: int) -> np.ndarray:
    """(count, 4): of one kind and size, with the spread that grows with how much a face moves."""
    return np.asarray(size * (np.eye(4)[direction] + rng.normal(0, 0.15, (count, 4))))


def test_the_kind_that_most_show_wins_though_faint_faces_lie_closer_together() -> None:
    rng = np.random.default_rng(0)
    weights = np.concatenate([faces(rng, 0, 4.0, 120), faces(rng, 1, 0.5, 80)])
    found = modes_of(weights, METRIC, np.full(200, 1 / 200))
    assert len(found) >= 2
    assert np.argmax(found[0].weights) == 0
    assert 3.6 < found[0].weights[0] < 4.4
    assert np.argmax(found[1].weights) == 1


def test_a_kind_moves_as_far_as_its_faces_and_not_as_a_mean_of_kinds() -> None:
    rng = np.random.default_rng(1)
    weights = np.concatenate([faces(rng, 0, 3.0, 90), faces(rng, 2, 3.0, 60)])
    found = modes_of(weights, METRIC, np.full(150, 1 / 150))
    assert found[0].weights[0] > 2.7
    assert abs(found[0].weights[2]) < 0.3
    assert np.abs(found[0].near[:, 0] - 3).mean() < 0.6


def test_shares_count_and_not_frames() -> None:
    rng = np.random.default_rng(2)
    weights = np.concatenate([faces(rng, 0, 3.0, 150), faces(rng, 1, 3.0, 50)])
    shares = np.concatenate([np.full(150, 0.2 / 150), np.full(50, 0.8 / 50)])
    assert np.argmax(modes_of(weights, METRIC, shares)[0].weights) == 1


def test_faces_that_are_all_alike_are_one_kind() -> None:
    found = modes_of(np.tile([1.0, 2.0, 0.0, 0.0], (5, 1)), METRIC, np.full(5, 0.2))
    assert len(found) == 1
    np.testing.assert_allclose(found[0].weights, [1, 2, 0, 0])


def test_what_most_of_a_kind_do_is_not_diluted_by_those_who_leave_it_out() -> None:
    rng = np.random.default_rng(3)
    weights = faces(rng, 0, 4.0, 100)
    weights[:, 1] = rng.permutation(np.repeat([1.0, 0.0], [65, 35])) + rng.normal(0, 0.05, 100)
    found = modes_of(weights, METRIC, np.full(100, 1 / 100))
    assert found[0].weights[1] > 0.9
