from __future__ import annotations

import numpy as np
import pytest

from synth_affect.affect import ValenceArousal
from synth_affect.arrays import ImageArray
from synth_affect.pipelines.synthesize import AffectSynthesizer
from synth_affect.pipelines.three_dmm_editor import ThreeDmmEditor


@pytest.mark.usefixtures("stub_detector")
def test_targets_come_in_their_order_and_as_the_command_makes_them(portrait: ImageArray) -> None:
    targets = [ValenceArousal(0.8, 0.4), ValenceArousal(-0.7, -0.3)]
    editor = ThreeDmmEditor()
    pictures = list(editor.edit(portrait, targets))
    editor.close()
    assert [(picture.shape, picture.dtype) for picture in pictures] == [(portrait.shape, portrait.dtype)] * 2
    with AffectSynthesizer() as synthesizer:
        fit = synthesizer.fit(portrait)
        alone = synthesizer.synthesize(portrait, fit, valence=-0.7, arousal=-0.3).image
    np.testing.assert_array_equal(pictures[1], alone)
    assert "head cc0" in editor.fingerprint
