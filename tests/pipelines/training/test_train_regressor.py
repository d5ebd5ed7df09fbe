"""Train, evaluate and the published protocols, from files to files, with networks as small as they can be."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synth_affect.cli import main
from synth_affect.errors import InputError
from synth_affect.pipelines.training.face_samples import FaceSource, load_faces
from synth_affect.pipelines.training.people_choice import PeopleChoice
from synth_affect.pipelines.training.regressor_protocols import PROTOCOLS, protocol_text, run_protocol
from synth_affect.pipelines.training.train_regressor import TrainRequest, divide, read_predictions
from synth_affect.regressors.networks import NetworkSettings
from synth_affect.regressors.samples import FaceSamples
from synth_affect.regressors.train_settings import TrainSettings

pytest.importorskip("lightning")
pytest.importorskip("torchmetrics")
pytest.importorskip("safetensors")

NETWORK = NetworkSettings("va-cnn", size=32, width=2, batch_norm=True)
ONCE = TrainSettings(epochs=1, batch=8)


def picture_table(folder: Path, n_people: int = 6, per_person: int = 4) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    rows = ["path,valence,arousal,subject"]
    for person in range(n_people):
        for n in range(per_person):
            name = f"{person}-{n}.png"
            Image.fromarray(rng.integers(0, 255, (32, 32, 3), dtype=np.uint8)).save(folder / name)
            rows.append(f"{name},{rng.uniform(-1, 1):.3f},{rng.uniform(-1, 1):.3f},p{person}")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n")
    return folder / "labels.csv"


def people(samples: FaceSamples) -> set[str]:
    return {str(name) for name in samples.subjects}


def test_nobody_is_in_two_parts_and_all_are_tested_once(tmp_path: Path) -> None:
    source = FaceSource(picture_table(tmp_path, 10), "csv")
    loaded = load_faces(source, 32)
    tested: list[str] = []
    for fold in range(5):
        parts = divide(loaded, [], TrainRequest((source,), NETWORK, ONCE, people=PeopleChoice(fold=fold)))
        groups = [people(part) for part in (parts.training, parts.validation, parts.test)]
        assert sum(map(len, groups)) == len(set.union(*groups)) == 10
        tested += groups[2]
    assert sorted(tested) == sorted(people(loaded.samples))


def test_people_can_be_named(tmp_path: Path) -> None:
    source = FaceSource(picture_table(tmp_path, 10), "csv")
    loaded = load_faces(source, 32)
    choice = PeopleChoice(test="7-9", validation="p2, 5")
    parts = divide(loaded, [], TrainRequest((source,), NETWORK, ONCE, people=choice))
    assert people(parts.test) == {"p7", "p8", "p9"}
    assert people(parts.validation) == {"p2", "p5"}
    assert people(parts.training) == {"p0", "p1", "p3", "p4", "p6"}
    for other, said in (
        (PeopleChoice(test="1-3", validation="3"), "--validation-people: p3 is one of --test-people"),
        (PeopleChoice(test="10-19"), "--test-people: '10-19' is nobody of the 10 people"),
        (PeopleChoice(test="0-5", validation="6-9"), "nobody is left to be trained on"),
    ):
        with pytest.raises(InputError, match=said):
            divide(loaded, [], TrainRequest((source,), NETWORK, ONCE, people=other))


def test_people_who_are_too_few_are_one_line(tmp_path: Path) -> None:
    source = FaceSource(picture_table(tmp_path / "one", 1), "csv")
    with pytest.raises(InputError, match="5 folds of 1 people cannot be made"):
        divide(load_faces(source, 32), [], TrainRequest((source,), NETWORK, ONCE))
    source = FaceSource(picture_table(tmp_path / "two", 2), "csv")
    with pytest.raises(InputError, match="1 people are left for training"):
        divide(load_faces(source, 32), [], TrainRequest((source,), NETWORK, ONCE, people=PeopleChoice(n_folds=2)))


def test_the_commands_train_evaluate_and_go_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, out = picture_table(tmp_path / "data"), tmp_path / "run"
    train = ["train", "va-cnn", "--database", "csv", "--data", str(data), "--out", str(out), "--device", "cpu"]
    train += ["--width", "2", "--size", "32", "--epochs", "1", "--batch", "8"]
    assert main(train) == 0
    said = capsys.readouterr()
    assert "CCC" in said.out
    assert said.err == ""
    card = json.loads((out / "weights.json").read_text())
    truth, _, _ = read_predictions(out / "predictions.csv")
    assert card["test"]["n"] == len(truth) == card["data"]["test"]["pictures"]
    assert "not for redistribution" in card["licence"]
    assert sorted(path.name for path in out.iterdir()) == [
        "best.ckpt", "crops", "last.ckpt", "log.csv", "plan.json", "predictions.csv", "weights.json",
        "weights.safetensors",
    ]  # fmt: skip
    before = (out / "weights.safetensors").stat().st_mtime_ns
    assert main(train) == 0
    assert (out / "weights.safetensors").stat().st_mtime_ns == before, "a finished run is read"
    assert main([*train, "--seed", "4"]) == 2
    assert "holds a run with another training" in capsys.readouterr().err

    evaluate = ["evaluate", "regressor", "--weights", str(out / "weights.safetensors"), "--database", "csv"]
    evaluate += ["--data", str(data), "--device", "cpu", "--json"]
    assert main([*evaluate, "--held-out", "--out", str(tmp_path / "scores")]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["valence"]["mse"]["value"] == pytest.approx(card["test"]["valence"]["mse"]["value"], rel=1e-5)
    assert {path.name for path in (tmp_path / "scores").iterdir()} == {"scores.json", "predictions.csv"}
    assert main(["evaluate", "regressor", "--weights", "none.safetensors", "--data", str(data)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_categories_are_trained_and_evaluated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, out = picture_table(tmp_path / "data"), tmp_path / "run"
    rows = data.read_text().splitlines()
    named = ("fear", "anger", "happiness", "")
    data.write_text("\n".join([rows[0] + ",category", *(f"{row},{named[i % 4]}" for i, row in enumerate(rows[1:]))]))
    train = ["train", "classes", "--database", "csv", "--data", str(data), "--out", str(out), "--device", "cpu"]
    train += ["--categories", "anger, fear", "--no-landmarks", "--width", "2", "--size", "32", "--epochs", "1"]
    train += ["--batch", "8"]
    assert main(train) == 0
    assert "mean recall" in capsys.readouterr().out
    card = json.loads((out / "weights.json").read_text())
    assert card["network"]["categories"] == ["anger", "fear"]
    assert card["network"]["landmarks"] is False
    assert set(card["data"]["seen_people"]) == {f"p{n}" for n in range(6)} - set(card["data"]["held_out_people"])
    assert card["data"]["train"]["pictures"] + card["data"]["validation"]["pictures"] + card["test"]["n"] == 12
    assert (out / "predictions.csv").read_text().splitlines()[0].endswith("category,predicted_category")
    assert main(train) == 0, "a finished run is read"
    capsys.readouterr()
    evaluate = ["evaluate", "regressor", "--weights", str(out / "weights.safetensors"), "--database", "csv"]
    assert main([*evaluate, "--data", str(data), "--held-out", "--device", "cpu"]) == 0
    shown = capsys.readouterr().out
    assert f"accuracy {card['test']['accuracy']['value']:.3f}" in shown
    assert main([*train[:-1], "8", "--categories", "anger,vim"]) == 2
    assert "'vim' is none of" in capsys.readouterr().err


def afew_va(root: Path, n_actors: int = 6) -> Path:
    rng = np.random.default_rng(1)
    for clip in range(n_actors):
        folder = root / f"{clip + 1:03d}"
        folder.mkdir(parents=True)
        frames = {}
        for n in range(4):
            Image.fromarray(rng.integers(0, 255, (32, 32, 3), dtype=np.uint8)).save(folder / f"{n:05d}.png")
            points = rng.uniform(6, 26, (68, 2)).round(1).tolist()
            v, a = (int(x) for x in rng.integers(-10, 11, 2))
            frames[f"{n:05d}"] = {"landmarks": points, "valence": v, "arousal": a}
        annotation = {"video_id": folder.name, "actor": f"actor {clip}", "frames": frames}
        (folder / f"{folder.name}.json").write_text(json.dumps(annotation))
    return root


def test_the_protocol_puts_ours_beside_the_published(tmp_path: Path) -> None:
    network = NetworkSettings("vgg-gru", size=32, width=2, hidden=64, gru=4)
    settings = TrainSettings(epochs=1, batch=4, steps=3)
    request = TrainRequest((FaceSource(afew_va(tmp_path / "afew"), "afew-va"),), network, settings)
    found = run_protocol("afew-va", request, tmp_path / "out", device="cpu")
    assert found["ours"]["plain"]["n"] == 24, "each frame is tested once"
    text = protocol_text(found)
    assert "0.542 / 0.589" in text
    assert f"{100 * found['ours']['plain']['valence']['mse']['value']:.2f}" in text
    (tmp_path / "out" / "plain" / "fold-3" / "weights.safetensors").unlink()  # as if it had been stopped there
    assert run_protocol("afew-va", request, tmp_path / "out", device="cpu") == found
    with pytest.raises(InputError, match="the protocol is that of aff-wild"):
        run_protocol("aff-wild", request, tmp_path / "other")


def test_the_published_rows_are_those_of_the_tables() -> None:
    assert [row.correlation for row in PROTOCOLS["afew-va"].published] == [(0.407, 0.45), (0.542, 0.589)]
    assert [row.mse for row in PROTOCOLS["aff-wild"].published] == [(0.123, 0.095), (0.08, 0.06), (0.074, 0.051)]


def test_made_pictures_are_of_training_people_only(tmp_path: Path) -> None:
    source = FaceSource(picture_table(tmp_path, 10), "csv")
    loaded = load_faces(source, 32)
    made = replace(loaded, samples=replace(loaded.samples, made=np.ones(40, dtype=bool)))
    request = TrainRequest((source,), NETWORK, ONCE)
    plain, more = divide(loaded, [], request), divide(loaded, [made], request)
    assert people(more.training) == people(plain.training)
    assert (len(more.training), int(more.training.made.sum())) == (2 * len(plain.training), len(plain.training))
    assert not more.test.made.any()
    with pytest.raises(InputError, match="test on real ones"):
        divide(made, [], request)
    strangers = replace(made, samples=replace(made.samples, subjects=np.array(["x"] * 40)))
    with pytest.raises(InputError, match="are they named alike"):
        divide(loaded, [strangers], request)
