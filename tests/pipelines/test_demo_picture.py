from __future__ import annotations

from synth_affect.data.pictures import read_picture
from synth_affect.pipelines.demo_picture import find_demo_picture
from synth_affect.pipelines.synthesize import AffectSynthesizer


def test_the_demo_portrait_has_one_face_with_nothing_in_front_of_it() -> None:
    image = read_picture(find_demo_picture()).pixels
    with AffectSynthesizer() as synthesizer:
        (fit,) = synthesizer.fit_all(image)
        assert synthesizer.prepare(image, fit).occluders is None
