"""Experiments by name: which people they show, what they write, what they refuse."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synth_affect.editors.recipes import RECIPES, Recipe
from synth_affect.editors.weights import save_editor
from synth_affect.errors import InputError
from synth_affect.pipelines.reproduce import registry
from synth_affect.pipelines.reproduce.experiment import Experiment, Materials, Result
from synth_affect.pipelines.reproduce.registry import all_experiments, open_experiment
from synth_affect.pipelines.reproduce.run import ReproduceRequest, reproduce
from synth_affect.pipelines.training.face_samples import FaceSource

pytest.importorskip("torch")


def drawn(materials: Materials) -> Result:
    from synth_affect.affect import ValenceArousal

    people = {name: sorted(set(getattr(materials.parts, name).subjects)) for name in ("training", "validation", "test")}
    crop = materials.parts.test.pictures[0].astype(np.float32) / 127.5 - 1
    edited = materials.open_editor().edit_crops(crop, [ValenceArousal(0, 0.5)])[0]
    return Result(Image.fromarray(((edited + 1) * 127).astype(np.uint8)), {"people": people, "seed": materials.seed})


@pytest.fixture
def request_(shade: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ReproduceRequest:
    from tests.shade_editor import make_faces

    experiments = {
        "fig1": Experiment("a drawing", drawn),
        "table1": Experiment("numbers", lambda m: Result(None, {"n": 1})),
    }
    monkeypatch.setitem(registry.EXPERIMENTS, "shade", lambda: experiments)
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "dataset.json").write_text('{"head": "cc0", "seed": 0}')
    points = np.zeros((68, 3))
    points[36:42], points[42:48], points[[48, 54]] = [14, 14, 0], [26, 14, 0], [20, 28, 0]
    np.savez(folder / "p.npz", landmarks_68=points)
    with (folder / "labels.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["picture", "geometry", "subject", "valence", "arousal", "category"])
        for person in range(4):
            Image.new("RGB", (40, 48), (60 * person, 90, 90)).save(folder / f"{person}.png")
            table.writerow([f"{person}.png", "p.npz", person, 0.1, 0.2, "neutral"])
    weights = tmp_path / "w.safetensors"
    state = shade.build_learner(shade.settings(), make_faces(), None).state_dict()
    people = {"train": ["cc0-0-0", "cc0-0-1"], "validation": ["cc0-0-2"], "test": ["cc0-0-9"]}
    save_editor(weights, shade, shade.settings(), state, {"people": people})
    return ReproduceRequest("shade:fig1", weights, (FaceSource(folder),), seed=7)


def test_the_figure_and_its_numbers_are_of_people_who_were_not_trained_on(
    request_: ReproduceRequest, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    found = reproduce(request_, out, device="cpu")
    assert found["figures"] == {
        "people": {"training": ["cc0-0-0", "cc0-0-1"], "validation": ["cc0-0-2"], "test": ["cc0-0-3"]}, "seed": 7,
    }  # fmt: skip
    assert found["output"] == str(out / "shade_fig1.png")
    assert json.loads((out / "shade_fig1.json").read_text())["weights_sha256"] == found["weights_sha256"]
    with Image.open(out / "shade_fig1.png") as picture:
        assert picture.size == (16, 16)
        assert "compositeSynthetic" in picture.info["xmp"].decode()


def test_a_table_is_numbers_alone(request_: ReproduceRequest, tmp_path: Path) -> None:
    found = reproduce(
        ReproduceRequest("shade:table1", request_.weights, request_.sources), tmp_path / "out", device="cpu"
    )
    assert found["output"].endswith("shade_table1.json")
    assert not list((tmp_path / "out").glob("*.png"))


def test_what_there_is_not_is_told(request_: ReproduceRequest, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="reproduce: 'shade:fig9' is none of shade:fig1, a drawing; shade:table1"):
        open_experiment("shade:fig9")
    with pytest.raises(InputError, match="reproduce: 'deepfake:fig1' is of none of caae"):
        open_experiment("deepfake:fig1")
    card = request_.weights.with_suffix(".json")
    everybody = {"train": [f"cc0-0-{n}" for n in range(4)]}
    card.write_text(json.dumps({**json.loads(card.read_text()), "people": everybody}))
    with pytest.raises(InputError, match="shows only people whom the network was trained on"):
        reproduce(request_, tmp_path / "out", device="cpu")


def test_each_experiment_says_what_it_shows_and_is_of_a_recipe() -> None:
    for name, experiment in all_experiments().items():
        assert name.partition(":")[0] in RECIPES
        assert experiment.title
        assert open_experiment(name)[1] is experiment
