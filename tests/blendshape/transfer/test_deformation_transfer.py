from __future__ import annotations

import numpy as np
import pytest

from synth_affect.blendshape.transfer.deformation_transfer import DeformationTransfer, gradient_operator
from synth_affect.errors import ShapeError
from synth_affect.heads.mesh import Mesh
from synth_affect.heads.model import LandmarkEmbedding

SHAPE_MM = 1e-3
ASIDE = np.array([3.0, -2.0, 1.0])


def surface(columns: int, rows: int, height: float, size: float = 40.0) -> Mesh:
    """A hill of `size` mm, triangulated as a grid."""
    y, x = np.mgrid[: rows + 1, : columns + 1]
    x, y = size * (x / columns - 0.5), size * (y / rows - 0.5)
    z = height * np.exp(-(x**2 + 0.7 * y**2) / 150) + 0.05 * x
    row, column = np.mgrid[:rows, :columns]
    a = (row * (columns + 1) + column).ravel()
    triangles = np.concatenate(
        [np.stack([a, a + 1, a + columns + 2], 1), np.stack([a, a + columns + 2, a + columns + 1], 1)]
    )
    return Mesh(np.stack([x, y, z], -1).reshape(-1, 3), triangles)


def pairs(source: Mesh, target: Mesh) -> np.ndarray:
    """The source triangle whose middle is nearest in the plane."""
    middles = [mesh.vertices[mesh.triangles].mean(axis=1)[:, :2] for mesh in (source, target)]
    return np.linalg.norm(middles[1][:, None] - middles[0], axis=2).argmin(axis=1)


@pytest.fixture(scope="module")
def source() -> Mesh:
    return surface(9, 11, 6.0)


@pytest.fixture(scope="module")
def target() -> Mesh:
    return surface(16, 13, 11.0, size=46.0)


@pytest.fixture(scope="module")
def transfer(source: Mesh, target: Mesh) -> DeformationTransfer:
    return DeformationTransfer(source, target, pairs(source, target))


def about_its_middle(mesh: Mesh, linear: np.ndarray) -> np.ndarray:
    """The mesh under a linear map that leaves the mean over its area where it is."""
    corners = mesh.vertices[mesh.triangles].astype(np.float64)
    areas = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    middle = np.average(corners.mean(axis=1), axis=0, weights=areas)
    return (mesh.vertices - middle) @ linear.T + middle


def turned(angle_deg: float, axis: int) -> np.ndarray:
    c, s = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    rotation = np.eye(3)
    i, j = [k for k in range(3) if k != axis]
    rotation[[i, i, j, j], [i, j, i, j]] = c, -s, s, c
    return rotation


# --- Linear maps are transferred exactly, whatever the meshes ---


def test_a_source_at_rest_leaves_the_target_at_rest(transfer: DeformationTransfer, source: Mesh, target: Mesh) -> None:
    moved = transfer(source.vertices)
    assert (moved.shape, moved.dtype) == (target.vertices.shape, np.float32)
    np.testing.assert_allclose(moved, target.vertices, atol=SHAPE_MM)


@pytest.mark.parametrize(
    "linear",
    [turned(40, 0), turned(-75, 1), turned(150, 2), 1.3 * np.eye(3), 0.7 * turned(30, 1) @ turned(20, 0)],
    ids=["pitch", "yaw", "roll", "scale", "all"],
)
def test_a_similarity_of_the_source_is_that_of_the_target(
    transfer: DeformationTransfer, source: Mesh, target: Mesh, linear: np.ndarray
) -> None:
    np.testing.assert_allclose(transfer(source.vertices @ linear.T), about_its_middle(target, linear), atol=SHAPE_MM)


@pytest.mark.parametrize("linear", [np.diag([1.4, 0.8, 1.0]), np.array([[1, 0.3, 0], [0.1, 1, 0], [0, 0, 1]])])
def test_any_linear_map_in_the_plane_is_transferred_between_flat_meshes(linear: np.ndarray) -> None:
    level = np.diag([1.0, 1.0, 0.0])
    source, target = (
        Mesh(mesh.vertices @ level, mesh.triangles) for mesh in (surface(7, 5, 0), surface(11, 8, 0, size=50.0))
    )
    moved = DeformationTransfer(source, target, pairs(source, target))(source.vertices @ linear.T)
    np.testing.assert_allclose(moved, about_its_middle(target, linear), atol=SHAPE_MM)


def test_where_the_source_is_does_not_matter(transfer: DeformationTransfer, source: Mesh) -> None:
    rng = np.random.default_rng(3)
    deformed = source.vertices + rng.normal(0, 0.5, source.vertices.shape)
    np.testing.assert_allclose(transfer(deformed + 40 * ASIDE), transfer(deformed), atol=SHAPE_MM)


def test_in_one_mesh_it_is_the_displacement_itself(source: Mesh) -> None:
    same = DeformationTransfer(source, source, np.arange(len(source.triangles)))
    rng = np.random.default_rng(4)
    offsets = rng.normal(0, 1, source.vertices.shape)
    moved = same(source.vertices + offsets) - source.vertices
    left = moved - offsets
    np.testing.assert_allclose(left, np.broadcast_to(left[0], left.shape), atol=SHAPE_MM)  # but for a translation


