"""What every recipe promises: it learns a step, is stored, opened again, and edits crops."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synth_affect.affect import ValenceArousal
from synth_affect.editors.faces import CATEGORIES, EditorFaces
from synth_affect.editors.recipes import RECIPES, Recipe, open_recipe
from synth_affect.editors.training import EditorBatch, pictures_as_tensor
from synth_affect.editors.weights import load_editor, save_editor
from synth_affect.errors import InputError

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")
TARGETS = (ValenceArousal(0.7, 0.3), ValenceArousal(-0.5, -0.2), ValenceArousal(-0.4, 0.6))


@cache
def coarse_faces(recipe_name: str) -> EditorFaces:
    """Three people with a picture of each category that the recipe takes."""
    recipe = open_recipe(recipe_name)
    taken = [CATEGORIES.index(emotion) for emotion in recipe.categories or CATEGORIES]
    size, n = recipe.small().size, 3 * len(taken)
    rng = np.random.default_rng(1)
    coarse = rng.integers(0, 256, (n, size // 8, size // 8, 3), dtype=np.uint8)
    return EditorFaces(
        pictures=coarse.repeat(8, axis=1).repeat(8, axis=2),
        affect=rng.uniform(-1, 1, (n, 2)).astype(np.float32),
        categories=np.tile(taken, 3),
        subjects=np.repeat([f"p{i}" for i in range(3)], len(taken)),
        keys=np.array([f"k{i}" for i in range(n)]),
    )


@cache
def learnt(name: str) -> tuple[Recipe, Any, dict[str, Any]]:
    """After one step with the small settings."""
    recipe, faces = open_recipe(name), coarse_faces(name)
    torch.manual_seed(0)
    learner: Any = recipe.build_learner(recipe.small(), faces, None)
    learner.train()
    learner.begin_epoch(0)
    batch = EditorBatch(
        torch.arange(len(faces)),
        pictures_as_tensor(faces.pictures, "cpu"),
        torch.from_numpy(faces.affect.copy()),
        torch.from_numpy(faces.categories.copy()),
        torch.from_numpy(faces.people),
    )
    return recipe, learner, learner.training_step(batch, learner.optimizers())


@pytest.mark.parametrize("name", RECIPES)
def test_a_step_has_finite_losses_and_a_sheet_can_be_drawn(name: str) -> None:
    _, learner, losses = learnt(name)
    assert losses
    assert all(bool(torch.isfinite(loss).all()) for loss in losses.values())
    learner.eval()
    with torch.no_grad():
        sheet = learner.sheet(coarse_faces(name))
    assert sheet.dtype == np.uint8
    assert sheet.ndim == 3
    assert np.ptp(sheet) > 0


@pytest.mark.parametrize("name", [name for name in RECIPES if open_recipe(name).open_crop_editor is not None])
def test_stored_weights_edit_crops(name: str, tmp_path: Path) -> None:
    recipe, learner, _ = learnt(name)
    path = tmp_path / "w.safetensors"
    save_editor(path, recipe, recipe.small(), learner.state_dict(), {})
    stored = load_editor(path, name)
    assert stored.settings == recipe.small()
    assert recipe.open_crop_editor is not None
    editor = recipe.open_crop_editor(stored.settings, stored.weights, "cpu")
    size = editor.size
    crop = np.random.default_rng(0).uniform(-1, 1, (size // 8, size // 8, 3)).repeat(8, 0).repeat(8, 1)
    crop = crop.astype(np.float32)
    together = editor.edit_crops(crop, TARGETS)
    assert (together.shape, together.dtype) == ((3, size, size, 3), np.float32)
    assert np.abs(together).max() <= 1
    for made, target in zip(together, TARGETS, strict=True):
        np.testing.assert_array_equal(made, editor.edit_crops(crop, [target])[0])
    other = next(n for n in RECIPES if n != name)
    with pytest.raises(InputError, match=f"weights of {name}, not of {other}"):
        load_editor(path, other)


@pytest.mark.parametrize("name", RECIPES)
def test_it_is_called_what_it_is_listed_as(name: str) -> None:
    assert open_recipe(name).name == name
    assert (RECIPES[name].__doc__ or "").endswith(".")


def test_another_name_is_refused() -> None:
    with pytest.raises(InputError, match="--editor: 'gan' is none of caae, exprgan"):
        open_recipe("gan")
