"""One contract for every rasterizer, and what the CPU's own entry points add to it."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from synth_affect.errors import ShapeError
from synth_affect.heads.camera import Camera, ImageSize, project
from synth_affect.heads.mesh import Mesh
from synth_affect.render.fragments import Fragments
from synth_affect.render.rasterizer import NumbaRasterizer, Rasterizer, interpolate, rasterize_projected

SIZE = ImageSize(height=48, width=64)
CAMERA = Camera(np.eye(3), np.array([0.0, 0.0, 600.0]), 600.0, np.array([32.0, 24.0]))
"""At z = 0 of the head frame a millimetre is a pixel; the origin is seen at (32, 24) px."""


@pytest.fixture(params=[NumbaRasterizer], ids=lambda factory: factory.__name__)
def rasterizer(request: pytest.FixtureRequest) -> Rasterizer:
    return request.param()


def layer(fragments: Fragments) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return fragments.pix_to_face[0, :, :, 0], fragments.zbuf[0, :, :, 0], fragments.bary_coords[0, :, :, 0]


def sphere(radius_mm: float) -> Mesh:
    ball = trimesh.creation.icosphere(subdivisions=3, radius=radius_mm)
    return Mesh(ball.vertices, ball.faces)


def soup(seed: int, n_triangles: int) -> Mesh:
    """Triangles at random, near each other in depth, some of them beyond the picture's border."""
    corners = np.random.default_rng(seed).uniform([-45, -35, -60], [45, 35, 60], (n_triangles, 3, 3))
    return Mesh(corners.reshape(-1, 3), np.arange(3 * n_triangles).reshape(-1, 3))


def naive(vertices_image: np.ndarray, triangles: np.ndarray, size: ImageSize) -> tuple[np.ndarray, ...]:
    """Every pixel against every triangle, by Cramer's rule."""
    pix_to_face = np.full((size.height, size.width), -1)
    zbuf = np.full((size.height, size.width), -1.0)
    bary_coords = np.full((size.height, size.width, 3), -1.0)
    for row in range(size.height):
        for column in range(size.width):
            for index, triangle in enumerate(triangles):
                x, y, z = vertices_image[triangle].astype(np.float64).T
                affine = np.linalg.solve(np.stack([x, y, np.ones(3)]), [column + 0.5, row + 0.5, 1.0])
                if affine.min() < 0:
                    continue
                perspective = affine / z / (affine / z).sum()
                depth = perspective @ z
                if pix_to_face[row, column] < 0 or depth < zbuf[row, column]:
                    pix_to_face[row, column] = index
                    zbuf[row, column] = depth
                    bary_coords[row, column] = perspective
    return pix_to_face, zbuf, bary_coords


def test_shapes_dtypes_and_background(rasterizer: Rasterizer) -> None:
    fragments = rasterizer.rasterize(sphere(10.0), CAMERA, SIZE)
    assert fragments.pix_to_face.shape == fragments.zbuf.shape == (1, 48, 64, 1)
    assert fragments.bary_coords.shape == (1, 48, 64, 1, 3)
    assert (fragments.pix_to_face.dtype, fragments.zbuf.dtype) == (np.int32, np.float32)
    assert fragments.bary_coords.dtype == np.float32
    faces, depth, weights = layer(fragments)
    empty = faces < 0
    assert 0 < empty.mean() < 1
    assert (faces[empty] == -1).all()
    assert (depth[empty] == -1).all()
    assert (weights[empty] == -1).all()
    assert (weights[~empty] >= 0).all()
    np.testing.assert_allclose(weights[~empty].sum(axis=-1), 1, atol=1e-6)


