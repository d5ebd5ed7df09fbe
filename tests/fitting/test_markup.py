import numpy as np
import pytest

from synth_affect.fitting.markup import FACE_OVAL, INNER, IRISES, N_LANDMARKS, interocular_distance_px


def test_the_groups_part_the_landmarks() -> None:
    together = np.concatenate([FACE_OVAL, INNER, IRISES])
    np.testing.assert_array_equal(np.sort(together), np.arange(N_LANDMARKS))
    assert len(FACE_OVAL) == 36


def test_interocular_distance_is_that_of_the_outer_corners_in_the_picture() -> None:
    points = np.zeros((N_LANDMARKS, 3))
    points[33], points[263] = (10, 20, 5), (40, 60, 900)
    assert interocular_distance_px(points) == pytest.approx(50)
