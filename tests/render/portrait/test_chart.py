"""The chart of the skin."""

from __future__ import annotations

import numpy as np
import pytest

from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.model import embed
from synth_affect.render.portrait.anatomy import find_anatomy
from synth_affect.render.portrait.chart import OUTSIDE, RADIUS_MM, TEXEL_MM, Chart, on_surface, unroll


@pytest.fixture(scope="module")
def chart() -> Chart:
    return unroll(load_cc0())


def test_a_place_on_the_chart_is_the_place_on_the_head(chart: Chart) -> None:
    head = chart.head
    points = embed(head.mean, head.triangles, head.landmarks_478)
    visible = [1, 4, 9, 10, 50, 152, 199, 280]  # the lids and the lips' inside lie under other skin
    triangle, barycentric = on_surface(chart, chart.landmarks[visible])
    assert (triangle >= 0).all()
    found = np.einsum("nk,nkc->nc", barycentric, head.mean[chart.triangles[triangle]])
    assert np.linalg.norm(found - points[visible], axis=1).max() < 1.0


def test_a_quarter_turn_is_a_quarter_of_the_chart(chart: Chart) -> None:
    axis = chart.cylinder.axis_z_mm
    ahead, aside = chart.cylinder.texels(np.array([[0, 0, axis + 80], [80, 0, axis]]))
    assert ahead[0] == pytest.approx(chart.size.width / 2)
    assert aside[0] - ahead[0] == pytest.approx(np.pi / 2 * RADIUS_MM / TEXEL_MM, rel=1e-5)
    assert aside[1] == ahead[1]


def test_only_outside_is_on_it(chart: Chart) -> None:
    named = {chart.head.region_names.index(name) for name in OUTSIDE}
    of_head = {tuple(t) for t, r in zip(chart.head.triangles, chart.head.triangle_regions, strict=True) if r in named}
    assert {tuple(t) for t in chart.triangles} <= of_head


def test_masks_lie_where_the_parts_are(chart: Chart) -> None:
    anatomy = find_anatomy(chart)

    def at(mask: np.ndarray, landmark: int) -> float:
        column, row = chart.landmarks[landmark].astype(int)
        return mask[row, column]

    assert at(anatomy.lips, 17) > 0.4
    assert at(anatomy.lips, 152) == 0
    assert at(anatomy.beard, 199) > 0.9
    assert at(anatomy.beard, 9) == 0
    assert at(anatomy.hair, 9) == 0
    assert anatomy.hair[0].min() > 0.9
    assert at(anatomy.cheeks, 50) > 0.9
    # The same on both sides.
    assert np.abs(anatomy.hair - anatomy.hair[:, ::-1]).max() < 0.2
