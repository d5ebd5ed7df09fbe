from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from tools.cc0_head.identity import align_heads, principal_components

N_HEADS, N_VERTICES = 400, 30


@pytest.fixture
def population() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Heads, their mean and their three components at one standard deviation, of uncorrelated unit scores."""
    rng = np.random.default_rng(1)
    mean = rng.normal(0, 50, (N_VERTICES, 3))
    directions = np.linalg.qr(rng.normal(size=(N_VERTICES * 3, 3)))[0].T
    components = directions * np.array([[20.0], [8.0], [3.0]])
    scores = rng.normal(size=(N_HEADS, 3))
    scores -= scores.mean(0)
    scores = np.linalg.qr(scores)[0] * np.sqrt(N_HEADS - 1)
    return mean + (scores @ components).reshape(N_HEADS, N_VERTICES, 3), mean, components.reshape(3, N_VERTICES, 3)


def test_recovers_the_components_at_one_standard_deviation(population: tuple[np.ndarray, ...]) -> None:
    heads, true_mean, true_components = population
    mean, basis, share = principal_components(heads, np.ones(N_VERTICES), 3)
    np.testing.assert_allclose(mean, true_mean, atol=1e-9)
    assert share == pytest.approx(1, abs=1e-9)
    for found, true in zip(basis, true_components, strict=True):
        sign = np.sign((found * true).sum())
        np.testing.assert_allclose(found, sign * true, atol=1e-7)


def test_the_share_is_that_of_the_components_kept(population: tuple[np.ndarray, ...]) -> None:
    heads, _, _ = population
    _, basis, share = principal_components(heads, np.ones(N_VERTICES), 2)
    assert len(basis) == 2
    assert share == pytest.approx((20**2 + 8**2) / (20**2 + 8**2 + 3**2))


def test_scores_of_the_sample_have_unit_variance_and_no_correlation(population: tuple[np.ndarray, ...]) -> None:
    heads, _, _ = population
    weights = np.linspace(0.1, 1, N_VERTICES)
    mean, basis, _ = principal_components(heads, weights, 3)
    scores = np.linalg.lstsq(basis.reshape(3, -1).T, (heads - mean).reshape(N_HEADS, -1).T, rcond=None)[0]
    np.testing.assert_allclose(np.cov(scores), np.eye(3), atol=1e-7)


def test_weights_decide_what_comes_first() -> None:
    rng = np.random.default_rng(4)
    heads = np.zeros((N_HEADS, 2, 3))
    heads[:, 0, 0], heads[:, 1, 0] = 3 * rng.normal(size=N_HEADS), 5 * rng.normal(size=N_HEADS)
    _, (by_first,), _ = principal_components(heads, np.array([1.0, 0.1]), 1)
    _, (by_second,), _ = principal_components(heads, np.ones(2), 1)
    assert abs(by_first[0, 0]) > 2.5 > 1.0 > abs(by_first[1, 0])
    assert abs(by_second[1, 0]) > 4.5 > 1.0 > abs(by_second[0, 0])


def test_moved_turned_and_scaled_copies_become_one() -> None:
    rng = np.random.default_rng(0)
    shape = rng.normal(0, 60, (N_VERTICES, 3))
    shape -= shape.mean(0)
    scales = rng.uniform(0.8, 1.2, 12)
    turns = Rotation.from_rotvec(rng.normal(0, 0.2, (12, 3))).as_matrix()
    heads = np.stack([s * shape @ r.T + rng.normal(0, 30, 3) for s, r in zip(scales, turns, strict=True)])
    aligned = align_heads(heads, np.arange(N_VERTICES))
    np.testing.assert_allclose(aligned, np.broadcast_to(aligned[0], aligned.shape), atol=1e-8)
    assert np.linalg.norm(aligned[0]) == pytest.approx(scales.mean() * np.linalg.norm(shape), rel=1e-6)


def test_aligns_on_the_vertices_asked_for_and_never_mirrors() -> None:
    rng = np.random.default_rng(6)
    shape = rng.normal(0, 60, (N_VERTICES, 3))
    face = np.arange(20)
    heads = np.stack([shape @ Rotation.from_euler("y", a).as_matrix().T for a in (-0.3, 0.1, 0.2)])
    heads[1, 20:] += 500  # the back of one head is elsewhere
    aligned = align_heads(heads, face)
    np.testing.assert_allclose(aligned[:, face], np.broadcast_to(aligned[0, face], (3, 20, 3)), atol=1e-8)
    for head in aligned:
        turn = np.linalg.lstsq(shape[face] - shape[face].mean(0), head[face], rcond=None)[0]
        assert np.linalg.det(turn) > 0
