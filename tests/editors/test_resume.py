"""Every recipe's run goes on, after Ctrl-C, to the weights of one that was not ended: checkpoints hold everything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synth_affect.editors.faces import CATEGORIES, EditorFaces
from synth_affect.editors.recipes import RECIPES, Recipe, open_recipe
from synth_affect.editors.training import LoopSettings, TrainedEditor, train_editor

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
LOOP = LoopSettings(epochs=3, batch=7, seed=2)


def faces_for(recipe: Recipe) -> EditorFaces:
    """A picture of each category that it takes, of one person, and a neutral one of another."""
    taken = [CATEGORIES.index(emotion) for emotion in recipe.categories or CATEGORIES]
    n, size = len(taken), recipe.small().size
    rng = np.random.default_rng(1)
    return EditorFaces(
        pictures=rng.integers(0, 256, (n, 8, 8, 3), dtype=np.uint8).repeat(size // 8, 1).repeat(size // 8, 2),
        affect=rng.uniform(-1, 1, (n, 2)).astype(np.float32),
        categories=np.array(taken),
        subjects=np.array(["a"] * (n - 1) + ["b"]),
        keys=np.array([f"k{i}" for i in range(n)]),
    )


@pytest.mark.parametrize("name", RECIPES)
def test_nothing_is_kept_outside_a_checkpoint(name: str, tmp_path: Path) -> None:
    recipe = open_recipe(name)
    faces = faces_for(recipe)

    def train(folder: Path, seed: int, draw: Any = None) -> TrainedEditor:
        torch.manual_seed(seed)
        return train_editor(recipe.build_learner(recipe.small(), faces, None), LOOP, faces, folder, draw=draw)

    def end(epoch: int, _: Any) -> None:
        if epoch == 1:
            raise KeyboardInterrupt

    whole = train(tmp_path / "whole", 0)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "ended", 0, end)
    resumed = train(tmp_path / "ended", 99)  # other weights at first, which the checkpoint's replace
    assert resumed.steps == whole.steps
    assert resumed.losses == pytest.approx(whole.losses)
    for layer, tensor in whole.state.items():
        assert torch.equal(resumed.state[layer], tensor), layer
