from __future__ import annotations

import numpy as np
import pytest

from synth_affect.arrays import FloatArray, IntArray
from synth_affect.blendshape.registration.scan import MM_PER_UNIT, ScanRepairs, prepare_scan
from synth_affect.errors import InputError
from synth_affect.heads.mesh import triangle_normals


def bowl(n: int = 24, radius: float = 90.0) -> tuple[FloatArray, IntArray]:
    """The front of a sphere, open behind, 2 (n - 1)^2 triangles that face outward."""
    x, y = np.meshgrid(np.linspace(-0.9, 0.9, n), np.linspace(-0.9, 0.9, n))
    points = np.stack([x, y, np.full_like(x, 0.8)], axis=-1).reshape(-1, 3)
    points *= radius / np.linalg.norm(points, axis=1, keepdims=True)
    index = np.arange(n * n).reshape(n, n)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]
    return points, np.concatenate([np.stack(t, axis=-1).reshape(-1, 3) for t in ((a, b, c), (b, d, c))])


def outward(vertices: FloatArray, triangles: IntArray) -> float:
    """Share of the triangles that face away from the bowl's centre, which is the origin."""
    return float(((triangle_normals(vertices, triangles) * vertices[triangles[:, 0]]).sum(axis=1) > 0).mean())


def test_leaves_a_clean_mesh_as_it_is() -> None:
    vertices, triangles = bowl()
    scan = prepare_scan(vertices, triangles, name="a")
    np.testing.assert_allclose(scan.vertices, vertices, atol=1e-4)
    np.testing.assert_array_equal(scan.triangles, triangles)
    np.testing.assert_array_equal(scan.raw_vertex, np.arange(len(vertices)))
    assert (scan.vertices.dtype, scan.triangles.dtype) == (np.float32, np.int32)
    assert (scan.unit, scan.repairs, scan.name) == ("mm", ScanRepairs(), "a")


@pytest.mark.parametrize("unit", ["mm", "cm", "m"])
def test_tells_the_unit_by_the_size(unit: str) -> None:
    vertices, triangles = bowl()
    vertices[0] = [1e4, 0, 0]  # one stray point does not matter
    mm = MM_PER_UNIT[unit]  # type: ignore[index]
    scan = prepare_scan(vertices / mm, triangles[2:], name="a")
    assert scan.unit == unit
    np.testing.assert_allclose(scan.vertices[5:], vertices[scan.raw_vertex[5:]], rtol=1e-5, atol=1e-3)


def test_turns_an_inside_out_mesh() -> None:
    vertices, triangles = bowl()
    scan = prepare_scan(vertices, triangles[:, ::-1], name="a")
    assert scan.repairs == ScanRepairs(turned=True)
    assert outward(scan.vertices, scan.triangles) == 1


def test_turns_single_triangles_against_their_neighbours() -> None:
    vertices, triangles = bowl()
    triangles[[0, 77, 300]] = triangles[[0, 77, 300], ::-1]
    scan = prepare_scan(vertices, triangles, name="a")
    assert scan.repairs == ScanRepairs(triangles_turned=3)
    assert outward(scan.vertices, scan.triangles) == 1


def test_counts_what_it_cleans() -> None:
    vertices, triangles = bowl()
    n = len(vertices)
    fleck = np.array([[0, 0, 150], [1, 0, 150], [0, 1, 150], vertices[60] * 1.05, [7, 7, 7]])
    raw = np.concatenate([vertices, fleck, vertices[:1]])
    extra = [[n, n + 1, n + 2], [4, 4, 9], triangles[8].tolist(), triangles[9, [1, 2, 0]].tolist()]
    corners = np.concatenate([triangles, extra])
    corners[corners == 0] = n + 5  # a twin of vertex 0 takes its place
    fin = [[60, 61, n + 3]]  # a third triangle on an edge
    scan = prepare_scan(raw, np.concatenate([corners, fin]), name="a")
    repairs = scan.repairs
    assert (repairs.flecks, repairs.fleck_triangles) == (2, 2)  # the fin hangs on an edge that joins nothing
    assert (repairs.triangles_degenerate, repairs.triangles_duplicate) == (1, 2)
    assert (repairs.vertices_merged, repairs.edges_nonmanifold) == (1, 1)
    assert repairs.vertices_unused == 5
    assert len(scan.vertices) == n


def test_joins_a_soup_of_triangles() -> None:
    vertices, triangles = bowl()
    scan = prepare_scan(vertices[triangles.ravel()], np.arange(triangles.size).reshape(-1, 3), name="a")
    assert len(scan.vertices) == len(vertices)
    assert scan.repairs.vertices_merged == triangles.size - len(vertices)


def test_leaves_its_inputs_alone() -> None:
    vertices, triangles = bowl()
    vertices.flags.writeable = triangles.flags.writeable = False
    prepare_scan(vertices, triangles[:, ::-1], name="a")


def with_nan() -> tuple[FloatArray, IntArray]:
    vertices, triangles = bowl()
    vertices[[3, 8], 1] = np.nan
    return vertices, triangles


@pytest.mark.parametrize(
    ("mesh", "reason"),
    [
        ((np.empty((0, 3)), bowl()[1]), "has no vertices"),
        ((bowl()[0], np.empty((0, 3), dtype=int)), "has no triangles"),
        ((bowl()[0], bowl()[1][:50]), "has 50 triangles, a face needs 100"),
        (with_nan(), r"vertex 3 is NaN or infinite \(2 of 576 are\)"),
        ((bowl()[0], bowl()[1] + 1), "a triangle names a vertex outside 0 to 575"),
        ((bowl()[0][:, :2], bowl()[1]), r"has vertices of shape \(576, 2\)"),
        ((bowl()[0], bowl()[1].astype(float)), "has triangles of shape"),
        ((bowl()[0] * 1e-6, bowl()[1]), "measures 0.0.* across, which is no head"),
        ((bowl()[0] * [1, 0, 0], bowl()[1]), "has 0 triangles with an area"),
    ],
)
def test_refuses_what_is_no_scan(mesh: tuple[FloatArray, IntArray], reason: str) -> None:
    with pytest.raises(InputError, match="^frame 7: " + reason):
        prepare_scan(*mesh, name="frame 7")
