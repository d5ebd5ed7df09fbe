from __future__ import annotations

import numpy as np
import pytest
import trimesh
from scipy.spatial.transform import Rotation

from synth_affect.errors import ShapeError
from synth_affect.heads.mesh import Mesh, triangle_normals, vertex_normals


@pytest.fixture
def bumpy() -> Mesh:
    ball = trimesh.creation.icosphere(subdivisions=2, radius=50.0)
    return Mesh(ball.vertices + np.random.default_rng(3).normal(0, 1.5, ball.vertices.shape), ball.faces)


def test_a_counter_clockwise_triangle_looks_at_the_viewer_with_twice_its_area() -> None:
    vertices = np.array([[0, 0, 0], [4, 0, 0], [0, 3, 0]], dtype=np.float32)
    np.testing.assert_array_equal(triangle_normals(vertices, np.array([[0, 1, 2]])), [[0, 0, 12]])
    np.testing.assert_array_equal(triangle_normals(vertices, np.array([[0, 2, 1]])), [[0, 0, -12]])


def test_normals_of_a_sphere_point_away_from_its_centre() -> None:
    ball = trimesh.creation.icosphere(subdivisions=4, radius=80.0)
    normals = vertex_normals(ball.vertices, ball.faces)
    np.testing.assert_allclose(normals, ball.vertices / 80.0, atol=0.01)


def test_is_the_naive_area_weighted_mean(bumpy: Mesh) -> None:
    expected = np.zeros(bumpy.vertices.shape)
    vertices = bumpy.vertices.astype(np.float64)
    for a, b, c in bumpy.triangles:
        for corner in (a, b, c):
            expected[corner] += np.cross(vertices[b] - vertices[a], vertices[c] - vertices[a])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    normals = vertex_normals(bumpy.vertices, bumpy.triangles)
    assert normals.dtype == np.float32
    np.testing.assert_allclose(normals, expected, atol=1e-5)


def test_turns_with_the_mesh_and_does_not_feel_translation_or_scale(bumpy: Mesh) -> None:
    rotation = Rotation.from_euler("xyz", [0.4, -1.1, 2.0]).as_matrix()
    vertices = bumpy.vertices.astype(np.float64)
    moved = vertex_normals(2.5 * vertices @ rotation.T + [10, -20, 300], bumpy.triangles)
    np.testing.assert_allclose(moved, vertex_normals(vertices, bumpy.triangles) @ rotation.T, atol=1e-12)


def test_does_not_depend_on_the_order_of_triangles_or_of_their_corners(bumpy: Mesh) -> None:
    shuffled = np.roll(np.random.default_rng(0).permutation(bumpy.triangles), 1, axis=1)
    vertices = bumpy.vertices.astype(np.float64)
    np.testing.assert_allclose(
        vertex_normals(vertices, shuffled), vertex_normals(vertices, bumpy.triangles), atol=1e-12
    )


def test_a_vertex_without_triangles_has_no_normal() -> None:
    vertices = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [9, 9, 9]], dtype=np.float64)
    normals = vertex_normals(vertices, np.array([[0, 1, 2]]))
    np.testing.assert_array_equal(normals, [[0, 0, 1], [0, 0, 1], [0, 0, 1], [0, 0, 0]])


def test_a_mesh_holds_float32_and_int32_that_cannot_be_written(bumpy: Mesh) -> None:
    assert (bumpy.vertices.dtype, bumpy.triangles.dtype) == (np.float32, np.int32)
    assert not bumpy.vertices.flags.writeable
    assert not bumpy.triangles.flags.writeable
    with pytest.raises(ShapeError, match=r"triangles: expected \(n_triangles, 3\), got \(1, 4\)"):
        Mesh(bumpy.vertices, np.array([[0, 1, 2, 3]]))