def test_it_agrees_with_a_dense_least_squares_of_triangle_gradients(source: Mesh, target: Mesh) -> None:
    """The naive way: one equation a triangle, axis and coordinate, weighted by the root of the area."""
    partner = pairs(source, target)
    rng = np.random.default_rng(5)
    deformed = source.vertices + rng.normal(0, 0.4, source.vertices.shape).astype(np.float32)
    rows, right = [], []
    for t, corners in enumerate(target.triangles):
        edges = target.vertices[corners[1:]] - target.vertices[corners[0]]
        plane = np.linalg.qr(edges.T.astype(np.float64))[0]  # (3, 2)
        inverse = np.linalg.inv(edges @ plane)
        area = 0.5 * abs(np.linalg.det(edges @ plane))
        frames = []
        for vertices in (source.vertices, deformed):
            a, b, c = vertices[source.triangles[partner[t]]].astype(np.float64)
            normal = np.cross(b - a, c - a)
            frames.append(np.stack([b - a, c - a, normal / np.sqrt(np.linalg.norm(normal))], axis=1))
        gradient = frames[1] @ np.linalg.inv(frames[0]) - np.eye(3)
        for k in range(2):
            row = np.zeros(len(target.vertices))
            row[corners[1:]], row[corners[0]] = inverse[k], -inverse[k].sum()
            rows.append(np.sqrt(area) * row)
            right.append(np.sqrt(area) * gradient @ plane[:, k])
    wanted = np.linalg.lstsq(np.array(rows), np.array(right), rcond=None)[0]
    moved = DeformationTransfer(source, target, partner)(deformed) - target.vertices
    np.testing.assert_allclose(moved - moved[0], wanted - wanted[0], atol=SHAPE_MM)


# --- Places ---


def places(source: Mesh, target: Mesh) -> LandmarkEmbedding:
    """Each target vertex lies at the source's vertex nearest in the plane."""
    distance = np.linalg.norm(target.vertices[:, None, :2] - source.vertices[:, :2], axis=2)
    nearest = distance.argmin(axis=1)
    triangle = np.array([np.flatnonzero((source.triangles == v).any(axis=1))[0] for v in nearest])
    return LandmarkEmbedding(triangle, (source.triangles[triangle] == nearest[:, None]).astype(np.float32))


def test_with_places_the_target_goes_where_the_source_goes(source: Mesh, target: Mesh) -> None:
    anchored = DeformationTransfer(source, target, pairs(source, target), places=places(source, target))
    np.testing.assert_allclose(anchored(source.vertices + ASIDE), target.vertices + ASIDE, atol=SHAPE_MM)


def test_a_short_reach_gives_the_sources_own_displacement(source: Mesh, target: Mesh) -> None:
    at = places(source, target)
    offsets = np.random.default_rng(6).normal(0, 1, source.vertices.shape)
    own = np.einsum("nk,nkd->nd", at.barycentric, offsets[source.triangles[at.triangles]])
    errors = []
    for reach in (0.01, 5.0, 1000.0):
        anchored = DeformationTransfer(source, target, pairs(source, target), places=at, reach_mm=reach)
        errors.append(np.abs(anchored(source.vertices + offsets) - target.vertices - own).max())
    assert errors[0] < 0.01 < errors[1] < errors[2]


def test_triangles_without_a_partner_keep_their_shape(source: Mesh, target: Mesh) -> None:
    nobody = DeformationTransfer(source, target, np.full(len(target.triangles), -1))
    np.testing.assert_allclose(nobody(1.5 * source.vertices), target.vertices, atol=SHAPE_MM)


# --- Values ---


def test_the_gradient_of_a_linear_function_is_its_slope_in_the_triangles_plane(target: Mesh) -> None:
    operator, areas = gradient_operator(target)
    slope = np.array([0.3, -1.2, 0.7])
    found = (operator @ (target.vertices @ slope)).reshape(-1, 3)
    corners = target.vertices[target.triangles].astype(np.float64)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    np.testing.assert_allclose(areas, np.linalg.norm(normals, axis=1) / 2)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    np.testing.assert_allclose(found, slope - (normals @ slope)[:, None] * normals, atol=1e-4)


def test_inputs_stay_as_they_are_and_float64_and_readonly_are_welcome(
    transfer: DeformationTransfer, source: Mesh
) -> None:
    deformed = 1.1 * source.vertices.astype(np.float64)
    before = deformed.copy()
    deformed.flags.writeable = False
    moved = transfer(deformed)
    np.testing.assert_array_equal(deformed, before)
    np.testing.assert_allclose(transfer(deformed.astype(np.float32)), moved, atol=SHAPE_MM)
    np.testing.assert_array_equal(transfer(deformed), moved)


def test_what_does_not_fit_is_named(source: Mesh, target: Mesh, transfer: DeformationTransfer) -> None:
    fits = pairs(source, target)
    with pytest.raises(ShapeError, match="triangles: expected"):
        DeformationTransfer(source, target, fits[1:])
    with pytest.raises(ShapeError, match="indices from -1"):
        DeformationTransfer(source, target, np.full_like(fits, len(source.triangles)))
    with pytest.raises(ShapeError, match="places: expected"):
        DeformationTransfer(source, target, fits, places=LandmarkEmbedding(np.array([0]), np.array([[1, 0, 0]])))
    with pytest.raises(ShapeError, match="reach_mm"):
        DeformationTransfer(source, target, fits, places=places(source, target), reach_mm=0)
    flat = Mesh(np.zeros_like(target.vertices), target.triangles)
    with pytest.raises(ShapeError, match="without"):
        DeformationTransfer(source, flat, fits)
    with pytest.raises(ShapeError, match="source_vertices"):
        transfer(target.vertices)
    with pytest.raises(ShapeError, match="NaN"):
        transfer(np.full_like(source.vertices, np.nan))
