"""Edits with weights of a learner."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synth_affect.affect import ValenceArousal
from synth_affect.editors.caae.crop_editor import open_crop_editor
from synth_affect.editors.caae.networks import build_networks
from synth_affect.editors.caae.recipe import RECIPE
from synth_affect.editors.caae.settings import CaaeSettings
from synth_affect.editors.weights import EditorWeights
from synth_affect.errors import InputError

torch = pytest.importorskip("torch")
TINY = CaaeSettings(size=32, width=4, judging_width=4, code=6, label_copies=3)
TARGETS = [ValenceArousal(0.8, 0.2), ValenceArousal(0, 0), ValenceArousal(-0.5, -1)]


def weights_of(settings: CaaeSettings = TINY) -> EditorWeights:
    torch.manual_seed(3)
    state: dict[str, Any] = {}
    networks = build_networks(settings)
    for name in ("encoder", "generator"):
        for key, tensor in getattr(networks, name).state_dict().items():
            state[f"{name}.{key}"] = tensor * 4
    return EditorWeights(Path("w.safetensors"), state)


def crop(size: int = 32) -> Any:
    return np.random.default_rng(0).uniform(-1, 1, (size, size, 3)).astype(np.float32)


def test_an_edit_is_the_code_with_another_label() -> None:
    weights = weights_of()
    editor = open_crop_editor(TINY, weights, "cpu")
    edited = editor.edit_crops(crop(), TARGETS)
    assert (edited.shape, edited.dtype) == ((3, 32, 32, 3), np.float32)
    networks = build_networks(TINY)
    weights.load_into(networks.encoder, "encoder")
    weights.load_into(networks.generator, "generator")
    with torch.no_grad():
        code = networks.encoder(torch.from_numpy(crop()).permute(2, 0, 1)[None])
        wanted = networks.generator(code, torch.tensor([[-0.5, -1.0]]))[0].permute(1, 2, 0)
    np.testing.assert_allclose(edited[2], wanted, atol=1e-6)
    assert np.abs(edited[0] - edited[2]).max() > 1e-3


def test_a_target_alone_gives_the_same_bytes() -> None:
    editor = open_crop_editor(TINY, weights_of(), "cpu")
    together = editor.edit_crops(crop(), TARGETS)
    alone = [editor.edit_crops(crop(), [target])[0] for target in TARGETS]
    np.testing.assert_array_equal(together, alone)


def test_weights_of_another_width_name_the_layer() -> None:
    with pytest.raises(InputError, match=r"w\.safetensors: weights convolutions\.0\.weight are \(4, 3, 5, 5\)"):
        open_crop_editor(CaaeSettings(size=32, width=8, judging_width=4, code=6, label_copies=3), weights_of(), "cpu")


def test_the_recipe_builds_both_sizes() -> None:
    assert RECIPE.settings() == CaaeSettings(size=96, width=64, batch=49, learning_rate=2e-4)
    assert RECIPE.small().size == 64
    assert RECIPE.needs_affect
    assert RECIPE.needs_identity