def test_fronto_parallel_triangle(rasterizer: Rasterizer) -> None:
    """Corners at (12, 40), (52, 40), (12, 8) px, all at 600 mm: the barycentrics are linear in the picture."""
    mesh = Mesh(np.array([[-20, -16, 0], [20, -16, 0], [-20, 16, 0]]), np.array([[0, 1, 2]]))
    faces, depth, weights = layer(rasterizer.rasterize(mesh, CAMERA, SIZE))
    y, x = np.mgrid[:48, :64] + 0.5
    along_x, along_y = (x - 12) / 40, (40 - y) / 32
    expected = np.stack([1 - along_x - along_y, along_x, along_y], axis=-1)
    inside, outside = expected.min(axis=-1) > 1e-5, expected.min(axis=-1) < -1e-5
    assert (faces[inside] == 0).all()
    assert (faces[outside] == -1).all()
    np.testing.assert_allclose(depth[inside], 600, rtol=1e-6)
    np.testing.assert_allclose(weights[inside], expected[inside], atol=1e-5)


def test_slanted_plane_has_perspective_correct_depth_and_barycentrics(rasterizer: Rasterizer) -> None:
    """The plane z = 2 x of the head frame: the ray of pixel x meets it at depth 600 / (1 + 2 (x - 32) / 600)."""
    plane = np.array([[-30, -30, -60], [30, -30, 60], [30, 30, 60], [-30, 30, -60]], dtype=np.float64)
    mesh = Mesh(plane, np.array([[0, 1, 2], [0, 2, 3]]))
    faces, depth, weights = layer(rasterizer.rasterize(mesh, CAMERA, SIZE))
    y, x = np.mgrid[:48, :64] + 0.5
    hit = faces >= 0
    assert hit.mean() > 0.6
    slope = (x - 32) / 600
    expected_depth = 600 / (1 + 2 * slope)
    np.testing.assert_allclose(depth[hit], expected_depth[hit], rtol=2e-6)
    points = np.einsum("pk,pkd->pd", weights[hit], plane[mesh.triangles[faces[hit]]])
    expected_points = np.stack([slope * expected_depth, -(y - 24) / 600 * expected_depth, 600 - expected_depth], -1)
    np.testing.assert_allclose(points, expected_points[hit], atol=2e-3)
    affine = (x - 2) / 60  # what a rasterizer that forgets perspective would take for the way along the plane
    assert np.abs(points[:, 0] - (60 * affine - 30)[hit]).max() > 0.5


@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_the_naive_loop(rasterizer: Rasterizer, seed: int) -> None:
    mesh = soup(seed, n_triangles=7)
    size = ImageSize(height=31, width=37)
    camera = Camera(np.eye(3), np.array([0, 0, 600]), 330.0, np.array([18.0, 15.0]))
    expected_faces, expected_depth, expected_weights = naive(project(camera, mesh.vertices), mesh.triangles, size)
    faces, depth, weights = layer(rasterizer.rasterize(mesh, camera, size))
    assert len(np.unique(expected_faces)) > 3
    np.testing.assert_array_equal(faces, expected_faces)
    np.testing.assert_allclose(depth, expected_depth, rtol=1e-5)
    np.testing.assert_allclose(weights, expected_weights, atol=1e-3)


def test_closed_surface_has_no_holes(rasterizer: Rasterizer) -> None:
    """Every row of a convex body's picture is one unbroken run, and front and back cover the same pixels."""
    mesh = sphere(18.0)
    faces, depth, _ = layer(rasterizer.rasterize(mesh, CAMERA, SIZE))
    hit = faces >= 0
    y, x = np.mgrid[:48, :64] + 0.5
    silhouette_px = 600 * 18 / np.sqrt(600**2 - 18**2)
    distance = np.hypot(x - 32, y - 24)
    assert hit[distance < silhouette_px - 0.3].all()  # the facets of this sphere stay within 0.3 px of it
    assert not hit[distance > silhouette_px + 0.01].any()
    assert depth[hit].max() < 600.5  # the front is seen, nowhere the back through a crack


def test_centre_exactly_on_shared_edges_and_corners_is_hit(rasterizer: Rasterizer) -> None:
    """A grid whose vertices and diagonals lie exactly on pixel centres."""
    x, y = np.meshgrid(np.arange(-20.5, 21.0, 4.0), np.arange(-12.5, 13.0, 4.0))
    vertices = np.stack([x, y, np.zeros_like(x)], axis=-1).reshape(-1, 3)
    columns = x.shape[1]
    corner = (np.arange(x.shape[0] - 1)[:, None] * columns + np.arange(columns - 1)).ravel()
    lower = np.stack([corner, corner + 1, corner + columns], -1)
    upper = np.stack([corner + 1, corner + columns + 1, corner + columns], -1)
    faces, depth, _ = layer(rasterizer.rasterize(Mesh(vertices, np.concatenate([lower, upper])), CAMERA, SIZE))
    assert (faces[12:36, 12:51] >= 0).all()
    np.testing.assert_allclose(depth[12:36, 12:51], 600, rtol=1e-6)


