from __future__ import annotations

import math
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from synth_affect.affect import Emotion, ValenceArousal
from synth_affect.blendshape.action_units import ARKIT_UNITS, UNIT_INDEX, arrange, mirrored
from synth_affect.blendshape.affect_map import expression_weights
from synth_affect.blendshape.expression_source import ExpressionSource, PrototypeExpressions
from synth_affect.blendshape.grid.affect_grid import GridQuestion
from synth_affect.blendshape.grid.expressions import GridExpressions, rest_share
from synth_affect.blendshape.template import face_template, face_vertices
from synth_affect.errors import InputError, ShapeError
from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.model import region_vertices
from synth_affect.pipelines.open_expressions import ExpressionChoice, open_expressions, open_grid

MIRROR = [UNIT_INDEX[mirrored(unit)] for unit in ARKIT_UNITS]


def at(radius: float, angle: float) -> ValenceArousal:
    return ValenceArousal(radius * math.cos(angle), radius * math.sin(angle))


@pytest.fixture(scope="module")
def packaged() -> GridExpressions:
    return GridExpressions(open_grid("default"), load_cc0())


@lru_cache(maxsize=1)
def face_units() -> np.ndarray:
    """(n_units, 3 n_face_vertices) float32, mm."""
    head = load_cc0()
    return head.expression_units[:, face_vertices(head)].reshape(len(head.unit_names), -1)


def shown(source: ExpressionSource, target: ValenceArousal) -> np.ndarray:
    """(n_face_vertices, 3) mm on the packaged head."""
    expression = source.expression(target, None, 1.0)
    weights = arrange(expression.weights, load_cc0().unit_names).astype(np.float32)
    offsets = (weights @ face_units()).reshape(-1, 3)
    return np.asarray(offsets if expression.residual is None else offsets + expression.residual)


def largest_steps_mm(source: ExpressionSource, path: list[ValenceArousal]) -> np.ndarray:
    steps = np.diff([shown(source, point) for point in path], axis=0)
    return np.asarray(np.linalg.norm(steps, axis=2).max(axis=1))


@pytest.mark.parametrize("radius", [0.5, 1.0])
def test_no_vertex_jumps_round_the_circle(packaged: GridExpressions, radius: float) -> None:
    steps = largest_steps_mm(packaged, [at(radius, angle) for angle in np.linspace(0, math.tau, 61)])
    assert steps.max() <= 2 * np.median(steps)


@pytest.mark.parametrize("degrees", range(0, 180, 45))
def test_no_vertex_jumps_on_a_line_through_the_origin(packaged: GridExpressions, degrees: int) -> None:
    steps = largest_steps_mm(packaged, [at(radius, math.radians(degrees)) for radius in np.linspace(-1, 1, 61)])
    assert steps.max() <= 2 * np.median(steps)


def test_the_origin_is_exactly_nothing(packaged: GridExpressions) -> None:
    expression = packaged.expression(ValenceArousal(0, 0), None, 1.0)
    assert not expression.weights.any()
    assert expression.residual is None


def test_both_sides_are_equal(packaged: GridExpressions) -> None:
    expression = packaged.expression(at(0.8, 2.0), None, 1.0)
    np.testing.assert_array_equal(expression.weights, expression.weights[MIRROR])
    head = load_cc0()
    face = face_vertices(head)
    place = {int(vertex): k for k, vertex in enumerate(face)}
    pairs = [(k, place[int(head.mirror[v])]) for k, v in enumerate(face) if int(head.mirror[v]) in place]
    one, other = np.array(pairs).T
    assert expression.residual is not None
    np.testing.assert_allclose(expression.residual[one], expression.residual[other] * [-1, 1, 1], atol=1e-4)


def test_units_and_rest_are_the_grids_displacement_where_the_rest_is_whole(packaged: GridExpressions) -> None:
    grid, head = open_grid("default"), load_cc0()
    target = at(0.7, 0.3)
    wanted = grid.displacement(target)
    assert wanted is not None
    whole = rest_share(head) == 1
    assert whole.mean() > 0.2
    # The grid's own is hardly asymmetric, and what is shown is not at all.
    assert np.abs(shown(packaged, target) - wanted)[whole].mean() < 0.15


def test_the_rest_leaves_lids_and_the_line_between_the_lips_alone() -> None:
    head = load_cc0()
    share, face = rest_share(head), face_vertices(head)
    assert share[np.isin(face, region_vertices(head, "lids"))].max() == 0
    assert share[np.isin(face, region_vertices(head, "mouth_cavity"))].max() == 0
    assert share.max() == 1


def test_intensity_scales_within_the_limits(packaged: GridExpressions) -> None:
    target = at(0.6, 0.3)
    weak, strong = (packaged.expression(target, None, k) for k in (0.5, 10.0))
    assert strong.weights.max() <= 1
    assert weak.weights.max() < strong.weights.max()
    assert not packaged.expression(target, None, 0.0).weights.any()


def test_a_category_without_statistics_is_that_of_the_prototypes(packaged: GridExpressions) -> None:
    grid = open_grid("default")
    unknown = next(e for e in Emotion if e not in grid.categories and e is not Emotion.NEUTRAL)
    target = at(0.7, 2.4)
    np.testing.assert_array_equal(
        packaged.expression(target, unknown, 1.0).weights, expression_weights(target, unknown)
    )
    anger, fear = (packaged.expression(target, e, 1.0).weights for e in (Emotion.ANGER, Emotion.FEAR))
    assert anger[UNIT_INDEX["browDownLeft"]] > fear[UNIT_INDEX["browDownLeft"]] + 0.2


def test_prototypes_are_units_alone() -> None:
    target = at(0.7, 0.3)
    expression = PrototypeExpressions().expression(target, None, 1.0)
    assert expression.residual is None
    np.testing.assert_array_equal(expression.weights, expression_weights(target))


def test_a_grid_of_another_template_is_refused() -> None:
    grid = open_grid("default")
    other = replace(grid, components=replace(grid.components, topology="another"))
    with pytest.raises(ShapeError, match="another"):
        GridExpressions(other, load_cc0())
    assert face_template(load_cc0()).topology == grid.topology


def test_a_question_needs_a_grid() -> None:
    with pytest.raises(InputError, match="--grid"):
        ExpressionChoice(question=GridQuestion(lookup="cell"))
    assert isinstance(open_expressions(ExpressionChoice(), load_cc0()), PrototypeExpressions)
