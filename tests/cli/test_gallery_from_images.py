"""`gallery from-images` and `gallery from-registered`: what they say, and what they refuse in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from synth_affect.cli import main

pytest.importorskip("zarr")


def test_from_images(tmp_path: Path, portrait_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = f"path,valence,arousal,subject\n{portrait_path.name},0.7,0.3,eileen\nno.png,0,0,\n/x.png,0,0,\n"
    (tmp_path / "p.csv").write_text(rows)
    command = ["gallery", "from-images", str(tmp_path / "p.csv"), "--workers", "1"]
    command += ["--database-setting", f"pictures={portrait_path.parent}"]
    assert main([*command, "--out", str(tmp_path / "g.zarr"), "--json"]) == 0
    output, errors = capsys.readouterr()
    said = json.loads(output)
    assert f"left out: {tmp_path / 'p.csv'}: line 4: '/x.png' lies outside {portrait_path.parent}" in errors
    assert said == {
        "output": str(tmp_path / "g.zarr"),
        "report": str(tmp_path / "g.zarr.pictures.jsonl"),
        "pictures": 2,
        "accepted": 1,
        "subjects": 1,
        "own_rest": 0,
        "reasons": {"no such file": 1},
        "left_out": 1,
    }
    assert main(["gallery", "check", str(tmp_path / "g.zarr")]) == 0
    capsys.readouterr()
    assert main([*command, "--out", str(tmp_path / "g.zarr")]) == 2
    assert capsys.readouterr().err.endswith(f"synth-affect: {tmp_path / 'g.zarr'}: is there already\n")


def test_from_images_of_a_database(tmp_path: Path, portrait_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clip = tmp_path / "AFEW-VA" / "001"
    clip.mkdir(parents=True)
    (clip / "00000.png").write_bytes(portrait_path.read_bytes())
    labels = {"actor": "Eileen", "frames": {"00000": {"valence": 7, "arousal": 3, "landmarks": []}}}
    (clip / "001.json").write_text(json.dumps(labels))
    command = ["gallery", "from-images", str(tmp_path / "AFEW-VA"), "--database", "afew-va", "--workers", "1"]
    assert main([*command, "--out", str(tmp_path / "g.zarr"), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["accepted"], said["subjects"], said["left_out"]) == (1, 1, 0)
    assert main([*command, "--out", str(tmp_path / "h.zarr"), "--database-setting", "a"]) == 2
    assert capsys.readouterr().err == "synth-affect: --database-setting: 'a' is not NAME=VALUE\n"
    assert main([*command, "--out", str(tmp_path / "h.zarr"), *["--database-setting", "a=1"] * 2]) == 2
    assert capsys.readouterr().err == "synth-affect: --database-setting: a is there twice\n"


def test_from_registered_without_the_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["gallery", "from-registered", str(tmp_path), "--out", str(tmp_path / "g.zarr"), "--database"]
    assert main([*command, "coma"]) == 2
    assert "no folder of CoMA such as FaceTalk_170725_00137_TA" in capsys.readouterr().err
    assert main([*command, "flame"]) == 2
    assert "--database: 'flame' is none of 4dfab" in capsys.readouterr().err
    assert not (tmp_path / "g.zarr").exists()