def test_nearer_triangle_wins_in_either_order(rasterizer: Rasterizer) -> None:
    near = np.array([[-10, -10, 20], [10, -10, 20], [0, 10, 20]])
    far = np.array([[-20, -20, -20], [20, -20, -20], [0, 20, -20]])
    for order, expected in (((near, far), 0), ((far, near), 1)):
        mesh = Mesh(np.concatenate(order), np.array([[0, 1, 2], [3, 4, 5]]))
        faces, depth, _ = layer(rasterizer.rasterize(mesh, CAMERA, SIZE))
        assert faces[24, 32] == expected
        assert depth[24, 32] == pytest.approx(580)
        assert faces[38, 32] == 1 - expected


def test_intersecting_triangles_change_over_where_they_cross(rasterizer: Rasterizer) -> None:
    """The plane z = x against z = -x: the nearer one is the one on its own side of the middle."""
    left = np.array([[-30, -30, 30], [30, -30, -30], [30, 30, -30], [-30, 30, 30]])
    right = left * [1, 1, -1]
    mesh = Mesh(np.concatenate([left, right]), np.array([[0, 1, 2], [0, 2, 3], [4, 5, 6], [4, 6, 7]]))
    faces, _, _ = layer(rasterizer.rasterize(mesh, CAMERA, SIZE))
    assert np.isin(faces[:, 4:32], [0, 1]).all()
    assert np.isin(faces[:, 32:60], [2, 3]).all()


def test_lowest_index_wins_at_equal_depth(rasterizer: Rasterizer) -> None:
    vertices = np.array([[-20, -16, 5], [20, -16, 5], [-20, 16, 5]])
    mesh = Mesh(vertices, np.array([[0, 1, 2], [0, 1, 2], [0, 1, 2]]))
    faces, _, _ = layer(rasterizer.rasterize(mesh, CAMERA, SIZE))
    assert set(np.unique(faces)) == {-1, 0}


def test_both_windings_are_drawn(rasterizer: Rasterizer) -> None:
    mesh = Mesh(np.array([[-20, -16, 0], [20, -16, 0], [-20, 16, 0]]), np.array([[0, 1, 2]]))
    turned = Mesh(mesh.vertices, mesh.triangles[:, ::-1])
    front, front_depth, front_weights = layer(rasterizer.rasterize(mesh, CAMERA, SIZE))
    back, back_depth, back_weights = layer(rasterizer.rasterize(turned, CAMERA, SIZE))
    np.testing.assert_array_equal(front, back)
    np.testing.assert_allclose(front_depth, back_depth, rtol=1e-6)
    np.testing.assert_allclose(front_weights, back_weights[..., ::-1], atol=1e-6)


def test_mesh_larger_than_the_picture_fills_it(rasterizer: Rasterizer) -> None:
    mesh = Mesh(np.array([[-1e5, -1e5, 0], [1e5, -1e5, 0], [0, 1e5, 0]]), np.array([[0, 1, 2]]))
    faces, depth, _ = layer(rasterizer.rasterize(mesh, CAMERA, SIZE))
    assert (faces == 0).all()
    np.testing.assert_allclose(depth, 600, rtol=1e-5)


@pytest.mark.parametrize("shift", [(100, 0), (-100, 0), (0, 100), (0, -100)])
def test_triangles_outside_the_picture_are_not_drawn(rasterizer: Rasterizer, shift: tuple[float, float]) -> None:
    vertices = np.array([[-20, -16, 0], [20, -16, 0], [-20, 16, 0]]) + np.array([*shift, 0])
    faces, _, _ = layer(rasterizer.rasterize(Mesh(vertices, np.array([[0, 1, 2]])), CAMERA, SIZE))
    assert (faces == -1).all()


