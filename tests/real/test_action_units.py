"""On real photographs, MediaPipe reads the single units that were asked for, on their side."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from synth_affect.blendshape.action_units import mirrored
from synth_affect.blendshape.local_units import UNIT_NAMES, ActionUnits

FACES = Path(__file__).parents[3] / "shared" / "faces"
STRENGTH = 0.8
RISES = {"AU2": 0.05, "AU4": 0.15, "AU12": 0.23, "AU20": 0.04, "AU26": 0.04, "AU27": 0.25, "AU43": 0.05}
"""About half of the least that was measured on a few portraits, of either side."""
SIDED = ("AU4L", "AU4R", "AU12L", "AU12R", "AU46L", "AU46R")

pytestmark = pytest.mark.skipif(not FACES.is_dir(), reason="../shared/faces with the test pictures is absent")


@pytest.mark.parametrize("face", ["man_front_a", "woman_front_b"])
def test_a_reader_sees_the_unit_and_its_side(face: str) -> None:
    from synth_affect.data.pictures import read_picture
    from synth_affect.fitting.mediapipe_detector import MediaPipeDetector
    from synth_affect.pipelines.synthesize import AffectSynthesizer

    pixels = read_picture(FACES / f"{face}.jpg").pixels
    with AffectSynthesizer() as synthesizer, MediaPipeDetector() as reader:
        fit = synthesizer.fit(pixels)
        scene = synthesizer.prepare(pixels, fit)

        def scores(asked: Mapping[str, float]) -> Mapping[str, float]:
            units = ActionUnits.of(asked)
            drawn = synthesizer.synthesize(pixels, fit, valence=0, arousal=0, action_units=units, scene=scene)
            return reader.detect(drawn.image)[0].blendshapes

        rest = scores({})
        for name, least in RISES.items():
            read = scores({name: STRENGTH})
            for unit in UNIT_NAMES[name]:
                assert read[unit] - rest[unit] > least, (name, unit)
        for name in SIDED:
            read = scores({name: STRENGTH})
            (unit,) = UNIT_NAMES[name]
            other = mirrored(unit)
            assert read[unit] - rest[unit] > read[other] - rest[other] + 0.02, name
