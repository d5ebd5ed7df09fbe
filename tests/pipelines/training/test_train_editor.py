"""Training an editor from labelled faces, end to end on tiny pictures."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from synth_affect.editors import recipes
from synth_affect.editors.faces import EditorFaces
from synth_affect.editors.identity_features import IdentityFeatures
from synth_affect.editors.recipes import RECIPES, Recipe, parse_settings
from synth_affect.editors.training import LOG
from synth_affect.editors.weights import EditorWeights, load_editor
from synth_affect.errors import InputError
from synth_affect.pipelines.open_identity import IdentityChoice
from synth_affect.pipelines.training import train_editor
from synth_affect.pipelines.training.face_samples import FaceSource
from synth_affect.pipelines.training.people_choice import PeopleChoice
from synth_affect.pipelines.training.train_editor import SAMPLES, TrainEditorRequest, train_one_editor
from synth_affect.pipelines.training.train_regressor import GATED_LICENCE, RENDERED_LICENCE, WEIGHTS
from synth_affect.regressors.vgg_face import LICENCE as VGG_FACE_LICENCE

torch = pytest.importorskip("torch")
pytest.importorskip("lightning")
Ask = Callable[..., TrainEditorRequest]


@pytest.fixture
def ask(shade: Recipe, tmp_path: Path) -> Ask:
    """A request to train on six rendered people, as far as labels go, of four pictures each."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "dataset.json").write_text('{"head": "cc0", "seed": 0}')
    points = np.zeros((68, 3))
    points[36:42], points[42:48], points[[48, 54]] = [14, 14, 0], [26, 14, 0], [20, 28, 0]
    with (folder / "labels.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["picture", "geometry", "subject", "valence", "arousal", "category"])
        for person in range(6):
            for number in range(4):
                name = f"{person}_{number}"
                Image.new("RGB", (40, 48), (40 * person, 60 * number, 90)).save(folder / f"{name}.png")
                np.savez(folder / f"{name}.npz", landmarks_68=points)
                table.writerow([f"{name}.png", f"{name}.npz", person, number / 4, -number / 4, "neutral"])

    def make(**more: Any) -> TrainEditorRequest:
        start: dict[str, Any] = {
            "editor": "shade",
            "settings": replace(shade.settings(), epochs=2),  # type: ignore[type-var]
            "sources": (FaceSource(folder),),
            "people": PeopleChoice(test="5", validation="4"),
        }
        return TrainEditorRequest(**{**start, **more})

    return make


def test_weights_come_with_a_card_that_says_it_all(ask: Ask, tmp_path: Path) -> None:
    out = tmp_path / "out"
    card = train_one_editor(ask(), out, device="cpu")
    stored = load_editor(out / WEIGHTS, "shade")
    assert stored.card == card == json.loads((out / "weights.json").read_text())
    assert stored.settings == ask().settings
    assert card["people"] == {
        "train": [f"cc0-0-{n}" for n in range(4)], "validation": ["cc0-0-4"], "test": ["cc0-0-5"],
    }  # fmt: skip
    assert card["data"]["train"] == {"pictures": 16, "people": 4, "categories": {"neutral": 16}}
    assert card["licence"] == RENDERED_LICENCE
    assert (card["training"]["steps"], card["training"]["device"]) == (6, "cpu")
    assert set(card["training"]["losses"]) == {"pixel", "fooled"}
    assert stored.sha256 == card["sha256"]
    sheets = sorted(path.name for path in (out / SAMPLES).iterdir())
    assert sheets == ["epoch_000.png", "epoch_001.png"]
    with Image.open(out / SAMPLES / sheets[0]) as sheet:
        assert "compositeSynthetic" in sheet.info["xmp"].decode()
        assert np.asarray(sheet)[0, 0].tolist() == [160, 0, 90], "of the validation person"


def test_faces_are_prepared_for_the_loop_and_the_test_people_score(
    ask: Ask, shade: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def halve(settings: Any, faces: EditorFaces, seed: int) -> EditorFaces:
        return faces.select(np.arange(0, len(faces), 2))

    def score(settings: Any, weights: EditorWeights, faces: EditorFaces) -> dict[str, Any]:
        return {"people": sorted(set(map(str, faces.subjects))), "tensors": len(weights.tensors)}

    recipe = replace(shade, prepare=halve, score=score)
    monkeypatch.setitem(recipes.RECIPES, "shade", lambda: recipe)
    card = train_one_editor(ask(), tmp_path / "out", device="cpu")
    assert card["training"]["steps"] == 2 * 2  # eight pictures of sixteen in batches of six
    assert card["test"] == {
        "people": ["cc0-0-5"],
        "tensors": len(load_editor(tmp_path / "out" / WEIGHTS).weights.tensors),
    }


def test_a_run_goes_on_a_finished_one_is_read_and_another_is_refused(ask: Ask, tmp_path: Path) -> None:
    out = tmp_path / "out"
    card = train_one_editor(ask(), out, device="cpu")
    (out / "weights.safetensors").unlink()  # as if it had been killed at the very end
    again = train_one_editor(ask(), out, device="cpu")
    assert again["sha256"] == card["sha256"]
    log = (out / LOG).stat().st_mtime_ns
    assert train_one_editor(ask(), out, device="cpu") == again
    assert (out / LOG).stat().st_mtime_ns == log
    with pytest.raises(InputError, match="holds a run with another people, seed; choose another folder"):
        train_one_editor(ask(seed=3, people=PeopleChoice(test="4")), out, device="cpu")


def test_terms_of_data_and_identity_network_bind_the_weights(
    ask: Ask, shade: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = replace(shade, needs_identity=True)
    monkeypatch.setitem(RECIPES, "shade", lambda: recipe)
    features = torch.nn.Sequential(torch.nn.Conv2d(3, 1, 1))
    for licence, bound in (
        (VGG_FACE_LICENCE, VGG_FACE_LICENCE),
        (RENDERED_LICENCE, RENDERED_LICENCE),
        ("?", GATED_LICENCE),
    ):
        identity = IdentityFeatures(features, name="net", licence=licence, sha256="12")
        monkeypatch.setattr(train_editor, "open_identity", lambda choice, found=identity: found)
        card = train_one_editor(ask(), tmp_path / bound[:20], device="cpu")
        assert card["licence"] == bound
        assert card["identity_network"] == {"name": "net", "sha256": "12"}


def test_the_seed_says_what_comes_out(ask: Ask, tmp_path: Path) -> None:
    digests = [
        train_one_editor(ask(seed=seed), tmp_path / name, device="cpu")["sha256"]
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    ]
    assert digests[0] == digests[1] != digests[2]


def test_settings_are_read_from_texts(shade: Recipe) -> None:
    found = parse_settings(shade, shade.small(), {"learning_rate": "1e-3", "layers": "3, 5", "critical": "no"})
    assert found == shade.settings(learning_rate=1e-3, layers=(3, 5), critical=False)
    assert shade.small() == shade.settings(layers=(2,))
    for changes, message in (
        ({"colour": "1"}, "shade has no 'colour'; there are size, epochs, batch"),
        ({"size": "1.5"}, "size=1.5 is not a whole number"),
        ({"layers": "a"}, "layers=a is not a whole number"),
        ({"learning_rate": "fast"}, "learning_rate=fast is not a number"),
        ({"critical": "1"}, "critical=1 is neither yes nor no"),
    ):
        with pytest.raises(InputError) as error:
            parse_settings(shade, shade.settings(), changes)
        assert message in str(error.value)


def test_two_identity_networks_are_one_too_many() -> None:
    with pytest.raises(InputError, match="--vgg-face: is an identity network"):
        IdentityChoice(Path("a"), Path("b"))
