import numpy as np
import pytest

from synth_affect.fitting.contour import contour_strips, outermost
from synth_affect.fitting.markup import FACE_OVAL, NOSE_TIP
from synth_affect.heads.model import HeadModel, embed


def test_strips_run_over_the_skin_from_the_outline_towards_the_nose(synthetic_head: HeadModel) -> None:
    vertices = synthetic_head.mean.astype(np.float64)
    points = embed(vertices, synthetic_head.triangles, synthetic_head.landmarks_478)
    strips = contour_strips(vertices, points)
    assert strips.shape == (len(FACE_OVAL), 12)
    assert strips.dtype == np.int32
    to_nose = np.linalg.norm(vertices[strips] - points[NOSE_TIP], axis=2)
    assert (to_nose[:, -1] < to_nose[:, 0]).all()
    assert (to_nose[:, -1] < 0.75 * np.linalg.norm(points[FACE_OVAL] - points[NOSE_TIP], axis=1)).all()


def test_strips_never_dive_to_what_lies_under_the_skin(synthetic_head: HeadModel) -> None:
    vertices = synthetic_head.mean.astype(np.float64)
    points = embed(vertices, synthetic_head.triangles, synthetic_head.landmarks_478)
    with_teeth = np.vstack([vertices, vertices * 0.7])
    np.testing.assert_array_equal(contour_strips(with_teeth, points), contour_strips(vertices, points))


@pytest.mark.parametrize("direction", [1, -1])
def test_outermost_is_the_sample_farthest_from_the_middle_whichever_way_the_outline_runs(direction: int) -> None:
    angle = direction * np.linspace(0, 2 * np.pi, len(FACE_OVAL), endpoint=False)
    outline = 100 * np.column_stack([np.sin(angle), np.cos(angle)]) + [400, 300]
    radius = np.random.default_rng(0).uniform(60, 110, size=(len(FACE_OVAL), 7))
    samples = [400, 300] + radius[:, :, None] * np.column_stack([np.sin(angle), np.cos(angle)])[:, None]
    np.testing.assert_array_equal(outermost(samples, outline), radius.argmax(axis=1))


def test_the_ends_of_an_open_outline_know_which_way_is_out() -> None:
    """A jaw from ear to ear; closed, its ends would look up and down instead of sideways."""
    angle = np.linspace(-np.pi / 2, np.pi / 2, 17)
    jaw = 100 * np.column_stack([np.sin(angle), np.cos(angle)]) + [400, 300]
    radius = np.random.default_rng(0).uniform(60, 110, size=(17, 7))
    samples = [400, 300] + radius[:, :, None] * np.column_stack([np.sin(angle), np.cos(angle)])[:, None]
    np.testing.assert_array_equal(outermost(samples, jaw, closed=False), radius.argmax(axis=1))
