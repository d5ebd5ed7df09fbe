import numpy as np
import pytest

from synth_affect.pipelines.judges.face_heights import (
    LEFT_BROW,
    LEFT_EYE_INNER,
    LEFT_EYE_OUTER,
    LEFT_LIP_CORNER,
    LOWER_LIP_INNER,
    READINGS,
    RIGHT_BROW,
    RIGHT_EYE_INNER,
    RIGHT_EYE_OUTER,
    RIGHT_LIP_CORNER,
    UPPER_LIP_INNER,
    brow_height,
    inter_ocular_px,
    lip_corner_height,
    lip_gap,
    mean_unit,
    read_face,
)
from synth_affect.pipelines.judges.face_view import FaceView


@pytest.fixture
def points() -> np.ndarray:
    """Eyes 100 px apart at y = 200; brows 20 px above; lips parted by 10 px, their corners 6 px below the middle."""
    points = np.zeros((478, 2))
    points[[RIGHT_EYE_OUTER, RIGHT_EYE_INNER, LEFT_EYE_INNER, LEFT_EYE_OUTER], 0] = 50, 80, 120, 150
    points[:, 1] = 200
    points[list(RIGHT_BROW + LEFT_BROW), 1] = 180
    points[[UPPER_LIP_INNER, LOWER_LIP_INNER], 1] = 275, 285
    points[[RIGHT_LIP_CORNER, LEFT_LIP_CORNER], 1] = 286
    return points


def test_heights_are_in_inter_ocular_distances(points: np.ndarray) -> None:
    assert inter_ocular_px(points) == pytest.approx(100)
    assert brow_height(points) == pytest.approx(0.20)
    assert lip_corner_height(points) == pytest.approx(-0.06)
    assert lip_gap(points) == pytest.approx(0.10)


def test_heights_stand_a_tilt_a_scale_and_a_shift(points: np.ndarray) -> None:
    turn = 1.7 * np.array([[np.cos(0.6), -np.sin(0.6)], [np.sin(0.6), np.cos(0.6)]])
    moved = points @ turn.T + [31, -12]
    assert brow_height(moved) == pytest.approx(brow_height(points))
    assert lip_corner_height(moved) == pytest.approx(lip_corner_height(points))


def test_a_unit_with_sides_is_read_as_their_mean() -> None:
    units = {"jawOpen": 0.4, "mouthSmileLeft": 0.2, "mouthSmileRight": 0.6}
    assert mean_unit(units, "mouthSmile") == pytest.approx(0.4)
    assert mean_unit(units, "jawOpen") == 0.4


def test_every_reading_can_be_read_of_a_real_face(face: FaceView) -> None:
    readings = read_face(face)
    assert list(readings) == list(READINGS)
    assert readings["smile"] > 0.5, "the portrait smiles"
    assert np.isfinite(list(readings.values())).all()
