import numpy as np
import pytest

from synth_affect.errors import ShapeError
from synth_affect.fitting.markup import (
    FACE_OVAL,
    IBUG,
    INNER,
    IRISES,
    MEDIAPIPE,
    N_LANDMARKS,
    Markup,
    interocular_distance_px,
    markup_of,
)
from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.model import embed


def test_the_groups_part_the_landmarks() -> None:
    together = np.concatenate([FACE_OVAL, INNER, IRISES])
    np.testing.assert_array_equal(np.sort(together), np.arange(N_LANDMARKS))
    assert len(FACE_OVAL) == 36


def test_interocular_distance_is_that_of_the_outer_corners_in_the_picture() -> None:
    points = np.zeros((N_LANDMARKS, 3))
    points[33], points[263] = (10, 20, 5), (40, 60, 900)
    assert interocular_distance_px(points) == pytest.approx(50)


@pytest.mark.parametrize("markup", [MEDIAPIPE, IBUG])
def test_groups_of_a_markup_are_a_partition_with_lids_on_both_sides(markup: Markup) -> None:
    together = np.concatenate([markup.outline, markup.inner, markup.irises])
    np.testing.assert_array_equal(np.sort(together), np.arange(markup.n_landmarks))
    assert set(markup.lids) < set(markup.inner)
    assert {markup.right_eye_outer_corner, markup.left_eye_outer_corner} < set(markup.lids)
    assert markup.nose_tip in markup.inner
    head = load_cc0()
    places = embed(head.mean, head.triangles, markup.embedding(head))
    assert (places[markup.lids, 0] > 0).sum() * 2 == len(markup.lids)
    assert places[markup.nose_tip, 2] == pytest.approx(places[:, 2].max(), abs=2)
    assert places[markup.right_eye_outer_corner, 0] == places[markup.lids, 0].min()


def test_the_inter_ocular_distance_of_68_points() -> None:
    points = np.zeros((68, 2))
    points[36], points[45] = (10, 20), (40, 60)
    assert interocular_distance_px(points) == 50
    assert markup_of(points) is IBUG
    with pytest.raises(ShapeError, match="got 5"):
        markup_of(points[:5])
