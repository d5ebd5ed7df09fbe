from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

from synth_affect.blendshape.grid.dictionary import DEFAULT_COMPONENTS
from synth_affect.blendshape.synthetic.recordings import GalleryRecipe
from synth_affect.blendshape.template import face_template
from synth_affect.heads.cc0 import load_cc0
from synth_affect.pipelines.gallery.synthesize import FORMAT
from synth_affect.pipelines.open_expressions import open_grid
from tools.build_default_grid import OUTPUT, RECIPE, build


def test_the_packaged_grid_is_what_the_tool_builds() -> None:
    grid = open_grid("default")
    assert grid.topology == face_template(load_cc0()).topology
    assert len(grid.components.offsets) == DEFAULT_COMPONENTS
    assert grid.source["origin"] == "synthetic faces"
    assert {key: grid.source[f"recipe_{key}"] for key in asdict(RECIPE)} == asdict(RECIPE)
    assert grid.source["recipe_format"] == FORMAT, "the gallery comes out differently now: build the grid again"
    assert OUTPUT.stat().st_size < 3_000_000


def test_two_runs_give_the_same_bytes(tmp_path: Path) -> None:
    recipe = GalleryRecipe(n_subjects=3, n_sequences=9, seed=1)
    for name, workers in (("one", 1), ("other", 2)):
        build(recipe, tmp_path / name, tmp_path / f"{name}.npz", workers=workers, n_components=4)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "other.npz").read_bytes()


@pytest.mark.parametrize("name", ["default"])
def test_the_packaged_grid_has_few_thin_cells(name: str) -> None:
    assert open_grid(name).thin.mean() < 0.3
