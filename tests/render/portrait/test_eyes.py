"""Eyes."""

from __future__ import annotations

import numpy as np
import pytest

from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.model import HeadModel, region_vertices
from synth_affect.render.portrait.eyes import find_eyeballs, paint_eyes, paint_pixels
from synth_affect.render.portrait.person import draw_person


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return load_cc0()


def test_eyeballs_are_found_as_spheres(head: HeadModel) -> None:
    right, left = find_eyeballs(head, head.mean)
    for eye, side in ((right, -1), (left, 1)):
        ball = region_vertices(head, "eyeball")
        ball = head.mean[ball[np.sign(head.mean[ball, 0]) == side]]
        assert np.abs(np.linalg.norm(ball - eye.centre, axis=1) - eye.radius_mm).max() < 1.5
        assert eye.axis[2] > 0.95
        assert 5 < eye.iris_mm < 7.5
    assert right.centre[0] == pytest.approx(-left.centre[0], abs=0.3)


def test_the_gaze_turns_the_axis(head: HeadModel) -> None:
    weights = np.zeros(len(head.unit_names), dtype=np.float32)
    weights[head.unit_names.index("eyeLookOutLeft")] = 0.7
    _, left = find_eyeballs(head, head.mean + np.tensordot(weights, head.expression_units, 1))
    assert left.axis[0] > 0.15  # the subject's left is to the right of the picture


def test_pupil_is_dark_white_is_light_and_normals_are_unit(head: HeadModel) -> None:
    eyes = find_eyeballs(head, head.mean)
    paint = paint_eyes(draw_person(np.random.default_rng(1), 0.3))
    eye = eyes[1]
    aside = np.array([np.sin(0.9), 0, np.cos(0.9)])
    points = np.stack([eye.centre + eye.radius_mm * eye.axis, eye.centre + eye.radius_mm * aside])
    colour, ball, wet = paint_pixels(eyes, paint, points)
    assert colour[0].max() < 0.02
    assert colour[1].min() > 0.2
    for normals in (ball, wet):
        assert np.linalg.norm(normals, axis=1) == pytest.approx([1, 1], rel=1e-5)
