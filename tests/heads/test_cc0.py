"""The packaged head, measured: what it has, whether it is whole and symmetric, and whom it can be."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pytest
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial.transform import Rotation

from synth_affect.blendshape.action_units import ARKIT_UNITS, mirrored
from synth_affect.heads.camera import Camera, ImageSize, project
from synth_affect.heads.cc0 import FILE_NAME, load_cc0
from synth_affect.heads.mesh import triangle_normals
from synth_affect.heads.model import HeadModel, region_triangles, region_vertices
from synth_affect.render.rasterizer import rasterize_projected
from tests.heads.cc0_views import (
    EYE,
    FLIP,
    landmarks,
    random_heads,
    unit,
)

REGIONS = {
    "skin", "lips", "lids", "eyeball", "iris", "lashes", "mouth_cavity", "teeth_upper", "teeth_lower", "gums", "tongue",
    "neck", "scalp", "ears",
}  # fmt: skip
SKIN = ("skin", "lips", "lids", "mouth_cavity", "neck", "scalp", "ears")


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return load_cc0()


def border_loops(triangles: np.ndarray) -> list[np.ndarray]:
    """The vertices of each closed border of a mesh; edges that three triangles share are an error."""
    edges = triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    unique, used = np.unique(np.sort(edges, axis=1), axis=0, return_counts=True)
    assert used.max() <= 2
    rim = unique[used == 1]
    vertices, ends = np.unique(rim, return_inverse=True)
    ends = ends.reshape(-1, 2)
    n_loops, loop = connected_components(coo_matrix((np.ones(len(ends)), ends.T), shape=(len(vertices),) * 2))
    return [vertices[loop == k] for k in range(n_loops)]


def test_is_small_free_and_says_where_it_comes_from(head: HeadModel) -> None:
    assert len((files("synth_affect.heads") / FILE_NAME).read_bytes()) <= 6_000_000
    assert head.licence == "CC0-1.0"
    assert "MakeHuman" in head.source


def test_has_the_52_units_of_arkit(head: HeadModel) -> None:
    assert sorted(head.unit_names) == sorted(ARKIT_UNITS)
    largest_mm = np.linalg.norm(head.expression_units, axis=2).max(axis=1)
    for name, mm in zip(head.unit_names, largest_mm, strict=True):
        assert 1.0 < mm < 60.0, name


def test_every_region_has_triangles(head: HeadModel) -> None:
    assert set(head.region_names) == REGIONS
    assert set(np.unique(head.triangle_regions)) == set(range(len(REGIONS)))
    for name in (*EYE, "lids", "lashes", "ears"):
        x = head.mean[region_vertices(head, name), 0]
        assert x.min() == pytest.approx(-x.max(), abs=0.01), name


def test_textures_have_places_in_the_unit_square(head: HeadModel) -> None:
    assert head.uv.min() >= 0
    assert head.uv.max() <= 1
    assert head.uv_triangles.max() < len(head.uv)


def test_the_skin_is_one_sheet_whose_only_border_is_the_neck(head: HeadModel) -> None:
    """Eyes and mouth open into closed sockets and a closed cavity, not into holes."""
    skin = head.triangles[region_triangles(head, *SKIN)]
    n = len(head.mean)
    links = coo_matrix((np.ones(3 * len(skin)), (skin.ravel(), np.roll(skin, 1, axis=1).ravel())), shape=(n, n))
    _, piece = connected_components(links, directed=False)
    assert len(np.unique(piece[skin])) == 1
    (neck,) = border_loops(skin)
    assert np.isin(neck, region_vertices(head, "neck")).all()
    n_edges = len(np.unique(np.sort(skin[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1), axis=0))
    assert len(np.unique(skin)) - n_edges + len(skin) == 1  # Euler's number of a disk: no handles either


def test_the_inner_parts_are_open_only_where_they_are_hidden(head: HeadModel) -> None:
    assert border_loops(head.triangles[region_triangles(head, "tongue")]) == []
    eyes = border_loops(head.triangles[region_triangles(head, *EYE)])
    assert len(eyes) == 2
    assert max(head.mean[loop, 2].max() for loop in eyes) < head.mean[region_vertices(head, "iris"), 2].min() - 10
    jaws = border_loops(head.triangles[region_triangles(head, "teeth_upper", "teeth_lower", "gums")])
    assert len(jaws) == 2


def test_triangles_are_counter_clockwise_from_outside(head: HeadModel) -> None:
    """Every skin triangle that is the first a ray from outside meets looks at the ray; and closed parts hold volume."""
    for yaw_deg in (0.0, 90.0, 180.0, 270.0):
        rotation = Rotation.from_euler("y", yaw_deg, degrees=True).as_matrix()
        camera = Camera(rotation, np.array([0.0, 0.0, 900.0]), 700.0, np.array([120.0, 120.0]))
        skin = head.triangles[region_triangles(head, *SKIN)]
        fragments = rasterize_projected(project(camera, head.mean), skin, ImageSize(240, 240))
        first = np.unique(fragments.pix_to_face)[1:]
        corners = project(camera, head.mean)[skin[first]]
        edges = corners[:, 1:, :2] - corners[:, :1, :2]
        facing = edges[:, 0, 0] * edges[:, 1, 1] - edges[:, 0, 1] * edges[:, 1, 0] < 0
        # From behind and aside, the inside of the neck's open end may be seen.
        away = ~facing & ~np.isin(skin[first], region_vertices(head, "neck")).any(1)
        assert away.sum() == 0, yaw_deg
    tongue = head.triangles[region_triangles(head, "tongue")]
    centre = head.mean[region_vertices(head, "tongue")].mean(0)
    assert np.einsum("td,td->", triangle_normals(head.mean, tongue), head.mean[tongue].mean(1) - centre) > 0
    for side in (-1, 1):
        triangles = head.triangles[region_triangles(head, *EYE)]
        triangles = triangles[head.mean[triangles[:, 0], 0] * side > 0]
        back = head.mean[np.unique(triangles)].mean(0) - [0, 0, 6.0]
        outward = np.einsum("td,td->t", triangle_normals(head.mean, triangles), head.mean[triangles].mean(1) - back)
        assert (outward > 0).all()


def test_no_triangle_is_degenerate(head: HeadModel) -> None:
    assert np.linalg.norm(triangle_normals(head.mean, head.triangles), axis=1).min() / 2 > 1e-3  # mm^2


def test_mirror_is_an_involution_that_keeps_regions(head: HeadModel) -> None:
    np.testing.assert_array_equal(head.mirror[head.mirror], np.arange(len(head.mean)))
    for name in head.region_names:
        mine = region_vertices(head, name)
        share = np.isin(head.mirror[mine], mine).mean()
        assert share > (0.99 if name in EYE else 0.97), name


def test_the_mean_is_symmetric(head: HeadModel) -> None:
    np.testing.assert_allclose(head.mean[head.mirror] * FLIP, head.mean, atol=1e-4)


def test_units_of_one_side_are_the_mirror_image_of_the_others(head: HeadModel) -> None:
    for name in head.unit_names:
        offsets = unit(head, name)
        other = unit(head, mirrored(name))[head.mirror] * FLIP
        rounding = 2.0**-10 * np.abs(offsets) + 2.0**-14  # two roundings to float16
        assert (np.abs(offsets - other) <= rounding).all(), name


def test_identity_is_almost_symmetric(head: HeadModel) -> None:
    """People differ far more than their halves do."""
    asymmetric = head.identity_basis - head.identity_basis[:, head.mirror] * FLIP
    assert (asymmetric**2).sum() < 0.01 * (head.identity_basis**2).sum()


def test_identity_is_scaled_so_that_random_heads_are_plausible(head: HeadModel) -> None:
    """Bounds in mm hold all of 200 heads (pupils: 50 to 78 mm, as Dodgson 2004 found for nearly all adults)."""
    assert len(head.identity_basis) >= 60
    points = np.stack([landmarks(head, vertices) for vertices in random_heads(head, 200)])

    def across(a: int, b: int) -> np.ndarray:
        return np.linalg.norm(points[:, a] - points[:, b], axis=1)

    for name, distance, low, high, least_spread in (
        ("width of the face", across(234, 454), 110, 165, 3),
        ("nasion to chin", across(168, 152), 85, 135, 3),
        ("outer corners of the eyes", across(33, 263), 70, 110, 2),
        ("irises", across(468, 473), 50, 78, 1.5),
        ("width of the mouth", across(61, 291), 35, 65, 1.5),
    ):
        assert low < distance.min(), name
        assert distance.max() < high, name
        assert least_spread < distance.std() < 10, name


def test_the_unit_is_the_millimetre_and_the_origin_lies_between_the_eyes(head: HeadModel) -> None:
    """Pupils of adults: 63 mm apart with a standard deviation of 4 (Dodgson 2004); outer corners some 25 mm wider."""
    points = landmarks(head, head.mean)
    assert 80 < np.linalg.norm(points[33] - points[263]) < 100
    assert abs(np.linalg.norm(points[468] - points[473]) - 63) < 2 * 4
    np.testing.assert_allclose(head.mean[region_vertices(head, *EYE)].mean(0), 0, atol=0.01)
    extent = np.ptp(head.mean[region_vertices(head, "skin", "scalp", "neck")], axis=0)
    assert (extent > [130, 200, 170]).all()
    assert (extent < [180, 290, 230]).all()  # a head, not a bust
    # x is right of the viewer's picture, where the subject's left is; y up; z to the viewer.
    assert points[263, 0] > points[33, 0]
    assert points[10, 1] > points[152, 1]
    assert points[4, 2] > points[234, 2]
