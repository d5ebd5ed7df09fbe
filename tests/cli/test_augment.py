"""The command that augments, up to where the pipeline begins."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synth_affect.cli import main


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    Image.fromarray(np.full((32, 32, 3), 90, np.uint8)).save(folder / "grey.png")
    return folder


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--out: missing"),
        (["--out", "out", "--database", "nothing"], "--database: 'nothing' is none of"),
        (["--out", "out", "--database-setting", "subjects"], "--database-setting: 'subjects' is not NAME=VALUE"),
        (["--out", "out", "--layout", "nothing"], "--layout: 'nothing' is none of"),
        (["--out", "out", "--targets", "paths", "--frames", "2"], "--frames: 2 is not in"),
        (["--out", "out", "--targets", "random", "--per-face", "0"], "--per-face: 0 is not 1 or more"),
        (["--out", "out", "--targets", "labels"], "--targets: no picture of the database has"),
        (["--out", "out", "--shards", "0"], "--shards: 0 is not 1 or more"),
        (["--out", "out", "--workers", "0"], "--workers: 0 is not in"),
        (["--out", "out", "--address", "head:6379"], "--address: goes with --engine ray"),
        (["--out", "out", "--accept-list", "none.txt"], "none.txt: "),
        (["--out", "pictures/new"], "pictures/new: lies in one folder with the database"),
        (["--out", "file/new"], "file/new: cannot be made"),
    ],
)
def test_bad_requests_are_refused_in_one_line(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    pictures: Path,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(pictures.parent)
    (pictures.parent / "file").write_bytes(b"")
    assert main(["augment", "pictures", *arguments]) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith(f"synth-affect: {message}")
    assert "\n" not in error
    assert sorted(path.name for path in pictures.parent.rglob("*")) == ["file", "grey.png", "pictures"]
