"""Experiments with rendered faces, on folders that look like theirs: who trains, who is tested, what is written."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from synth_affect.affect import Emotion
from synth_affect.cli import main
from synth_affect.errors import InputError
from synth_affect.pipelines.augment.journal import DoneFace, DonePicture
from synth_affect.pipelines.augment.manifest import ManifestFace, write_manifest
from synth_affect.pipelines.augment.run import AugmentJob
from synth_affect.pipelines.training import evaluate_augmentation
from synth_affect.pipelines.training.evaluate_augmentation import AugmentationRequest
from synth_affect.pipelines.training.evaluate_heads import HeadsRequest
from synth_affect.pipelines.training.face_samples import FaceSource
from synth_affect.pipelines.training.held_out_expressions import keys_showing, markdown_table
from synth_affect.regressors.networks import NetworkSettings
from synth_affect.regressors.train_settings import TrainSettings

pytest.importorskip("lightning")
pytest.importorskip("torchmetrics")
pytest.importorskip("safetensors")

MIXES = ("neutral:1.000", "sadness:1.000", "happiness:0.700 surprise:0.300", "anger:0.990 surprise:0.010")
SMALL = ["--width", "2", "--size", "32", "--epochs", "1", "--batch", "8", "--device", "cpu"]


def rendered(folder: Path, n_people: int, head: str = "cc0") -> Path:
    """What render-faces writes, with noise for pictures: four of each person, which show MIXES."""
    rng = np.random.default_rng(3)
    folder.mkdir(parents=True)
    (folder / "dataset.json").write_text(json.dumps({"head": head, "seed": 1}))
    rows = ["picture,geometry,subject,number,valence,arousal,category,prototypes"]
    for person in range(n_people):
        for part in ("pictures", "geometry"):
            (folder / part / f"{person:04d}").mkdir(parents=True)
        for n, mix in enumerate(MIXES):
            name = f"{person:04d}/{n:03d}"
            Image.fromarray(rng.integers(0, 255, (32, 32, 3), dtype=np.uint8)).save(folder / f"pictures/{name}.jpg")
            np.savez(folder / f"geometry/{name}.npz", landmarks_68=rng.uniform(6, 26, (68, 3)))
            v, a = (0, 0) if n == 0 else rng.uniform(-1, 1, 2).round(3)
            category = "neutral" if n == 0 else ""
            rows.append(f"pictures/{name}.jpg,geometry/{name}.npz,{person},{n},{v},{a},{category},{mix}")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")
    return folder


def test_a_picture_shows_what_has_a_share_in_it(tmp_path: Path) -> None:
    folder = rendered(tmp_path / "faces", 2)
    assert keys_showing(folder, [Emotion.SURPRISE]) == {"pictures/0000/002", "pictures/0001/002"}
    both = keys_showing(folder, [Emotion.SURPRISE, Emotion.SADNESS])
    assert sorted(key[-3:] for key in both) == ["001", "001", "002", "002"]
    with pytest.raises(InputError, match=r"no picture of .* shows fear"):
        keys_showing(folder, [Emotion.FEAR])
    (folder / "labels.csv").write_text("picture\na.jpg\n")
    with pytest.raises(InputError, match="does not say which prototypes"):
        keys_showing(folder, [Emotion.FEAR])


def test_heads_trains_three_times_and_tests_on_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, other, out = rendered(tmp_path / "a", 10), rendered(tmp_path / "b", 3, "ict"), tmp_path / "out"
    command = ["evaluate", "heads", "--data", str(data), "--other", str(other), "--out", str(out), *SMALL]
    assert main([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["people"] == {"train": 7, "validation": 1, "test": 2, "other": 3}
    rows = {(row["training"], row["test"], row["expressions"]): row for row in found["rows"]}
    assert len(rows) == 3 * 2 * 3
    assert [rows["all", "other head", shown]["pictures"] for shown in ("all", "held out", "others")] == [12, 6, 6]
    cards = {name: json.loads((out / name / "weights.json").read_text()) for name in ("all", "held-out", "shuffled")}
    assert [card["data"]["train"]["pictures"] for card in cards.values()] == [28, 14, 28]
    assert len({card["sha256"] for card in cards.values()}) == 3
    assert {path.suffix for path in out.glob("heads.*")} == {".csv", ".json", ".md"}
    assert main(command) == 0
    assert capsys.readouterr().out == (out / "heads.md").read_text()
    assert main([*command, "--hold-out", "sadness"]) == 2
    assert "holds a run with another data" in capsys.readouterr().err


def made_of(job: AugmentJob, *_: Any) -> None:
    """In place of drawing: two pictures of noise for each neutral one."""
    faces = []
    for place, candidate in enumerate(job.candidates()):
        record, pictures = candidate.record, []
        for n in range(2):
            path = f"pictures/{record.key}/{n:05d}.png"
            (job.out / path).parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (32, 32), (40 * n, 9, 9)).save(job.out / path)
            landmarks = tuple(float(x) for x in np.random.default_rng(n).uniform(6, 26, 136))
            pictures.append(DonePicture(path, 0.5 - n, 0.2, 0, "", landmarks))
        done = DoneFace(place, record.key, "", "", 32, 32, {}, tuple(pictures))
        faces.append(ManifestFace(done, record.subject, None, str(record.path), None, None))
    write_manifest(job.out, faces, {})


def test_augmentation_compares_the_same_people(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("pyarrow")
    monkeypatch.setattr(evaluate_augmentation, "augment", made_of)
    data, out = rendered(tmp_path / "a", 10), tmp_path / "out"
    command = ["evaluate", "augmentation", "--data", str(data), "--out", str(out), "--people", "3", *SMALL]
    command += ["--seeds", "2", "--hold-out", "sadness"]
    assert main([*command, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["test_people"], found["test_pictures"], found["held_out_pictures"]) == (5, 20, 5)
    with (out / "neutrals.csv").open() as file:
        neutrals = list(csv.DictReader(file))
    assert len(neutrals) == 5
    tested, trained = set(), set()
    for seed in range(2):
        cards = [json.loads((out / f"seed-{seed}" / v / "weights.json").read_text()) for v in ("plain", "augmented")]
        assert [card["data"]["train"] for card in cards] == [
            {"pictures": 9, "people": 3, "made": 0}, {"pictures": 15, "people": 3, "made": 6},
        ]  # fmt: skip
        assert cards[0]["training"]["epochs"] == round(1 * (1 + 6 / 9)), "as many pictures are seen"
        tested.add(tuple(cards[0]["data"]["held_out_people"]))
        trained.add(cards[0]["sha256"])
    assert (len(tested), len(trained)) == (1, 2), "the same people are tested, others are trained on"
    assert not {row["subject"] for row in neutrals} & set(tested.pop())
    rows = {(row["expressions"], row["training"]): row for row in found["rows"]}
    for dimension in ("valence_ccc", "arousal_ccc"):
        plain, more, gain = (rows["all", name][dimension] for name in ("plain", "augmented", "difference"))
        assert gain == pytest.approx(more - plain)
    assert {path.suffix for path in out.glob("augmentation.*")} == {".csv", ".json", ".md"}
    assert main(command) == 0
    assert capsys.readouterr().out == (out / "augmentation.md").read_text()
    assert main([*command, "--people", "4"]) == 2
    assert "half of the people, 5, are for training; 6 are drawn" in capsys.readouterr().err


def test_requests_that_are_none(tmp_path: Path) -> None:
    network, settings = NetworkSettings("va-cnn", size=32, width=2), TrainSettings()
    faces, other = FaceSource(rendered(tmp_path / "a", 1)), FaceSource(tmp_path / "labels.csv", "csv")
    with pytest.raises(InputError, match=r"--other: .* holds no rendered faces"):
        HeadsRequest(faces, other, (Emotion.FEAR,), network, settings)
    with pytest.raises(InputError, match="--hold-out"):
        HeadsRequest(faces, faces, (), network, settings)
    with pytest.raises(InputError, match="--seeds: 0"):
        AugmentationRequest(faces, (Emotion.FEAR,), network, settings, seeds=0)


def test_intervals_stand_behind_their_values() -> None:
    row = {"training": "plain", "ccc": 0.5, "ccc_low": 0.25, "ccc_high": 0.75, "n": 3, "other": None}
    assert markdown_table([row]).splitlines() == [
        "| training | ccc | n | other |", "| --- | --- | --- | --- |",
        "| plain | 0.500 [0.250, 0.750] | 3 | undefined |",
    ]  # fmt: skip
