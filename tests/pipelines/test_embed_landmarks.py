from __future__ import annotations

import numpy as np
import pytest

from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.model import LandmarkEmbedding
from synth_affect.pipelines.embed_landmarks import Hit, asymmetry_mm, closest_barycentric, on_one_lip, symmetric


@pytest.mark.parametrize("seed", range(5))
def test_no_point_of_a_fine_grid_on_the_triangle_is_closer(seed: int) -> None:
    rng = np.random.default_rng(seed)
    corners, point = rng.normal(0, 10, (40, 3, 3)), rng.normal(0, 10, 3)
    weights = closest_barycentric(point, corners)
    assert weights.min() >= 0
    np.testing.assert_allclose(weights.sum(1), 1, rtol=1e-12)
    distance = np.linalg.norm(np.einsum("tk,tkd->td", weights, corners) - point, axis=1)
    steps = 60
    grid = np.array([(i, j, steps - i - j) for i in range(steps + 1) for j in range(steps + 1 - i)]) / steps
    nearest = np.linalg.norm(np.einsum("gk,tkd->tgd", grid, corners) - point, axis=2).min(1)
    longest_edge = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(1)
    assert (distance <= nearest + 1e-9).all()
    assert (distance >= nearest - longest_edge / steps).all()


@pytest.mark.parametrize(
    ("point", "weights"),
    [
        ([1, 1, 7], [1 / 2, 1 / 4, 1 / 4]),  # above the inside
        ([2, -3, 0], [1 / 2, 1 / 2, 0]),  # beside an edge
        ([9, -1, 0], [0, 1, 0]),  # beyond a corner
    ],
)
def test_the_place_is_inside_on_an_edge_or_in_a_corner(point: list[float], weights: list[float]) -> None:
    corners = np.array([[[0, 0, 0], [4, 0, 0], [0, 4, 0]]], dtype=float)
    np.testing.assert_allclose(closest_barycentric(np.array(point, dtype=float), corners), [weights], atol=1e-12)


def test_a_triangle_without_area_is_a_line() -> None:
    corners = np.array([[[0, 0, 0], [4, 0, 0], [8, 0, 0]]], dtype=float)
    weights = closest_barycentric(np.array([6.0, 3.0, 0.0]), corners)
    np.testing.assert_allclose(np.einsum("tk,tkd->td", weights, corners), [[6, 0, 0]], atol=1e-9)


def test_a_stray_hit_on_the_other_lip_is_left_out() -> None:
    lower = [Hit(np.zeros(3), triangle, travel) for triangle, travel in ((3, -28.0), (4, -26.5), (3, -29.0))]
    upper = Hit(np.zeros(3), 9, -3.0)
    assert on_one_lip([lower[0], upper, *lower[1:]]) == lower


def test_of_two_lips_hit_equally_often_one_is_taken() -> None:
    hits = [Hit(np.zeros(3), triangle, travel) for triangle, travel in ((1, -2.0), (3, -29.0), (2, -3.0), (4, -30.0))]
    assert on_one_lip(hits) == [hits[1], hits[3]]


def test_pairs_are_averaged_though_an_error_is_larger_than_the_distance_of_neighbours() -> None:
    right = np.array([[-10.0 - (k % 3), 4.0 * k, 0.0] for k in range(8)])
    left = right * [-1, 1, 1]
    middle = np.array([[0.0, 3.0 * k, 5.0] for k in range(5)])
    points = np.concatenate([right, left, middle])
    errors = np.zeros_like(points)
    errors[:8, 1] = 2.5  # the nearest to a mirrored right point is now the left point above its own
    made = symmetric(points + errors)
    np.testing.assert_allclose(made[:8] * [-1, 1, 1], made[8:16], atol=1e-12)
    np.testing.assert_allclose(made[8:16], left + np.array([0, 1.25, 0]), atol=1e-12)
    np.testing.assert_allclose(made[16:], middle, atol=1e-12)


def test_one_landmark_beside_its_place_is_seen_in_the_asymmetry() -> None:
    head = load_cc0()
    assert asymmetry_mm(head, head.landmarks_478) < 0.3
    triangles = head.landmarks_478.triangles.copy()
    triangles[61] = head.landmarks_478.triangles[205]
    moved = LandmarkEmbedding(triangles, head.landmarks_478.barycentric)
    assert asymmetry_mm(head, moved) > 8
