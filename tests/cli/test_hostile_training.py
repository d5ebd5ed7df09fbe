"""Training and evaluation on data, weights and numbers that are of no use: one line, exit code 2, nothing written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synth_affect.cli import main

pytest.importorskip("lightning")
pytest.importorskip("torchmetrics")
pytest.importorskip("safetensors")

SMALL = ("--width", "2", "--size", "32", "--epochs", "1", "--batch", "4", "--device", "cpu")
HEAD = "path,valence,arousal,subject"
GOOD = [f"{n}.png,{(n % 5 - 2) / 2},0.5,p{n % 6}" for n in range(12)]
LABELS: dict[str, list[str]] = {
    "good": [HEAD, *GOOD],
    "far": [HEAD, *(f"{n}.png,5,0,p{n % 6}" for n in range(12))],
    "nan": [HEAD, *(f"{n}.png,nan,0,p{n % 6}" for n in range(12))],
    "words": [HEAD, *(f"{n}.png,happy,0,p{n % 6}" for n in range(12))],
    "one": [HEAD, *(f"{n}.png,0.5,0,p0" for n in range(12))],
    "empty": [HEAD],
    "unlabelled": ["path,subject", *(f"{n}.png,p{n % 6}" for n in range(12))],
    "absent": [HEAD, *(f"x{n}.png,0.5,0,p{n}" for n in range(12))],
    "twice": [HEAD, *["0.png,0.5,0,p0"] * 12],
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Pictures of noise, a table of each kind of labels, and files that are nothing."""
    random = np.random.default_rng(0)
    for n in range(12):
        Image.fromarray(random.integers(0, 255, (32, 32, 3), dtype=np.uint8)).save(tmp_path / f"{n}.png")
    for name, lines in LABELS.items():
        (tmp_path / f"{name}.csv").write_text("\n".join(lines) + "\n")
    (tmp_path / "noise.csv").write_bytes(random.bytes(300))
    (tmp_path / "nothing").mkdir()
    (tmp_path / "file").write_text("x")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(folder: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """What is said, in one line; nothing is written."""
    before = sorted(folder.rglob("*"))
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert sorted(folder.rglob("*")) == before
    return said


def train(kind: str, data: str, *more: str) -> list[str]:
    return ["train", kind, "--data", data, "--database", "csv", "--out", "out", *SMALL, *more]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("far.csv", "far.csv: "),
        ("nan.csv", "nan.csv: "),
        ("words.csv", "words.csv: "),
        ("one.csv", "--folds: 5 folds of 1 people cannot be made"),
        ("empty.csv", "empty.csv: "),
        ("unlabelled.csv", "unlabelled.csv: "),
        ("absent.csv", "absent.csv: no picture can be used; the first: x0: no such file"),
        ("twice.csv", "folds of 1 people"),
        ("noise.csv", "noise.csv: "),
        ("nothing", "nothing: "),
        ("none.csv", "none.csv: "),
    ],
)
def test_labels_and_tables(folder: Path, capsys: pytest.CaptureFixture[str], data: str, says: str) -> None:
    assert says in refused(folder, train("va-cnn", data), capsys)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("--width", value) for value in ("0", "-3", "100000")),
        *(("--size", value) for value in ("0", "7", "1000000")),
        *(("--folds", value) for value in ("0", "1", "7", "-1")),
        *(("--fold", value) for value in ("5", "-1")),
        *(("--learning-rate", value) for value in ("0", "nan", "-1")),
        *(("--augmented", value) for value in ("missing", "nothing")),
        *(("--out", value) for value in ("file", "file/below")),
        *(("--epochs", "0"), ("--batch", "0"), ("--mix", "nan"), ("--precision", "7"), ("--seed", "-1")),
        *(("--optimizer", "x"), ("--loss", "x"), ("--patience", "-1")),
    ],
)
def test_settings(folder: Path, capsys: pytest.CaptureFixture[str], option: str, value: str) -> None:
    said = refused(folder, train("va-cnn", "good.csv", option, value), capsys)
    assert option in said or value in said


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (train("vgg-gru", "good.csv", "--vgg-face", "file"), "file: "),
        (train("vgg-gru", "good.csv", "--steps", "0"), "--steps"),
        (train("identity", "one.csv"), "folds of 1 people"),
        (train("identity", "good.csv", "--embedding", "1000000000"), "--embedding"),
        (train("classes", "good.csv", "--categories", "glee,fear"), "'glee' is none of"),
        (["train", "vgg-face-weights", "file", "--out", "weights.safetensors"], "file: "),
        (["evaluate", "regressor", "--weights", "none.safetensors", "--data", "good.csv"], "none.safetensors: "),
        (["evaluate", "regressor", "--weights", "file", "--data", "good.csv"], "file: is no .safetensors file"),
    ],
)
def test_other_networks_and_weights(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], says: str
) -> None:
    assert says in refused(folder, arguments, capsys)


def test_evaluation_says_what_it_lacks(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from synth_affect.regressors.networks import NetworkSettings, build_network
    from synth_affect.regressors.weight_file import save_network

    settings = NetworkSettings("va-cnn", size=32, width=2)
    save_network(folder / "w.safetensors", settings, build_network(settings).state_dict(), {})
    command = ["evaluate", "regressor", "--weights", "w.safetensors", "--database", "csv", "--device", "cpu"]
    for data, out in (("far.csv", "out"), ("empty.csv", "out"), ("absent.csv", "out"), ("good.csv", "file")):
        refused(folder, [*command, "--data", data, "--out", out], capsys)
    said = refused(folder, [*command, "--data", "good.csv", "--held-out", "--out", "out"], capsys)
    assert "nobody of the people that w.safetensors was not trained on" in said
