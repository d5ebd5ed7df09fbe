"""`synth-affect databases`: what can be read, and what a copy holds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from synth_affect.cli import main
from synth_affect.data.faces.registry import FACE_DATABASES
from tests.data.faces.miniature import afew_va_clip, aff_wild_labels, video


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["databases", "list"]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in FACE_DATABASES)
    assert "pairing=...  what the lines of a label file belong to" in said
    assert main(["databases", "list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert listed.keys() == FACE_DATABASES.keys()
    assert listed["raf-db"]["settings"] == {"pictures": "original or aligned"}


def test_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    afew_va_clip(tmp_path / "001", [(0, 0), (5, 5), (99, 0)])
    afew_va_clip(tmp_path / "002", [(0, 0), (98, 0)], "Ben")
    assert main(["databases", "check", str(tmp_path), "--database", "afew-va"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said == [
        f"AFEW-VA at {tmp_path}",
        "3 pictures or frames; splits: none 3",
        "2 people",
        "valence and arousal: 3, of them (0, 0): 2",
        "said to be neutral: 0",
        "categories: none",
        "with landmarks: 3, with a box: 0",
        "may be sources of new pictures: 3",
        "note: the folds of the paper are not published; folds over the actors are our own",
        f"turned down 2 times, first {tmp_path / '001' / '001.json'}: frame 00002 valence 99 is not in [-10, 10]",
    ]


def test_check_of_videos_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    video(tmp_path / "videos" / "train" / "1.mp4", 3)
    aff_wild_labels(tmp_path, "1", "0\n1\n0\n", "0\n1\n0\n")
    command = ["databases", "check", str(tmp_path), "--database", "aff-wild", "--json"]
    assert main([*command, "--database-setting", "pairing=frames"]) == 0
    info = json.loads(capsys.readouterr().out)
    assert (info["records"], info["people"], info["at_rest"], info["splits"]) == (3, 1, 2, {"train": 3})
    assert info["rejected"] == []
    assert main([*command, "--database-setting", "pairing=both"]) == 2
    assert capsys.readouterr().err == "synth-affect: --database-setting: pairing: 'both' is none of frames, boxes\n"
    assert main(["databases", "check", str(tmp_path / "nowhere")]) == 2
    assert "no such folder" in capsys.readouterr().err
