"""How far an edit of a grey editor goes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synth_affect.affect import Emotion, ValenceArousal, position
from synth_affect.editors.grey_crop_editor import GreyCropEditor, stored_numbers
from synth_affect.editors.weights import EditorWeights
from synth_affect.errors import InputError

torch = pytest.importorskip("torch")
NO_WEIGHTS = EditorWeights(Path("w.safetensors"), {"centres": torch.zeros(2, 3)})


class Darker(GreyCropEditor):
    """Its latent is the mean grey, of which an emotion takes its amount in hundredths."""

    def encode(self, grey: Any) -> Any:
        return grey.mean().view(1, 1)

    def move(self, latent: Any, emotion: Emotion, amount: float) -> Any:
        assert emotion is not Emotion.NEUTRAL
        return latent - amount / 100

    def decode(self, latent: Any) -> Any:
        return latent.view(1, 1, 1, 1).expand(1, 1, 4, 4)


@pytest.mark.parametrize("reach", [1.0, 2.5])
def test_an_edit_goes_as_far_as_the_reach_at_the_place_of_an_emotion(reach: float) -> None:
    editor = Darker(4, {}, NO_WEIGHTS, "cpu", reach=reach)
    there = position(Emotion.ANGER)
    halfway = ValenceArousal(there.valence / 2, there.arousal / 2)
    crop = np.zeros((4, 4, 3), dtype=np.float32)
    made = editor.edit_crops(crop, [there, halfway, ValenceArousal(0, 0)])
    assert made.shape == (3, 4, 4, 3)
    wanted = -2 * reach / 100 * np.array([1, 0.5, 0])  # pictures go from -1 to 1, grey from 0 to 1
    np.testing.assert_allclose(made.mean(axis=(1, 2, 3)), wanted, atol=1e-6)


def test_numbers_of_another_shape_are_refused() -> None:
    assert stored_numbers(NO_WEIGHTS, "centres", (2, 3), "cpu").shape == (2, 3)
    for name, shape in (("centres", (3, 2)), ("peaks", (2, 3))):
        with pytest.raises(InputError, match=rf"has no {name} of shape"):
            stored_numbers(NO_WEIGHTS, name, shape, "cpu")
