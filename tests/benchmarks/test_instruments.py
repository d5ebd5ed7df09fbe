import numpy as np
import pytest

from benchmarks.instruments.action_units import ZEROS, read_action_units, valence_arousal
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


# --- Valence and arousal from action units ---

UNITS = ("browDown", "eyeSquint", "eyeWide", "mouthFrown", "mouthPress", "mouthSmile", "mouthStretch", "mouthUpperUp")


@pytest.fixture
def resting() -> FaceReading:
    """An unmoved face: every unit at its zero, lids 8 px and lips 0 px apart."""
    points = np.zeros((478, 2))
    points[[RIGHT_EYE_OUTER, RIGHT_EYE_INNER, LEFT_EYE_INNER, LEFT_EYE_OUTER], 0] = 50, 80, 120, 150
    points[:, 1] = 200
    points[list(RIGHT_BROW + LEFT_BROW), 1] = 180
    points[[159, 386], 1], points[[145, 374], 1] = 196, 204
    points[[UPPER_LIP_INNER, LOWER_LIP_INNER, RIGHT_LIP_CORNER, LEFT_LIP_CORNER], 1] = 280
    units = {stem + side: ZEROS.get(stem, 0.0) for stem in UNITS for side in ("Left", "Right")}
    return FaceReading(points, {**units, "jawOpen": 0.0, "mouthShrugLower": ZEROS["mouthShrugLower"]})


def moved(face: FaceReading, places: dict[tuple[int, ...], float], **units: float) -> FaceReading:
    """`face` with points moved down by some px, and units of both sides set."""
    points = face.points.copy()
    for indices, down in places.items():
        points[list(indices), 1] += down
    both = {stem + side: value for stem, value in units.items() for side in ("Left", "Right")}
    return FaceReading(points, {**face.units, **{k: v for k, v in both.items() if k in face.units}})


def test_a_face_that_did_not_move_reads_as_neutral(resting: FaceReading) -> None:
    assert valence_arousal(read_action_units(resting, resting)) == (0.0, 0.0)


def test_action_units_pull_where_the_literature_says(resting: FaceReading) -> None:
    brows = RIGHT_BROW + LEFT_BROW
    smiling = moved(resting, {}, mouthSmile=0.9)
    alarmed = moved(resting, {brows: -7, (159, 386): -3, (LOWER_LIP_INNER,): 30})
    sad = moved(resting, {(RIGHT_LIP_CORNER, LEFT_LIP_CORNER): 5, (159, 386): 3})
    asleep = moved(resting, {(159, 386): 6})
    read = {
        name: valence_arousal(read_action_units(face, resting))
        for name, face in {"smiling": smiling, "alarmed": alarmed, "sad": sad, "asleep": asleep}.items()
    }
    assert read["smiling"][0] > 0.6
    assert read["alarmed"][1] > 0.5
    assert read["sad"][0] < -0.4
    assert read["sad"][1] < 0
    assert read["asleep"][1] < -0.7


def test_what_a_face_showed_before_does_not_count(resting: FaceReading) -> None:
    high_browed = moved(resting, {RIGHT_BROW + LEFT_BROW: -7})
    assert read_action_units(high_browed, high_browed)["AU1"] == 0.0
    assert read_action_units(high_browed, resting)["AU1"] == pytest.approx(1.0)
