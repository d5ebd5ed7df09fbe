from __future__ import annotations

import numpy as np
import pytest
import trimesh
from scipy.spatial.transform import Rotation

from synth_affect.blendshape.sparse.geodesics import HeatGeodesics
from synth_affect.blendshape.sparse.support_maps import SupportMaps
from synth_affect.errors import ShapeError
from synth_affect.heads.mesh import Mesh


@pytest.fixture(scope="module")
def ball() -> Mesh:
    sphere = trimesh.creation.icosphere(subdivisions=4, radius=100.0)
    return Mesh(sphere.vertices, sphere.faces)


def great_circle(mesh: Mesh, source: int) -> np.ndarray:
    return 100 * np.arccos(np.clip(mesh.vertices @ mesh.vertices[source] / 1e4, -1, 1))


@pytest.mark.parametrize("source", [0, 777, 2561])
def test_are_great_circles_on_a_sphere(ball: Mesh, source: int) -> None:
    distances = HeatGeodesics(ball)(source)
    assert distances.dtype == np.float32
    assert distances.shape == (len(ball.vertices),)
    assert distances[source] == 0
    assert np.abs(distances - great_circle(ball, source)).max() < 4.0  # of 314 mm from pole to pole
    assert not distances.flags.writeable


def test_do_not_feel_a_rigid_motion_and_grow_with_scale(ball: Mesh) -> None:
    turn = Rotation.from_euler("xyz", [0.3, -1.0, 0.7]).as_matrix()
    moved = Mesh(2 * ball.vertices @ turn.T + [10, 20, -300], ball.triangles)
    np.testing.assert_allclose(HeatGeodesics(moved)(5), 2 * HeatGeodesics(ball)(5), atol=0.05)


def test_other_parts_and_lone_vertices_are_infinitely_far() -> None:
    square = np.array([[0, 0, 0], [10, 0, 0], [10, 10, 0], [0, 10, 0]], dtype=np.float32)
    vertices = np.vstack([square, [[5, 5, 5]], square + np.array([0, 0, 90])])  # vertex 4 is in no triangle
    triangles = np.array([[0, 1, 2], [0, 2, 3], [5, 6, 7], [5, 7, 8]])
    geodesics = HeatGeodesics(Mesh(vertices, triangles))
    assert np.isinf(geodesics(0)[4:]).all()
    assert np.isfinite(geodesics(0)[:4]).all()
    assert np.isinf(geodesics(8)[:5]).all()
    lone = geodesics(4)
    assert lone[4] == 0
    assert np.isinf(np.delete(lone, 4)).all()


def test_refuses_what_has_no_distances(ball: Mesh) -> None:
    with pytest.raises(ShapeError, match="triangles: expected at least one, got none"):
        HeatGeodesics(Mesh(ball.vertices, np.empty((0, 3), int)))
    with pytest.raises(ShapeError, match=r"triangles: expected indices in \[0, 3\), got 0 to 3"):
        HeatGeodesics(Mesh(ball.vertices[:3], np.array([[0, 1, 3]])))
    with pytest.raises(ShapeError, match=r"source: expected a vertex in \[0, 2562\), got -1"):
        HeatGeodesics(ball)(-1)


def test_a_support_map_rises_from_the_inner_to_the_outer_distance(ball: Mesh) -> None:
    geodesics = HeatGeodesics(ball)
    maps = SupportMaps(geodesics, 30.0, 120.0)
    support = maps(9)
    distances = geodesics(9)
    np.testing.assert_array_equal(support[distances <= 30], 0)
    np.testing.assert_array_equal(support[distances >= 120], 1)
    between = (distances > 30) & (distances < 120)
    np.testing.assert_allclose(support[between], (distances[between] - 30) / 90, rtol=1e-5)
    assert support.dtype == np.float32
    assert not maps.distances(9).flags.writeable


def test_the_distances_of_a_support_map_are_computed_once() -> None:
    class Counting:
        n_calls = 0

        def __call__(self, source: int) -> np.ndarray:
            self.n_calls += 1
            return np.array([0, np.inf], dtype=np.float32)

    counting = Counting()
    maps = SupportMaps(counting, 1.0, 2.0)
    np.testing.assert_array_equal(maps(0), [0, 1])
    assert maps.distances(0) is maps.distances(0)
    assert counting.n_calls == 1


@pytest.mark.parametrize("bounds", [(-1.0, 2.0), (2.0, 2.0), (3.0, 2.0), (0.0, np.inf), (0.0, np.nan)])
def test_refuses_support_that_does_not_rise(ball: Mesh, bounds: tuple[float, float]) -> None:
    with pytest.raises(ShapeError, match="support: expected 0 <= inner_mm < outer_mm"):
        SupportMaps(HeatGeodesics(ball), *bounds)
