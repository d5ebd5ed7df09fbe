import numpy as np
import pytest

from benchmarks.instruments.emotion import CLASS_VALENCE_AROUSAL, expected_valence_arousal, square_crop
from benchmarks.instruments.face import (
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
    FaceReading,
    brow_height,
    lip_corner_height,
    lip_gap,
)
from benchmarks.instruments.scores import ceiling_readings, concordance
from benchmarks.instruments.skin_tone import CHEEKS, tone, typology_angle
from synth_affect.affect import ring


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


def test_heights_are_in_inter_ocular_distances(upright: FaceReading) -> None:
    assert upright.inter_ocular_px() == pytest.approx(100)
    assert brow_height(upright) == pytest.approx(0.20)
    assert lip_corner_height(upright) == pytest.approx(-0.06)
    assert lip_gap(upright) == pytest.approx(0.10)


def test_heights_stand_a_tilt_a_scale_and_a_shift(upright: FaceReading) -> None:
    angle = 0.6
    turn = 1.7 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = FaceReading(upright.points @ turn.T + [31, -12], upright.units)
    assert brow_height(moved) == pytest.approx(brow_height(upright))
    assert lip_corner_height(moved) == pytest.approx(lip_corner_height(upright))


def test_a_unit_with_sides_is_read_as_their_mean(upright: FaceReading) -> None:
    assert upright.mean_unit("mouthSmile") == pytest.approx(0.4)
    assert upright.mean_unit("jawOpen") == 0.4


def test_concordance_is_one_only_on_the_diagonal() -> None:
    asked = np.array([-1.0, -0.2, 0.5, 1.0])
    assert concordance(asked, asked) == pytest.approx(1.0)
    assert concordance(asked, -asked) < -0.9
    # Means 0 and 1, variances and covariance 1: 2 / (1 + 1 + 1).
    assert concordance(np.array([-1.0, 1.0]), np.array([0.0, 2.0])) == pytest.approx(2 / 3)
    assert np.isnan(concordance(np.zeros(3), np.zeros(3)))


def test_the_ceiling_is_the_nearest_mixture_of_classes() -> None:
    rng = np.random.default_rng(3)
    targets = rng.uniform(-1, 1, (40, 2))
    best = ceiling_readings(targets)
    mixtures = rng.dirichlet(np.full(7, 0.15), 20000) @ CLASS_VALENCE_AROUSAL
    nearest = np.linalg.norm(targets[:, np.newaxis] - mixtures, axis=2).min(axis=1)
    distance = np.linalg.norm(targets - best, axis=1)
    assert (distance <= nearest + 1e-12).all()
    assert (nearest <= distance + 0.03).all()
    np.testing.assert_allclose(ceiling_readings(CLASS_VALENCE_AROUSAL[:1]), CLASS_VALENCE_AROUSAL[:1])


def test_the_ceiling_of_the_ring_is_high_in_valence_and_lower_in_arousal() -> None:
    targets = np.array([(target.valence, target.arousal) for target in ring()])
    best = ceiling_readings(targets)
    assert concordance(targets[:, 0], best[:, 0]) == pytest.approx(0.957, abs=0.001)
    assert concordance(targets[:, 1], best[:, 1]) == pytest.approx(0.747, abs=0.001)


def test_an_expectation_over_one_class_is_its_position() -> None:
    assert expected_valence_arousal(np.eye(7)[3]) == (0.67, 0.08)
    assert expected_valence_arousal(np.array([0, 0, 0, 1, 0, 0, 1.0])) == pytest.approx((0.335, 0.04))


def test_a_crop_over_the_border_repeats_it() -> None:
    image = np.arange(100, dtype=np.uint8).reshape(10, 10)
    crop = square_crop(image, np.array([[0.0, 0.0], [8.0, 4.0]]), 0.25)
    assert crop.shape == (12, 12)
    assert crop[0, 0] == image[0, 0]
    np.testing.assert_array_equal(crop[4:, 2:], image[0:8, 0:10])


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
