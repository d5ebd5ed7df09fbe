from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from synth_affect.errors import ShapeError
from synth_affect.heads.model import (
    HeadModel,
    LandmarkEmbedding,
    embed,
    head_vertices,
    region_triangles,
    region_vertices,
)


def test_zero_coefficients_are_the_mean(tiny_head: HeadModel) -> None:
    vertices = head_vertices(tiny_head, np.zeros(4), np.zeros(2))
    assert vertices.dtype == np.float32
    np.testing.assert_array_equal(vertices, tiny_head.mean)


def test_is_the_naive_sum(tiny_head: HeadModel) -> None:
    identity, expression = np.array([1.0, -2.0, 0.5, 3.0]), np.array([0.25, 1.0])
    expected = tiny_head.mean.astype(np.float64)
    for coefficient, component in zip(identity, tiny_head.identity_basis, strict=True):
        expected = expected + coefficient * component
    for weight, unit in zip(expression, tiny_head.expression_units, strict=True):
        expected = expected + weight * unit
    np.testing.assert_allclose(head_vertices(tiny_head, identity, expression), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("identity", "expression", "message"),
    [
        (np.zeros(3), np.zeros(2), r"identity_coefficients: expected \(4\), got \(3\)"),
        (np.zeros(4), np.zeros(52), r"expression_weights: expected \(2\), got \(52\)"),
        (np.full(4, np.nan), np.zeros(2), "identity_coefficients: expected finite numbers"),
    ],
)
def test_coefficients_of_another_model_are_refused(
    tiny_head: HeadModel, identity: np.ndarray, expression: np.ndarray, message: str
) -> None:
    with pytest.raises(ShapeError, match=message):
        head_vertices(tiny_head, identity, expression)


def test_embedded_points_lie_where_their_weights_say(tiny_head: HeadModel) -> None:
    points = embed(tiny_head.mean, tiny_head.triangles, tiny_head.landmarks_478)
    a, b, c = tiny_head.mean[[2, 5, 3]]
    np.testing.assert_allclose(points, [tiny_head.mean[0], 0.25 * a + 0.5 * b + 0.25 * c, tiny_head.mean[1]], atol=1e-6)


def test_embedding_carries_any_values_of_vertices(tiny_head: HeadModel) -> None:
    values = np.arange(12.0).reshape(6, 2)
    carried = embed(values, tiny_head.triangles, tiny_head.landmarks_68)
    np.testing.assert_array_equal(carried, [0.5 * (values[2] + values[4])])


def test_regions_are_found_by_name(tiny_head: HeadModel) -> None:
    np.testing.assert_array_equal(region_triangles(tiny_head, "neck"), [False, False, True, True])
    assert region_triangles(tiny_head, "neck", "skin").all()
    np.testing.assert_array_equal(region_vertices(tiny_head, "skin"), [0, 1, 2, 3])
    with pytest.raises(ShapeError, match="region: expected one of skin, neck, got nose"):
        region_triangles(tiny_head, "nose")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"identity_basis": np.zeros((4, 5, 3))}, r"identity_basis: expected \(n_identity, 6, 3\), got \(4, 5, 3\)"),
        ({"unit_names": ("jawOpen",)}, r"expression_units: expected \(1, 6, 3\), got \(2, 6, 3\)"),
        ({"mirror": [0, 1]}, r"mirror: expected \(6\), got \(2\)"),
        ({"triangle_regions": [0, 0, 1, 2]}, "triangle_regions: expected indices below 2"),
        ({"triangles": [[0, 1, 2], [0, 1, 6], [0, 1, 2], [0, 1, 2]]}, "triangles: expected indices below 6, got 6"),
        ({"triangles": [[0, 1, 2], [0, 1, -1], [0, 1, 2], [0, 1, 2]]}, "triangles: expected indices below 6"),
        ({"mean": np.full((6, 3), np.inf)}, "mean: expected finite numbers"),
    ],
)
def test_parts_that_do_not_belong_together_are_refused(
    tiny_head: HeadModel, changed: dict[str, Any], message: str
) -> None:
    with pytest.raises(ShapeError, match=message):
        replace(tiny_head, **changed)


def test_an_embedding_has_three_weights_a_landmark() -> None:
    with pytest.raises(ShapeError, match=r"barycentric: expected \(2, 3\), got \(1, 3\)"):
        LandmarkEmbedding(np.array([0, 1]), np.array([[1, 0, 0]]))


def test_arrays_cannot_be_written(tiny_head: HeadModel) -> None:
    for field in ("mean", "triangles", "identity_basis", "expression_units", "mirror", "uv"):
        assert not getattr(tiny_head, field).flags.writeable, field
