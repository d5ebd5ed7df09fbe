from __future__ import annotations

import numpy as np
import pytest

from synth_affect.arrays import FloatArray, IntArray
from synth_affect.heads.mesh import vertex_normals
from synth_affect.heads.model import HeadModel, region_vertices
from synth_affect.render.crevices import CREVICE_MM, crevices

SIDE = 9
MIDDLE = SIDE // 2


def sheet(depth_mm: FloatArray) -> tuple[FloatArray, IntArray]:
    """A grid of 1 mm that looks up +z; depth_mm (SIDE, SIDE) is taken from its height."""
    y, x = np.mgrid[:SIDE, :SIDE]
    vertices = np.stack([x, y, -depth_mm], axis=2).reshape(-1, 3).astype(np.float64)
    corner = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    a, b, c, d = (part.ravel() for part in (corner[:-1, :-1], corner[:-1, 1:], corner[1:, 1:], corner[1:, :-1]))
    return vertices, np.concatenate([np.stack([a, b, c], axis=1), np.stack([a, c, d], axis=1)]).astype(np.int32)


def light(depth_mm: FloatArray) -> FloatArray:
    vertices, triangles = sheet(depth_mm)
    normals = np.tile([0.0, 0.0, 1.0], (len(vertices), 1))
    everywhere = np.arange(len(vertices))
    return crevices(vertices, normals, triangles, everywhere).reshape(SIDE, SIDE)


def groove(depth_mm: float) -> FloatArray:
    field = np.zeros((SIDE, SIDE))
    field[:, MIDDLE] = depth_mm
    return field


def test_a_flat_sheet_keeps_its_light() -> None:
    np.testing.assert_allclose(light(np.zeros((SIDE, SIDE))), 1, atol=1e-6)


def test_a_tilted_sheet_keeps_its_light() -> None:
    y, x = np.mgrid[:SIDE, :SIDE]
    vertices, triangles = sheet(0.3 * x - 0.7 * y)
    inner = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)[1:-1, 1:-1].ravel()
    lit = crevices(vertices, vertex_normals(vertices, triangles), triangles, inner)
    np.testing.assert_allclose(lit, 1, atol=1e-6)


def test_a_groove_is_dark_at_its_bottom_only() -> None:
    lit = light(groove(0.5))
    assert (lit[1:-1, MIDDLE] < 0.6).all()
    np.testing.assert_allclose(np.delete(lit, MIDDLE, axis=1), 1, atol=1e-6)


def test_a_ridge_is_as_bright_as_a_plain() -> None:
    np.testing.assert_allclose(light(groove(-0.5))[:, MIDDLE], 1, atol=1e-6)


def test_light_falls_exponentially_with_depth() -> None:
    shallow, deep = light(groove(0.2))[2, MIDDLE], light(groove(0.6))[2, MIDDLE]
    assert deep == pytest.approx(shallow**3, rel=1e-5)


def test_a_pit_as_deep_as_the_scale_gets_one_part_in_e() -> None:
    pit = np.zeros((SIDE, SIDE))
    pit[MIDDLE, MIDDLE] = CREVICE_MM
    assert light(pit)[MIDDLE, MIDDLE] == pytest.approx(np.exp(-1), rel=1e-6)


def test_vertices_not_asked_for_and_vertices_of_no_triangle_keep_their_light() -> None:
    vertices, triangles = sheet(groove(0.5))
    normals = np.tile([0.0, 0.0, 1.0], (len(vertices) + 1, 1))
    alone = np.vstack([vertices, [[50.0, 50.0, -9.0]]])
    asked = MIDDLE + SIDE * 2
    lit = crevices(alone, normals, triangles, np.array([asked]))
    assert lit[asked] < 1
    np.testing.assert_array_equal(np.delete(lit, asked), 1)


def test_teeth_of_the_packaged_head_are_darker_between_than_on_them(cc0_head: HeadModel) -> None:
    teeth = region_vertices(cc0_head, "teeth_upper")
    lit = crevices(cc0_head.mean, vertex_normals(cc0_head.mean, cc0_head.triangles), cc0_head.triangles, teeth)
    assert lit.dtype == np.float32
    assert (lit > 0).all()
    assert (lit <= 1).all()
    assert np.quantile(lit[teeth], 0.05) < 0.7
    assert np.median(lit[teeth]) > 0.9