def test_picture_cut_at_its_border_equals_the_middle_of_a_larger_one(rasterizer: Rasterizer) -> None:
    mesh = soup(9, n_triangles=12)
    wide = Camera(CAMERA.rotation, CAMERA.translation, CAMERA.focal_px, CAMERA.principal_point + 16)
    large = layer(rasterizer.rasterize(mesh, wide, ImageSize(80, 96)))
    for small, part in zip(layer(rasterizer.rasterize(mesh, CAMERA, SIZE)), large, strict=True):
        np.testing.assert_allclose(small, part[16:64, 16:80], rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("depth", [600.0, 700.0])
def test_triangles_in_or_behind_the_cameras_plane_are_dropped(rasterizer: Rasterizer, depth: float) -> None:
    behind = np.array([[0, 0, depth], [20, -16, 0], [-20, 16, 0]])
    whole = np.array([[-5, -5, -10], [5, -5, -10], [0, 5, -10]])
    mesh = Mesh(np.concatenate([behind, whole]), np.array([[0, 1, 2], [3, 4, 5]]))
    faces, _, _ = layer(rasterizer.rasterize(mesh, CAMERA, SIZE))
    assert set(np.unique(faces)) == {-1, 1}


def test_degenerate_triangles_are_not_drawn(rasterizer: Rasterizer) -> None:
    points = np.array([[-20, 0.5, 0], [0, 0.5, 0], [20, 0.5, 0], [0, 0.5, -40]])
    mesh = Mesh(points, np.array([[0, 1, 2], [0, 0, 2], [1, 1, 1]]))
    faces, _, _ = layer(rasterizer.rasterize(mesh, CAMERA, SIZE))
    assert (faces == -1).all()


def test_empty_mesh_gives_background(rasterizer: Rasterizer) -> None:
    mesh = Mesh(np.zeros((0, 3)), np.zeros((0, 3), int))
    faces, _, _ = layer(rasterizer.rasterize(mesh, CAMERA, SIZE))
    assert (faces == -1).all()


def test_two_calls_give_the_same_bytes(rasterizer: Rasterizer) -> None:
    first, second = (layer(rasterizer.rasterize(soup(3, 40), CAMERA, SIZE)) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert one.tobytes() == other.tobytes()


def test_centres_lie_at_half_pixels() -> None:
    """The worked number of `rasterize_projected`; the same triangle up to the centre line misses its last pixels."""
    triangle = np.array([[0, 4, 100], [4, 4, 100], [0, 0, 100]], dtype=np.float32)
    faces = rasterize_projected(triangle, np.array([[0, 1, 2]]), ImageSize(5, 5)).pix_to_face[0, :, :, 0]
    expected = np.full((5, 5), -1)
    expected[:4, :4][np.tril_indices(4)] = 0
    np.testing.assert_array_equal(faces, expected)
    nudged = rasterize_projected(triangle - [0.001, 0, 0], np.array([[0, 1, 2]]), ImageSize(5, 5))
    expected[np.arange(4), np.arange(4)] = -1
    np.testing.assert_array_equal(nudged.pix_to_face[0, :, :, 0], expected)


def test_region_of_interest_equals_that_part_of_the_picture() -> None:
    mesh = soup(5, n_triangles=10)
    vertices_image = project(CAMERA, mesh.vertices)
    whole = layer(rasterize_projected(vertices_image, mesh.triangles, SIZE))
    part = layer(rasterize_projected(vertices_image - [20, 10, 0], mesh.triangles, ImageSize(24, 32)))
    for one, other in zip(whole, part, strict=True):
        np.testing.assert_allclose(one[10:34, 20:52], other, rtol=1e-4, atol=1e-4)


def test_culling_leaves_front_faces_only() -> None:
    mesh = sphere(18.0)
    inside_out = Mesh(mesh.vertices, mesh.triangles[:, ::-1])
    whole = layer(NumbaRasterizer().rasterize(mesh, CAMERA, SIZE))
    culled = layer(NumbaRasterizer(cull_backfaces=True).rasterize(mesh, CAMERA, SIZE))
    far_side = layer(NumbaRasterizer(cull_backfaces=True).rasterize(inside_out, CAMERA, SIZE))
    np.testing.assert_array_equal(whole[0], culled[0])
    middle = (24, 32)
    assert culled[1][middle] == pytest.approx(600 - 18, abs=0.3)
    assert far_side[1][middle] == pytest.approx(600 + 18, abs=0.3)


def test_inputs_may_be_read_only_and_stay_as_they_are() -> None:
    mesh = soup(6, n_triangles=5)
    vertices_image = project(CAMERA, mesh.vertices)
    before = vertices_image.copy()
    vertices_image.flags.writeable = False
    fragments = rasterize_projected(vertices_image, mesh.triangles, SIZE)
    interpolate(fragments, mesh.triangles, mesh.vertices)
    np.testing.assert_array_equal(vertices_image, before)


def test_vertices_that_are_not_finite_are_refused() -> None:
    vertices_image = np.array([[0, 4, 100], [4, 4, 100], [0, np.nan, 100]])
    with pytest.raises(ShapeError, match="vertices_image: expected finite numbers, got NaN"):
        rasterize_projected(vertices_image, np.array([[0, 1, 2]]), SIZE)


@pytest.mark.parametrize("corner", [-1, 3])
def test_indices_that_name_no_vertex_are_refused(corner: int) -> None:
    triangles = np.array([[0, 1, corner]])
    with pytest.raises(ShapeError, match=r"triangles: expected indices in \[0, 3\)"):
        rasterize_projected(np.ones((3, 3)), triangles, SIZE)
    with pytest.raises(ShapeError, match=r"triangles: expected indices in \[0, 3\)"):
        interpolate(rasterize_projected(np.ones((4, 3)), np.abs(triangles), SIZE), triangles, np.ones((3, 1)))


def test_interpolation_of_a_linear_field_is_the_field() -> None:
    """The head-frame points of a sphere's front project to the pixel centres under which they were found."""
    mesh = sphere(18.0)
    fragments = NumbaRasterizer().rasterize(mesh, CAMERA, SIZE)
    points = interpolate(fragments, mesh.triangles, mesh.vertices)
    assert points.shape == (48, 64, 3)
    assert points.dtype == np.float32
    hit = fragments.pix_to_face[0, :, :, 0] >= 0
    y, x = np.mgrid[:48, :64] + 0.5
    seen = project(CAMERA, points[hit])
    np.testing.assert_allclose(seen[:, 0], x[hit], atol=1e-3)
    np.testing.assert_allclose(seen[:, 1], y[hit], atol=1e-3)
    np.testing.assert_allclose(seen[:, 2], fragments.zbuf[0, :, :, 0][hit], rtol=1e-5)
    assert (points[~hit] == 0).all()


@pytest.mark.parametrize("n_channels", [1, 2, 7])
def test_interpolation_agrees_with_numpy(n_channels: int) -> None:
    mesh = soup(7, n_triangles=9)
    values = np.random.default_rng(0).normal(size=(len(mesh.vertices), n_channels))
    fragments = NumbaRasterizer().rasterize(mesh, CAMERA, SIZE)
    faces, _, weights = layer(fragments)
    expected = np.einsum("hwk,hwkd->hwd", weights, values[mesh.triangles[faces]])
    expected[faces < 0] = 0
    np.testing.assert_allclose(interpolate(fragments, mesh.triangles, values), expected, atol=1e-5)


def test_interpolation_refuses_layers_and_foreign_triangles() -> None:
    mesh = soup(7, n_triangles=9)
    fragments = NumbaRasterizer().rasterize(mesh, CAMERA, SIZE)
    doubled = Fragments(
        *(np.concatenate([field, field]) for field in (fragments.pix_to_face, fragments.zbuf, fragments.bary_coords))
    )
    with pytest.raises(ShapeError, match="fragments"):
        interpolate(doubled, mesh.triangles, mesh.vertices)
    with pytest.raises(ShapeError, match="triangles: expected more than"):
        interpolate(fragments, mesh.triangles[:2], mesh.vertices)
