"""From weights to edited crops, and what a point of the plane asks for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synth_affect.affect import Emotion, ValenceArousal, position
from synth_affect.editors.fexgan.crop_editor import label_of, open_crop_editor
from synth_affect.editors.fexgan.networks import build_networks
from synth_affect.editors.fexgan.settings import CLASSES, FexganSettings
from synth_affect.editors.weights import EditorWeights
from synth_affect.errors import InputError

torch = pytest.importorskip("torch")
TINY = FexganSettings(size=32, width=8, code=6)


def weights_of(settings: FexganSettings) -> EditorWeights:
    torch.manual_seed(3)
    networks = build_networks(settings)
    state: dict[str, Any] = {}
    for part in ("encoder", "decoder"):
        state |= {f"{part}.{name}": tensor for name, tensor in getattr(networks, part).state_dict().items()}
    return EditorWeights(Path("w.safetensors"), state)


def test_edits_do_not_depend_on_their_company() -> None:
    editor = open_crop_editor(TINY, weights_of(TINY), "cpu")
    crop = np.random.default_rng(0).uniform(-1, 1, (32, 32, 3)).astype(np.float32)
    targets = [ValenceArousal(0.7, 0.3), ValenceArousal(-0.6, -0.3), ValenceArousal(0, 0)]
    together = editor.edit_crops(crop, targets)
    assert (together.shape, together.dtype) == ((3, 32, 32, 3), np.float32)
    assert np.abs(together).max() <= 1
    for made, target in zip(together, targets, strict=True):
        np.testing.assert_array_equal(made, editor.edit_crops(crop, [target])[0])
    assert np.abs(together[0] - together[1]).max() > 1e-4


def test_the_reach_is_the_lambda_of_the_decoder_alone() -> None:
    settings, weights = replace(TINY, reach=2.5), weights_of(TINY)
    networks = build_networks(TINY)
    for name in ("encoder", "decoder"):
        weights.load_into(getattr(networks, name).eval(), name)
    crop = np.random.default_rng(1).uniform(-1, 1, (32, 32, 3)).astype(np.float32)
    label = torch.zeros(1, len(CLASSES))
    label[0, CLASSES.index(Emotion.FEAR)] = 1
    with torch.inference_mode():
        code = networks.encoder(torch.from_numpy(crop).permute(2, 0, 1)[None], label)[0]
        wanted = networks.decoder(code, 2.5 * label)[0].permute(1, 2, 0).numpy()
    made = open_crop_editor(settings, weights, "cpu").edit_crops(crop, [position(Emotion.FEAR)])[0]
    np.testing.assert_allclose(made, wanted, atol=1e-5)
    assert np.abs(made - open_crop_editor(TINY, weights, "cpu").edit_crops(crop, [position(Emotion.FEAR)])[0]).max() > 0


def test_weights_of_other_shapes_are_refused() -> None:
    with pytest.raises(InputError, match=r"w\.safetensors"):
        open_crop_editor(TINY, weights_of(FexganSettings(size=32, width=12, code=6)), "cpu")


@pytest.mark.parametrize("emotion", [e for e in CLASSES if e is not Emotion.NEUTRAL])
def test_a_category_is_asked_for_at_its_position(emotion: Emotion) -> None:
    label = label_of(position(emotion))
    assert label.argmax() == CLASSES.index(emotion)
    assert label.max() == pytest.approx(1)


def test_halfway_is_half_neutral() -> None:
    there = position(Emotion.SADNESS)
    label = label_of(ValenceArousal(there.valence / 2, there.arousal / 2))
    assert label[CLASSES.index(Emotion.SADNESS)] == pytest.approx(0.5)
    assert label[CLASSES.index(Emotion.NEUTRAL)] == pytest.approx(0.5)
    assert label_of(ValenceArousal(0, 0))[CLASSES.index(Emotion.NEUTRAL)] == 1
    assert label_of(ValenceArousal(1, 1)).max() == 1  # beyond the position nothing more is asked for
