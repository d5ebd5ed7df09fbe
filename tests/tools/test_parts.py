from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from tools.cc0_head.parts import IRIS_RADIUS_MM, eyeball, grid_triangles

RADIUS_MM, CENTRE = 12.5, np.array([30.0, 5.0, -7.0])


def areas_towards_viewer(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    return np.cross(b - a, c - a)[:, 2] / 2


def test_a_grid_whose_rows_go_down_looks_at_the_viewer() -> None:
    column, row = np.meshgrid(np.arange(5.0), np.arange(3.0))
    vertices = np.stack([column.ravel(), -row.ravel(), np.zeros(15)], 1)
    triangles = grid_triangles(3, 5)
    np.testing.assert_allclose(areas_towards_viewer(vertices, triangles), 0.5)
    assert len(triangles) == 2 * 2 * 4


def test_a_wrapped_grid_is_a_tube_with_two_open_ends() -> None:
    triangles = grid_triangles(4, 6, wrap=True)
    assert len(triangles) == 2 * 3 * 6
    edges = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    _, used = np.unique(edges, axis=0, return_counts=True)
    assert used.max() == 2
    assert (used == 1).sum() == 2 * 6


@pytest.fixture
def helper() -> tuple[np.ndarray, np.ndarray]:
    """A coarse ball of quads, as the base mesh has for an eye."""
    polar, around = np.meshgrid(np.linspace(0.1, np.pi - 0.1, 6), np.linspace(0, 2 * np.pi, 8, endpoint=False))
    unit = np.stack([np.sin(polar) * np.cos(around), np.sin(polar) * np.sin(around), np.cos(polar)], -1).reshape(-1, 3)
    corner = np.arange(8)[:, None] * 6 + np.arange(5)
    right = (np.arange(8)[:, None] + 1) % 8 * 6 + np.arange(5)
    quads = np.stack([corner, right, right + 1, corner + 1], -1).reshape(-1, 4)
    return np.concatenate([unit * RADIUS_MM + CENTRE, [[999.0, 0, 0]]]), quads  # and a vertex of something else


def test_the_eyeball_is_the_front_of_the_helpers_sphere_set_back(helper: tuple[np.ndarray, np.ndarray]) -> None:
    vertices, quads = helper
    part = eyeball(vertices, quads, 1.2)
    placed = part.operator @ vertices + part.constant
    np.testing.assert_allclose(np.linalg.norm(placed - CENTRE + [0, 0, 1.2], axis=1), RADIUS_MM, rtol=1e-9)
    assert placed[:, 2].min() >= CENTRE[2] - 1.2 - 1e-9
    assert part.uv.min() >= 0
    assert part.uv.max() <= 1


def test_the_eyeball_looks_outward_everywhere(helper: tuple[np.ndarray, np.ndarray]) -> None:
    vertices, quads = helper
    part = eyeball(vertices, quads, 0.0)
    a, b, c = ((part.operator @ vertices)[part.triangles[:, k]] for k in range(3))
    assert (np.einsum("td,td->t", np.cross(b - a, c - a), (a + b + c) / 3 - CENTRE) > 0).all()


def test_the_iris_has_the_radius_of_irises(helper: tuple[np.ndarray, np.ndarray]) -> None:
    vertices, quads = helper
    part = eyeball(vertices, quads, 0.0)
    iris = np.unique(part.triangles[part.regions == "iris"])
    off_axis = np.linalg.norm((part.operator @ vertices)[iris, :2] - CENTRE[:2], axis=1)
    assert off_axis.max() == pytest.approx(IRIS_RADIUS_MM)
    assert set(part.regions) == {"iris", "eyeball"}


def test_the_eyeball_turns_grows_and_moves_with_the_helper(helper: tuple[np.ndarray, np.ndarray]) -> None:
    vertices, quads = helper
    part = eyeball(vertices, quads, 0.0)
    gaze = Rotation.from_euler("xy", [0.3, -0.4]).as_matrix()

    def change(points: np.ndarray) -> np.ndarray:
        return 1.1 * (points - CENTRE) @ gaze.T + CENTRE + [2.0, -1.0, 3.0]

    np.testing.assert_allclose(part.operator @ change(vertices), change(part.operator @ vertices), atol=1e-9)
    np.testing.assert_allclose(part.operator.sum(1), 1, rtol=1e-9)
