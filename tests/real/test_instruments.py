"""On real frontal photographs, MediaPipe reads on the output what was asked for.

Its readings and points are independent of the map, the head model and the renderer; only the fit shares its landmarks.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.instruments.face import FaceReader, FaceReading
from benchmarks.instruments.readings import read_rgb
from synth_affect.arrays import as_uint8
from synth_affect.pipelines.judges.face_heights import brow_height, lip_corner_height

FACES = Path(__file__).parents[3] / "shared" / "faces"
FRONTAL = (
    "man_front_a",
    "man_front_b",
    "man_bald",
    "man_beard",
    "man_stern",
    "man_stubble",
    "woman_front_a",
    "woman_front_b",
    "woman_portrait",
    "woman_dark_low",
    "man_glasses_smile",
    "einstein_grey",
    "hand_on_face",
)
JOY, ALARM, ANGER, SADNESS = (0.8, 0.3), (0.1, 0.9), (-0.5, 0.6), (-0.7, -0.3)
SHARE_OF_FACES = 0.9

pytestmark = pytest.mark.skipif(not FACES.is_dir(), reason="../shared/faces with the test pictures is absent")

Readings = dict[str, dict[tuple[float, float] | None, FaceReading]]


@pytest.fixture(scope="module")
def readings() -> Readings:
    """Face -> target -> reading; None is the untouched picture."""
    from synth_affect.pipelines.synthesize import AffectSynthesizer

    found: Readings = {}
    with FaceReader() as reader, AffectSynthesizer() as synthesizer:
        for face in FRONTAL:
            image = read_rgb(FACES / f"{face}.jpg")
            fit = synthesizer.fit(image)
            pictures: dict[tuple[float, float] | None, npt.NDArray[np.uint8]] = {None: image}
            for valence, arousal in (JOY, ALARM, ANGER, SADNESS):
                result = synthesizer.synthesize(image, fit, valence=valence, arousal=arousal)
                pictures[valence, arousal] = as_uint8(result.image)
            found[face] = {}
            for target, picture in pictures.items():
                reading = reader.read(picture)
                assert reading is not None, f"{face}: no face found for {target}"
                found[face][target] = reading
    return found


def assert_on_most(changes: dict[str, float], bar: float) -> None:
    """Nine of ten faces change by `bar` or more."""
    short = {face: round(change, 3) for face, change in changes.items() if change < bar}
    needed = math.ceil(SHARE_OF_FACES * len(changes))
    assert len(changes) - len(short) >= needed, f"below {bar} on {len(short)} of {len(changes)}: {short}"


def changes(
    readings: Readings, target: tuple[float, float], measure: Callable[[FaceReading], float]
) -> dict[str, float]:
    return {face: measure(found[target]) - measure(found[None]) for face, found in readings.items()}


def smile(reading: FaceReading) -> float:
    return reading.mean_unit("mouthSmile")


def test_joy_reads_as_a_smile(readings: Readings) -> None:
    assert np.mean([smile(found[JOY]) for found in readings.values()]) >= 0.80


def test_joy_makes_unsmiling_faces_smile(readings: Readings) -> None:
    unsmiling = {face: found for face, found in readings.items() if smile(found[None]) < 0.15}
    assert len(unsmiling) >= 5
    assert_on_most(changes(unsmiling, JOY, smile), 0.55)


def test_alarm_opens_the_jaw(readings: Readings) -> None:
    assert_on_most(changes(readings, ALARM, lambda reading: reading.units["jawOpen"]), 0.15)


def test_alarm_raises_the_brows(readings: Readings) -> None:
    assert_on_most(changes(readings, ALARM, lambda reading: brow_height(reading.points)), 0.03)


def test_anger_lowers_the_brows(readings: Readings) -> None:
    assert_on_most(changes(readings, ANGER, lambda reading: reading.mean_unit("browDown")), 0.2)


def test_sadness_draws_the_lip_corners_down(readings: Readings) -> None:
    assert_on_most(changes(readings, SADNESS, lambda reading: -lip_corner_height(reading.points)), 0.015)
