from __future__ import annotations

import numpy as np
import pytest

from synth_affect.blendshape.registration.cylinder import Cylinder, cylinder_around, draw_map, unwrap, wrap
from synth_affect.blendshape.template import Template

CYLINDER = Cylinder(x_mm=0.0, z_mm=0.0, radius_mm=80.0, top_mm=100.0, height=400, width=520, pixel_mm=0.5)


def test_the_convention_s_point() -> None:
    (point,) = unwrap(CYLINDER, np.array([[80.0, 90.0, 0.0]]))
    np.testing.assert_allclose(point, [260 + 251.327, 20.0, 80.0], atol=1e-3)


def test_the_picture_looks_like_the_face_from_in_front() -> None:
    right, left, below = unwrap(CYLINDER, np.array([[-5.0, 0, 60], [5.0, 0, 60], [5.0, -5.0, 60]]))
    assert right[0] < left[0]
    assert below[1] > left[1]


def test_wrap_undoes_unwrap() -> None:
    points = np.random.default_rng(0).normal(0, 60, (50, 3))
    np.testing.assert_allclose(wrap(CYLINDER, unwrap(CYLINDER, points)), points, atol=1e-9)


def test_a_map_holds_the_surface_s_positions_and_normals(template: Template) -> None:
    cylinder = cylinder_around(template)
    uv_map = draw_map(cylinder, template.mesh.vertices, template.mesh.triangles)
    assert uv_map.positions.shape == (cylinder.height, cylinder.width, 3)
    assert uv_map.positions.dtype == np.float32
    rows, columns = np.nonzero(uv_map.covered)
    assert len(rows) > 0.4 * uv_map.radius.size
    drawn = unwrap(cylinder, uv_map.positions[rows, columns].astype(np.float64))
    # Triangles are flat and the unwrap is not: their middles lie a little off.
    assert np.percentile(np.abs(drawn[:, 0] - columns - 0.5), 95) < 0.5
    assert np.abs(drawn[:, 1] - rows - 0.5).max() < 0.01
    nose = uv_map.normals[rows, columns][np.argmax(uv_map.positions[rows, columns, 2])]
    assert nose[2] > 0.8


def test_the_whole_template_is_within_the_picture(template: Template) -> None:
    cylinder = cylinder_around(template)
    unwrapped = unwrap(cylinder, template.mesh.vertices)
    assert (unwrapped[:, :2] > 0).all()
    assert (unwrapped[:, :2] < [cylinder.width, cylinder.height]).all()


def test_of_two_surfaces_the_outer_one_is_drawn() -> None:
    inner = np.array([[-20.0, -20, 60], [20, -20, 60], [0, 20, 60]])
    vertices = np.concatenate([inner * [1.2, 1, 1.2], inner])
    for triangles in ([[0, 1, 2], [3, 4, 5]], [[3, 4, 5], [0, 1, 2]]):
        uv_map = draw_map(CYLINDER, vertices, np.array(triangles))
        assert uv_map.positions[uv_map.covered][:, 2] == pytest.approx(72.0, abs=1e-4)


def test_triangles_across_the_cut_are_left_out() -> None:
    behind = np.array([[-20.0, -20, -60], [20, -20, -60], [0, 20, -60]])
    assert not draw_map(CYLINDER, behind, np.array([[0, 1, 2]])).covered.any()
