"""`synth-affect models`: from argv to exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from synth_affect.cli import main
from synth_affect.pipelines import models as module


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pooch

    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / "cache" / name)


def run(*arguments: str | Path) -> int:
    return main([str(argument) for argument in arguments])


def complaint(capsys: pytest.CaptureFixture[str]) -> str:
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    return captured.err.splitlines()[-1]


def test_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("models", "list", "--json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert [model["name"] for model in listed][:2] == ["cc0", "ict"]
    assert run("models", "list") == 0
    assert "CC-BY-4.0 for FLAME 2023 Open" in capsys.readouterr().out


def test_nothing_is_fetched_before_the_licence_is_accepted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[str] = []

    def get_model(name: str, **_: object) -> dict[str, str]:
        fetched.append(name)
        return {"output": "there", "name": name}

    monkeypatch.setattr(module, "get_model", get_model)
    assert run("models", "get", "gnm") == 2
    captured = capsys.readouterr()
    assert "licence: Apache-2.0" in captured.err
    assert captured.err.endswith("add --yes\n")
    assert fetched == []
    assert run("models", "get", "gnm", "--yes") == 0
    assert fetched == ["gnm"]
    assert capsys.readouterr().out == "wrote there\n"


def test_a_model_behind_a_registration(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("models", "get", "lsfm", "--yes") == 2
    assert "register at https://github.com/menpo/lsfm" in complaint(capsys)


def test_info_and_render(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("models", "info", "cc0", "--json") == 0
    assert json.loads(capsys.readouterr().out)["licence"] == "CC0-1.0"
    assert run("models", "render", "cc0", "-o", tmp_path / "cc0.png") == 0
    with Image.open(tmp_path / "cc0.png") as sheet:
        assert sheet.width > 1000
    assert run("models", "render", "cc0", "-o", tmp_path / "cc0.jpg") == 2
    assert not (tmp_path / "cc0.jpg").exists()


@pytest.mark.parametrize("name", ["model.npz", "flame2023.pkl", "model.mat", "model.bin"])
def test_a_damaged_model_is_one_line_and_exit_code_2(
    name: str, tmp_path: Path, portrait_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    path.write_bytes(b"\x01\0\0\0 and no model")
    for arguments in (
        ("models", "info", path),
        ("--image", portrait_path, "--valence", "1", "--arousal", "0", "--head", path, "-o", tmp_path / "o.png"),
    ):
        assert run(*arguments) == 2
        assert str(path) in complaint(capsys)
    assert not (tmp_path / "o.png").exists()
