from __future__ import annotations

import numpy as np
import pytest

from synth_affect.arrays import FloatArray, IntArray
from synth_affect.blendshape.registration.surface import NOWHERE, SurfaceTree
from synth_affect.heads.mesh import triangle_normals

SQUARE = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], dtype=float)
SQUARE_TRIANGLES = np.array([[0, 1, 2], [0, 2, 3]])


@pytest.fixture(scope="module")
def crumpled() -> tuple[FloatArray, IntArray]:
    """Triangles of all sizes and ways, which share nothing."""
    rng = np.random.default_rng(3)
    centres = rng.normal(0, 10, (200, 1, 3))
    return (centres + rng.normal(0, 3, (200, 3, 3))).reshape(-1, 3), np.arange(600).reshape(-1, 3)


def sampled_distance(point: FloatArray, corners: FloatArray) -> float:
    """From a point to the nearest of many points of the triangles: never less than the truth, and close to it."""
    k = 40
    u, v = np.meshgrid(np.arange(k + 1), np.arange(k + 1))
    inside = u + v <= k
    weights = np.stack([u[inside], v[inside], k - u[inside] - v[inside]], axis=1) / k
    return float(np.linalg.norm(np.einsum("sk,tkd->tsd", weights, corners) - point, axis=2).min())


def test_nearest_is_the_nearest(crumpled: tuple[FloatArray, IntArray]) -> None:
    vertices, triangles = crumpled
    points = np.random.default_rng(4).normal(0, 14, (60, 3))
    near = SurfaceTree(vertices, triangles).nearest(points)
    sampled = np.array([sampled_distance(p, vertices[triangles]) for p in points])
    assert (near.distances <= sampled + 1e-9).all()
    np.testing.assert_allclose(near.distances, sampled, atol=0.15)
    np.testing.assert_allclose(np.linalg.norm(near.points - points, axis=1), near.distances, atol=1e-9)


def test_only_surfaces_that_face_the_same_way_count(crumpled: tuple[FloatArray, IntArray]) -> None:
    vertices, triangles = crumpled
    rng = np.random.default_rng(5)
    points, normals = rng.normal(0, 10, (40, 3)), rng.normal(0, 1, (40, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    tree = SurfaceTree(vertices, triangles)
    near = tree.nearest(points, normals=normals, min_cosine=0.6)
    faces = triangle_normals(vertices, triangles)
    faces /= np.linalg.norm(faces, axis=1, keepdims=True)
    for k in range(len(points)):
        allowed = np.flatnonzero(faces @ normals[k] >= 0.6)
        alone = SurfaceTree(vertices, triangles[allowed]).nearest(points[k : k + 1])
        assert near.distances[k] == pytest.approx(alone.distances[0])
        assert near.triangles[k] in allowed
    again = tree.nearest(points, normals=normals, min_cosine=0.6, guess=np.roll(near.triangles, 1))
    np.testing.assert_allclose(again.distances, near.distances)


def test_nothing_in_reach() -> None:
    near = SurfaceTree(SQUARE, SQUARE_TRIANGLES).nearest(np.array([[0.5, 0.25, 2.0]]), max_distance_mm=1.5)
    assert near.triangles[0] == NOWHERE
    assert np.isinf(near.distances[0])
    assert np.isnan(near.points).all()
    assert not near.on_boundary[0]


def test_knows_the_open_edges() -> None:
    points = np.array([[0.5, 0.2, 1], [0.5, 0.5, 1], [-1, 0.5, 0], [2, 2, 0]])
    near = SurfaceTree(SQUARE, SQUARE_TRIANGLES).nearest(points)
    np.testing.assert_array_equal(near.on_boundary, [False, False, True, True])
    expected = np.array([[0.5, 0.2, 0], [0.5, 0.5, 0], [0, 0.5, 0], [1, 1, 0]])
    np.testing.assert_allclose(near.points, expected, atol=1e-12)
    np.testing.assert_allclose(near.normals, np.tile([0, 0, 1], (4, 1)), atol=1e-12)


def test_what_blocks_a_ray() -> None:
    tree = SurfaceTree(SQUARE, SQUARE_TRIANGLES)
    origins = np.array([[0.3, 0.6, -2], [0.3, 0.6, 2], [1.5, 0.5, -2], [0.3, 0.6, -0.1]])
    blocked = tree.blocked(origins, np.array([0.0, 0.0, 1.0]), start_mm=0.5)
    np.testing.assert_array_equal(blocked, [True, False, False, False])
