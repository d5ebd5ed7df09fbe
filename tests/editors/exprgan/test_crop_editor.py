"""Edits with weights of a learner."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synth_affect.affect import ValenceArousal
from synth_affect.editors.exprgan.controller import controller_of
from synth_affect.editors.exprgan.crop_editor import PARTS, open_crop_editor
from synth_affect.editors.exprgan.networks import build_networks
from synth_affect.editors.exprgan.recipe import RECIPE
from synth_affect.editors.exprgan.settings import ExprGanSettings
from synth_affect.editors.weights import EditorWeights
from synth_affect.errors import InputError

torch = pytest.importorskip("torch")
SMALL: dict[str, Any] = {"size": 32, "decoder": (8, 8, 8, 8), "discriminator": (4, 8), "shared": 16, "branch": 4}
TINY = ExprGanSettings(code=6, encoder=(4, 8), **SMALL)
TARGETS = [ValenceArousal(0.8, 0.2), ValenceArousal(0, 0), ValenceArousal(-0.5, -1)]


def weights_of(settings: ExprGanSettings = TINY) -> EditorWeights:
    torch.manual_seed(3)
    networks = build_networks(settings)
    state: dict[str, Any] = {}
    for part in PARTS:
        state |= {f"{part}.{name}": tensor for name, tensor in getattr(networks, part).state_dict().items()}
    return EditorWeights(Path("w.safetensors"), state)


def crop() -> Any:
    return np.random.default_rng(0).uniform(-1, 1, (32, 32, 3)).astype(np.float32)


def test_an_edit_is_the_code_with_another_controller() -> None:
    weights = weights_of()
    edited = open_crop_editor(TINY, weights, "cpu").edit_crops(crop(), TARGETS)
    assert edited.shape == (3, 32, 32, 3)
    assert edited.dtype == np.float32
    networks = build_networks(TINY)
    weights.load_into(networks.encoder, "encoder")
    weights.load_into(networks.decoder, "decoder")
    with torch.no_grad():
        code = networks.encoder(torch.from_numpy(crop()).permute(2, 0, 1)[None])
        wanted = networks.decoder(code, torch.from_numpy(controller_of(TARGETS[2], 5))[None])[0].permute(1, 2, 0)
    np.testing.assert_allclose(edited[2], wanted, atol=1e-6)
    assert np.abs(edited[0] - edited[2]).max() > 1e-2


def test_a_target_alone_gives_the_same_bytes() -> None:
    editor = open_crop_editor(TINY, weights_of(), "cpu")
    together = editor.edit_crops(crop(), TARGETS)
    alone = [editor.edit_crops(crop(), [target])[0] for target in TARGETS]
    np.testing.assert_array_equal(together, alone)


def test_weights_of_another_width_name_the_layer() -> None:
    other = ExprGanSettings(code=6, encoder=(8, 8), **SMALL)
    with pytest.raises(InputError, match=r"w\.safetensors: weights convolutions\.0\.weight are \(4, 3, 5, 5\)"):
        open_crop_editor(other, weights_of(), "cpu")


def test_the_recipe_builds_both_sizes() -> None:
    assert RECIPE.settings() == ExprGanSettings(size=128, batch=48, learning_rate=2e-4, edits=0, readings=0)
    assert RECIPE.small().size == 64
    assert (RECIPE.needs_category, RECIPE.needs_identity, RECIPE.needs_affect) == (True, True, False)
