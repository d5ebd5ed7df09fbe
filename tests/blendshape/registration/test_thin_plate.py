from __future__ import annotations

import numpy as np
import pytest

from synth_affect.arrays import FloatArray, IntArray
from synth_affect.blendshape.registration.thin_plate import (
    boundary_vertices,
    membrane_matrix,
    plate_matrix,
    vertex_areas,
)


@pytest.fixture(scope="module")
def sheet() -> tuple[FloatArray, IntArray]:
    """A flat square of 20 mm with 21 x 21 vertices."""
    n = 21
    x, y = np.meshgrid(np.arange(n), np.arange(n))
    index = np.arange(n * n).reshape(n, n)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]
    triangles = np.concatenate([np.stack(t, axis=-1).reshape(-1, 3) for t in ((a, b, c), (b, d, c))])
    return np.stack([x, y, np.zeros_like(x)], axis=-1).reshape(-1, 3).astype(float), triangles


def test_areas_add_up(sheet: tuple[FloatArray, IntArray]) -> None:
    assert vertex_areas(*sheet).sum() == pytest.approx(400)


def test_a_slope_stretches_the_membrane_and_leaves_the_plate_at_rest(sheet: tuple[FloatArray, IntArray]) -> None:
    vertices, triangles = sheet
    slope = 0.3 * vertices[:, 0] - 0.4 * vertices[:, 1]
    # The squared gradient is 0.25 over 400 mm^2; the bounds of the weights add a little on right angles.
    assert slope @ membrane_matrix(vertices, triangles) @ slope == pytest.approx(100, rel=0.1)
    plate = plate_matrix(vertices, triangles, np.ones(len(vertices)))
    assert slope @ plate @ slope == pytest.approx(0, abs=1e-9)


def test_a_bowl_bends_the_plate(sheet: tuple[FloatArray, IntArray]) -> None:
    vertices, triangles = sheet
    bowl = 0.05 * ((vertices - 10) ** 2)[:, :2].sum(axis=1)
    plate = plate_matrix(vertices, triangles, np.full(len(vertices), 3.0))
    # The Laplacian is 0.2 everywhere; 19 x 19 vertices are inside, 1 mm^2 each; times the stiffness.
    assert bowl @ plate @ bowl == pytest.approx(3 * 0.04 * 361, rel=0.15)


def test_both_are_symmetric_and_never_negative(sheet: tuple[FloatArray, IntArray]) -> None:
    vertices, triangles = sheet
    for matrix in (membrane_matrix(vertices, triangles), plate_matrix(vertices, triangles, np.ones(len(vertices)))):
        assert abs(matrix - matrix.T).max() < 1e-12
        assert np.linalg.eigvalsh(matrix.toarray()).min() > -1e-9


def test_the_boundary_of_the_sheet_is_its_frame(sheet: tuple[FloatArray, IntArray]) -> None:
    vertices, triangles = sheet
    frame = np.flatnonzero((vertices[:, :2] == 0).any(axis=1) | (vertices[:, :2] == 20).any(axis=1))
    np.testing.assert_array_equal(boundary_vertices(triangles), frame)
