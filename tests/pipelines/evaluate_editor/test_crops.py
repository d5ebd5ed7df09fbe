"""`evaluate crops`, with an editor that paints what is asked for and a judge that reads the paint."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from synth_affect.affect import Emotion, ValenceArousal, position
from synth_affect.arrays import FloatArray
from synth_affect.cli import main
from synth_affect.editors.faces import CATEGORIES, EditorFaces
from synth_affect.editors.recipes import Recipe
from synth_affect.editors.weights import save_editor
from synth_affect.errors import InputError
from synth_affect.pipelines.evaluate_editor import crops
from synth_affect.pipelines.evaluate_editor.crops import CropsRequest, edit_all, evaluate_crops, judge_all
from synth_affect.pipelines.training.face_samples import FaceSource

pytest.importorskip("torch")
pytest.importorskip("safetensors")

STEP = 30
"""Of grey, between categories."""


class Painter:
    """Paints a crop in the grey of the category whose position is asked for; of fear, in that of surprise."""

    size, device = 16, "cpu"

    def edit_crops(self, crop: FloatArray, targets: Sequence[ValenceArousal]) -> FloatArray:
        places = {position(category): number for number, category in enumerate(CATEGORIES)}
        places[position(Emotion.FEAR)] = CATEGORIES.index(Emotion.SURPRISE)
        greys = np.array([places[target] * STEP for target in targets], dtype=np.float32)
        made: FloatArray = np.ones_like(crop) * (greys / 127.5 - 1)[:, np.newaxis, np.newaxis, np.newaxis]
        return made


class GreyJudge:
    """Reads the category whose grey a crop is nearest to; knows all but disgust."""

    categories = tuple(category for category in CATEGORIES if category is not Emotion.DISGUST)
    learnt_from: tuple[str, ...] = ()

    def __init__(self, *_: object) -> None:
        pass

    def seen(self, people: Sequence[str]) -> list[str]:
        return sorted(set(people) & set(self.learnt_from))

    def described(self) -> dict[str, Any]:
        return {"sha256": "grey"}

    def read(self, pictures: npt.NDArray[np.uint8]) -> FloatArray:
        greys = np.array([CATEGORIES.index(category) * STEP for category in self.categories])
        away: FloatArray = np.abs(pictures.mean(axis=(1, 2, 3))[:, np.newaxis] - greys)
        return -away


def test_the_judge_reads_what_was_drawn_for_each_category() -> None:
    grey = np.array([0, 1, 0, 3], dtype=np.uint8) * STEP  # the second neutral face looks happy
    pictures = np.ones((4, 16, 16, 3), dtype=np.uint8) * grey[:, np.newaxis, np.newaxis, np.newaxis]
    shown = np.array([0, 0, 0, 3])
    faces = EditorFaces(pictures, np.zeros((4, 2), np.float32), shown, np.array(list("abca")), np.array(list("0123")))
    neutral, asked = faces.select(shown == 0), (Emotion.HAPPINESS, Emotion.SURPRISE, Emotion.FEAR)
    made = edit_all(Painter(), neutral, asked)  # type: ignore[arg-type]
    assert made.shape == (3, 3, 16, 16, 3)
    found = judge_all(GreyJudge(), faces, neutral, made, asked)  # type: ignore[arg-type]
    assert found["edits"]["n"] == 9
    assert found["edits"]["accuracy"]["value"] == pytest.approx(2 / 3)
    assert found["of_each"]["fear"]["taken_for"] == {"surprise": 1}
    assert found["of_each"]["surprise"]["real"] == 1
    assert found["of_each"]["happiness"]["unedited"] == pytest.approx(1 / 3)
    assert found["real"]["accuracy"]["value"] == pytest.approx(3 / 4)


@pytest.fixture
def request_(shade: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CropsRequest:
    """Four people, each neutral and surprised; the editor was trained on the first, and chosen by the second."""
    from tests.shade_editor import make_faces

    monkeypatch.setattr(crops, "CropJudge", GreyJudge)
    monkeypatch.setattr(crops, "open_crop_editor", lambda stored, device: Painter())
    monkeypatch.setattr(GreyJudge, "learnt_from", ())
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
            for category, grey in ((Emotion.NEUTRAL, 0), (Emotion.SURPRISE, 3 * STEP)):
                Image.new("RGB", (40, 48), (grey,) * 3).save(folder / f"{person}{category}.png")
                table.writerow([f"{person}{category}.png", "p.npz", person, 0, 0, category])
    weights = tmp_path / "w.safetensors"
    state = shade.build_learner(shade.settings(), make_faces(), None).state_dict()
    save_editor(weights, shade, shade.settings(), state, {"people": {"train": ["cc0-0-0"], "validation": ["cc0-0-1"]}})
    return CropsRequest(weights, tmp_path / "judge.safetensors", (FaceSource(folder),))


def test_people_of_whom_nobody_has_learnt_are_edited(
    request_: CropsRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    found = evaluate_crops(request_, out, device="cpu")
    assert (found["people"], found["people_trained_on"]) == (2, 0)
    assert set(found["of_each"]) == {str(category) for category in GreyJudge.categories} - {"neutral"}
    assert found["edits"]["accuracy"]["value"] == pytest.approx(5 / 6), "all but fear"
    assert (found["real"]["n"], found["real"]["accuracy"]["value"]) == (4, 1)
    written = json.loads((out / "shade.json").read_text())
    assert {**written, "output": found["output"]} == json.loads(json.dumps(found))
    with Image.open(out / "shade.png") as sheet:
        assert "compositeSynthetic" in sheet.info["xmp"].decode()
    monkeypatch.setattr(GreyJudge, "learnt_from", ("cc0-0-3",))
    assert evaluate_crops(request_, out, device="cpu")["people"] == 1
    monkeypatch.setattr(GreyJudge, "learnt_from", ("cc0-0-2", "cc0-0-3"))
    with pytest.raises(InputError, match="only people from whom editor or judge learnt"):
        evaluate_crops(request_, out, device="cpu")


def test_people_who_are_named_are_edited(
    request_: CropsRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def of(people: str) -> dict[str, Any]:
        request = CropsRequest(request_.weights, request_.judge, request_.sources, people)
        return evaluate_crops(request, tmp_path / "out", device="cpu")

    found = of("0-2")
    assert (found["people"], found["people_trained_on"]) == (3, 2)
    with pytest.raises(InputError, match="--people: '7' is nobody of the 4 people"):
        of("7")
    monkeypatch.setattr(GreyJudge, "learnt_from", ("cc0-0-2",))
    with pytest.raises(InputError, match="--people: the judge learnt from cc0-0-2, too"):
        of("2-3")


def test_the_judge_has_to_know_what_the_editor_can_be_asked_for(
    request_: CropsRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for known in ((Emotion.FEAR, Emotion.ANGER), (Emotion.NEUTRAL,)):
        monkeypatch.setattr(GreyJudge, "categories", known)
        with pytest.raises(InputError, match=f"--judge: tells apart {known[0]}.*neutral is needed, and one of neutral"):
            evaluate_crops(request_, tmp_path / "out", device="cpu")
    assert not (tmp_path / "out").exists()


def test_the_command_prints_a_line_a_category(
    request_: CropsRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["evaluate", "crops", "--weights", str(request_.weights), "--judge", "judge.safetensors"]
    arguments += ["--data", str(request_.sources[0].path), "--out", str(tmp_path / "out"), "--device", "cpu"]
    assert main([*arguments, "--people", "1-3"]) == 0
    said = capsys.readouterr().out
    assert "3 people, 18 edits of their neutral faces, 16 px" in said
    assert "named as asked for: 83% [83, 83]" in said
    fear = next(line for line in said.splitlines() if line.startswith("fear"))
    assert fear.split() == ["fear", "0%", "[0,", "0]", "none", "0%", "surprise", "100%"]
    assert "the editor was trained on, or chosen by, 1 of these people" in said
    assert main([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["people"] == 2
