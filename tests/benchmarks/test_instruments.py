import numpy as np
import pytest

from benchmarks.instruments.emotion import CLASS_VALENCE_AROUSAL
from benchmarks.instruments.face import FaceReading
from benchmarks.instruments.skin_tone import CHEEKS, tone, typology_angle
from synth_affect.affect import ring
from synth_affect.pipelines.judges.classes import ceiling_readings
from synth_affect.pipelines.judges.face_heights import (
    LEFT_BROW,
    LEFT_EYE_INNER,
    LEFT_EYE_OUTER,
    LEFT_LIP_CORNER,
    LOWER_LIP_INNER,
    RIGHT_BROW,
    RIGHT_EYE_INNER,
    RIGHT_EYE_OUTER,
    RIGHT_LIP_CORNER,
    UPPER_LIP_INNER,
)
from synth_affect.regressors.metrics import concordance


@pytest.fixture
def upright() -> FaceReading:
    """Eyes 100 px apart at y = 200; brows 20 px above; lips parted by 10 px, their corners 6 px below the middle."""
    points = np.zeros((478, 2))
    points[[RIGHT_EYE_OUTER, RIGHT_EYE_INNER, LEFT_EYE_INNER, LEFT_EYE_OUTER], 0] = 50, 80, 120, 150
    points[:, 1] = 200
    points[list(RIGHT_BROW + LEFT_BROW), 1] = 180
    points[[UPPER_LIP_INNER, LOWER_LIP_INNER], 1] = 275, 285
    points[[RIGHT_LIP_CORNER, LEFT_LIP_CORNER], 1] = 286
    return FaceReading(points, {"jawOpen": 0.4, "mouthSmileLeft": 0.2, "mouthSmileRight": 0.6})


def test_a_unit_with_sides_is_read_as_their_mean(upright: FaceReading) -> None:
    assert upright.mean_unit("mouthSmile") == pytest.approx(0.4)
    assert upright.mean_unit("jawOpen") == 0.4


def test_the_ceiling_of_the_ring_is_high_in_valence_and_lower_in_arousal() -> None:
    targets = np.array([(target.valence, target.arousal) for target in ring()])
    best = ceiling_readings(targets, CLASS_VALENCE_AROUSAL)
    assert concordance(targets[:, 0], best[:, 0]) == pytest.approx(0.957, abs=0.001)
    assert concordance(targets[:, 1], best[:, 1]) == pytest.approx(0.747, abs=0.001)


@pytest.mark.parametrize(
    ("colour", "name"), [((250, 225, 210), "very light"), ((185, 135, 100), "tan"), ((70, 45, 35), "dark")]
)
def test_skin_tone_is_that_of_the_cheeks(upright: FaceReading, colour: tuple[int, int, int], name: str) -> None:
    image = np.zeros((400, 400, 3), np.uint8)
    points = upright.points.copy()
    points[list(CHEEKS)] = [(60, 240), (70, 240), (65, 250), (140, 240), (130, 240), (135, 250)]
    image[225:265, 40:160] = colour
    assert tone(typology_angle(image, points, 100)) == name


def test_the_centre_is_that_of_the_points(upright: FaceReading) -> None:
    moved = FaceReading(upright.points + np.array([31, -12]), upright.units)
    np.testing.assert_allclose(np.subtract(moved.centre(), upright.centre()), [31, -12])
