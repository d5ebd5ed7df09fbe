"""Weights of editors on the disk, and every way in which they can be others than those asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from synth_affect.editors.faces import EditorFaces
from synth_affect.editors.recipes import Recipe, open_recipe
from synth_affect.editors.weights import FORMAT, load_editor, save_editor
from synth_affect.errors import InputError

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")


@pytest.fixture
def stored(shade: Recipe, faces: Callable[..., EditorFaces], tmp_path: Path) -> Path:
    path = tmp_path / "w.safetensors"
    state = shade.build_learner(shade.settings(), faces(), None).state_dict()
    save_editor(path, shade, shade.settings(), state, {"licence": "free"})
    return path


def rewrite(path: Path, **more: Any) -> None:
    card = path.with_suffix(".json")
    card.write_text(json.dumps({**json.loads(card.read_text()), **more}))


def test_what_is_saved_is_loaded(shade: Recipe, stored: Path, faces: Callable[..., EditorFaces]) -> None:
    found = load_editor(stored, "shade")
    assert (found.settings, found.card["licence"], found.card["format"]) == (shade.settings(), "free", FORMAT)
    assert found.settings.layers == (4, 8), "a tuple again"  # type: ignore[attr-defined]
    other = shade.build_learner(shade.settings(), faces(), None)
    found.weights.load_into(other.generator, "generator")  # type: ignore[attr-defined]
    for name, tensor in other.state_dict().items():
        if name.startswith("generator."):
            assert torch.equal(tensor, found.weights.tensors[name])


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"editor": "caae"}, "has the weights of caae, not of shade"),
        ({"editor": None}, "has the weights of None, not of shade"),
        ({"format": "synth-affect/editor/9"}, "is no card of synth-affect/editor/1"),
        ({"format": "synth-affect/regressor/1"}, "is no card of synth-affect/editor/1"),
        ({"settings": {"size": 16}}, "has other settings than this version's shade (batch)"),
        ({"settings": 3}, "has other settings than this version's shade"),
        ({"sha256": "0"}, "is not the file that w.json speaks of (another sha256)"),
    ],
)
def test_a_card_of_something_else_is_refused(shade: Recipe, stored: Path, more: dict[str, Any], message: str) -> None:
    rewrite(stored, **more)
    with pytest.raises(InputError) as error:
        load_editor(stored, "shade")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_files_that_are_damaged_or_absent_are_told(shade: Recipe, stored: Path, tmp_path: Path) -> None:
    whole = stored.read_bytes()
    stored.write_bytes(whole[:-100])
    with pytest.raises(InputError, match="another sha256"):
        load_editor(stored)
    import hashlib

    rewrite(stored, sha256=hashlib.sha256(whole[:-100]).hexdigest())
    with pytest.raises(InputError, match="is no safetensors file"):
        load_editor(stored)
    stored.with_suffix(".json").write_text("{")
    with pytest.raises(InputError, match="is no JSON"):
        load_editor(stored)
    stored.with_suffix(".json").unlink()
    with pytest.raises(InputError, match="the card of the weights cannot be read"):
        load_editor(stored)
    with pytest.raises(InputError, match="cannot be read"):
        load_editor(tmp_path / "none.safetensors")
    with pytest.raises(InputError, match=r"is no \.safetensors file"):
        load_editor(tmp_path / "w.pth")


def test_weights_of_another_shape_are_told_by_their_layer(
    shade: Recipe, stored: Path, faces: Callable[..., EditorFaces]
) -> None:
    settings = json.loads(stored.with_suffix(".json").read_text())["settings"]
    rewrite(stored, settings={**settings, "layers": [5, 8]})
    found = load_editor(stored, "shade")
    assert shade.open_crop_editor is not None
    with pytest.raises(InputError, match=r"weights 0\.weight are \(4, 2\), the layer takes \(5, 2\)"):
        shade.open_crop_editor(found.settings, found.weights, "cpu")
    learner: Any = shade.build_learner(shade.settings(), faces(), None)
    with pytest.raises(InputError, match=r"has no weights 0\.bias"):
        found.weights.load_into(learner.generator, "painter")


def test_an_editor_that_there_is_not_is_told() -> None:
    with pytest.raises(InputError, match="--editor: 'deepfake' is none of caae"):
        open_recipe("deepfake")
