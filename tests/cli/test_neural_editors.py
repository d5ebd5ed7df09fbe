"""The commands of neural editors: what they refuse, in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth_affect.cli import main
from synth_affect.editors.recipes import RECIPES


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["edit"], "--image: missing"),
        (
            ["edit", "--image", "f.png", "--editor", "gan", "--category", "fear"],
            "--editor: 'gan' is none of 3dmm, caae",
        ),
        (["edit", "--image", "f.png", "--editor", "caae", "--category", "fear"], "--weights: missing; caae needs"),
        (["edit", "--image", "f.png", "--category", "fear", "--weights", "w"], "--weights: 3dmm has none"),
        (["edit", "--image", "f.png", "--valence", "0.5"], "--arousal: missing"),
        (["edit", "--image", "f.png", "--valence", "2", "--arousal", "0"], "--valence: 2 is not in [-1, 1]"),
        (
            ["edit", "--image", "f.png", "--category", "fear", "--output", "o.gif"],
            "o.gif: pictures are written as .png",
        ),
        (["edit", "--image", "none.png", "--category", "fear"], "none.png: no such file"),
        (["train", "caae", "--data", "faces", "--out", "o", "--set", "width"], "--set: 'width' is not NAME=VALUE"),
        (["train", "caae", "--data", "faces", "--out", "o", "--set", "w=1"], "--set: caae has no 'w'; there are size"),
        (["train", "caae", "--data", "faces", "--out", "o", "--epochs", "0"], "--epochs: 0 is not in [1, 100000]"),
        (["train", "caae", "--data", "faces", "--out", "o", "--epochs", "a"], "--epochs: 'a' is not a whole number"),
        (
            ["train", "exprgan", "--data", "f", "--out", "o", "--epochs", "3"],
            "--epochs: exprgan takes no single number",
        ),
        (["train", "caae", "--data", "faces", "--out", "o"], "faces: no such file or folder"),
        (["train", "caae", "--data", "f", "--out", "o", "--max-yaw", "0"], "--max-yaw: 0 is not in (0, 90]"),
        (["evaluate", "editor", "--images", "f", "--out", "o", "--editor", "caae"], "--weights: missing; caae needs"),
        (["evaluate", "editor", "--images", "f", "--out", "o", "--classes", "glee"], "--category: 'glee' is none of"),
        (
            ["evaluate", "crops", "--weights", "w.safetensors", "--judge", "j", "--data", "f", "--out", "o"],
            "w.safetensors: cannot be read",
        ),
        (["evaluate", "editors-table", "none"], "is it a finished run of evaluate editor?"),
        (["reproduce", "caae:fig99"], "reproduce: 'caae:fig99' is none of caae:fig2"),
        (["reproduce", "gan:fig1"], "reproduce: 'gan:fig1' is of none of caae"),
        (["reproduce", "caae:fig3"], "--weights: missing"),
        (["reproduce", "caae:fig3", "--weights", "w.safetensors"], "--data: missing"),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("lightning")
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert said in error
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_each_recipe_has_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--help"]) == 0
    said = capsys.readouterr().out
    for name in RECIPES:
        assert f"  {name} " in said


def test_experiments_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    assert main(["reproduce", "list"]) == 0
    assert "caae:fig3: one face at 5 x 5 points of the plane" in capsys.readouterr().out
