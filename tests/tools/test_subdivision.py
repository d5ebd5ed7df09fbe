from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import Delaunay

from tools.cc0_head.subdivision import edge_table, loop_operator, refine


@pytest.fixture
def flat() -> tuple[np.ndarray, np.ndarray]:
    """A random triangulation of the plane, counter-clockwise."""
    points = np.random.default_rng(2).uniform(0, 10, (60, 2))
    return points, counter_clockwise(points, Delaunay(points).simplices)


def counter_clockwise(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    return np.where((doubled_areas(points, triangles) < 0)[:, None], triangles[:, ::-1], triangles)


def doubled_areas(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    a, b, c = (points[triangles[:, k]] for k in range(3))
    return (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]


def fan(n_spokes: int) -> np.ndarray:
    """A vertex (the last) with a ring around it, and a second ring, so that the first is not the border."""
    ring = np.arange(n_spokes)
    inner = np.stack([np.full(n_spokes, 2 * n_spokes), ring, (ring + 1) % n_spokes], 1)
    outer = np.concatenate(
        [
            np.stack([ring, ring + n_spokes, (ring + 1) % n_spokes + n_spokes], 1),
            np.stack([ring, (ring + 1) % n_spokes + n_spokes, (ring + 1) % n_spokes], 1),
        ]
    )
    return np.concatenate([inner, outer])


def whole_operator(triangles: np.ndarray, n: int) -> np.ndarray:
    edges, tri_edges = edge_table(triangles)
    everywhere = np.ones(len(edges), dtype=bool)
    refined = np.ones(len(triangles), dtype=bool)
    return loop_operator(triangles, edges, tri_edges, everywhere, refined, n).toarray()


def test_the_edge_table_names_each_edge_once() -> None:
    edges, tri_edges = edge_table(np.array([[0, 1, 2], [2, 1, 3]]))
    np.testing.assert_array_equal(edges, [[0, 1], [0, 2], [1, 2], [1, 3], [2, 3]])
    np.testing.assert_array_equal(tri_edges, [[0, 2, 1], [2, 3, 4]])


@pytest.mark.parametrize("seed", range(6))
def test_any_choice_of_edges_gives_a_mesh_without_gaps_or_hanging_vertices(
    flat: tuple[np.ndarray, np.ndarray], seed: int
) -> None:
    points, triangles = flat
    edges, tri_edges = edge_table(triangles)
    split = np.random.default_rng(seed).random(len(edges)) < 0.5
    fine, parent, _ = refine(triangles, edges, tri_edges, split, len(points))
    all_points = np.concatenate([points, points[edges[split]].mean(1)])
    np.testing.assert_array_equal(np.unique(fine), np.arange(len(all_points)))
    # Every part keeps its parent's orientation and together they have its area.
    areas = doubled_areas(all_points, fine)
    assert areas.min() > 0
    np.testing.assert_allclose(np.bincount(parent, areas), doubled_areas(points, triangles), rtol=1e-9)
    # An edge inside belongs to two triangles; a hanging vertex would leave edges with one inside the square.
    fine_edges, fine_tri_edges = edge_table(fine)
    used = np.bincount(fine_tri_edges.ravel())
    assert used.max() == 2
    rim = fine_edges[used == 1]
    coarse_rim = edges[np.bincount(tri_edges.ravel()) == 1]
    np.testing.assert_allclose(
        np.linalg.norm(np.diff(all_points[rim], axis=1), axis=-1).sum(),
        np.linalg.norm(np.diff(points[coarse_rim], axis=1), axis=-1).sum(),
    )


def test_all_edges_split_gives_four_triangles_for_one() -> None:
    triangles = np.array([[0, 1, 2]])
    edges, tri_edges = edge_table(triangles)
    fine, parent, midpoint = refine(triangles, edges, tri_edges, np.ones(3, dtype=bool), 3)
    assert len(fine) == 4
    assert parent.tolist() == [0] * 4
    np.testing.assert_array_equal(midpoint, [3, 4, 5])


@pytest.mark.parametrize("seed", range(4))
def test_weights_of_a_part_sum_to_one_and_move_with_the_mesh(flat: tuple[np.ndarray, np.ndarray], seed: int) -> None:
    points, triangles = flat
    refined = np.random.default_rng(seed).random(len(triangles)) < 0.6
    edges, tri_edges = edge_table(triangles)
    split = np.zeros(len(edges), dtype=bool)
    split[np.unique(tri_edges[refined])] = True
    operator = loop_operator(triangles, edges, tri_edges, split, refined, len(points))
    assert operator.shape == (len(points) + split.sum(), len(points))
    np.testing.assert_allclose(operator.sum(1), 1, rtol=1e-12)
    assert operator.min() >= 0
    affine, shift = np.array([[1.3, -0.4], [0.2, 0.8]]), np.array([5.0, -2.0])
    np.testing.assert_allclose(operator @ (points @ affine + shift), (operator @ points) @ affine + shift, atol=1e-12)


def test_what_is_not_refined_stays_in_place(flat: tuple[np.ndarray, np.ndarray]) -> None:
    points, triangles = flat
    refined = points[triangles].mean(1)[:, 0] < 5
    edges, tri_edges = edge_table(triangles)
    split = np.zeros(len(edges), dtype=bool)
    split[np.unique(tri_edges[refined])] = True
    operator = loop_operator(triangles, edges, tri_edges, split, refined, len(points))
    still = np.unique(triangles[~refined])
    np.testing.assert_array_equal((operator @ points)[still], points[still])


@pytest.mark.parametrize(("n_spokes", "beta"), [(3, 3 / 16), (6, 1 / 16)])
def test_a_vertex_has_loops_weights(n_spokes: int, beta: float) -> None:
    """Values of beta: Loop 1987."""
    n = 2 * n_spokes + 1
    row = whole_operator(fan(n_spokes), n)[n - 1]
    np.testing.assert_allclose(row[:n_spokes], beta, rtol=1e-12)
    assert row[n - 1] == pytest.approx(1 - n_spokes * beta)
    np.testing.assert_array_equal(row[n_spokes : n - 1], 0)


def test_an_edge_has_loops_weights_inside_and_is_halved_on_the_border() -> None:
    triangles = fan(6)
    n = 13
    operator = whole_operator(triangles, n)
    edges, _ = edge_table(triangles)
    spoke = n + int(np.flatnonzero((edges == [0, 12]).all(1))[0])
    np.testing.assert_allclose(operator[spoke, [0, 12, 1, 5]], [3 / 8, 3 / 8, 1 / 8, 1 / 8])
    rim = n + int(np.flatnonzero((edges == [6, 7]).all(1))[0])
    np.testing.assert_allclose(operator[rim, [6, 7]], [1 / 2, 1 / 2])
    np.testing.assert_allclose(operator[6, [6, 7, 11]], [3 / 4, 1 / 8, 1 / 8])
