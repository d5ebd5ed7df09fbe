"""Runs that are killed while they draw, and go on to the same files."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks._crashes import Moment, files_of, journal_lines, stop_at
from synth_affect.cli import main

pytest.importorskip("pyarrow")
pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")


def words(portraits: Path, out: Path, workers: int) -> list[str]:
    settings = ("--targets", "random", "--per-face", "4", "--min-quality", "0.1", "--folds", "2", "--seed", "3")
    chosen = ("--accept-list", str(portraits.with_name("kills.txt")), "--database-setting", "subjects=first-folder")
    return ["augment", str(portraits), "--out", str(out), *settings, *chosen, "--workers", str(workers)]


def test_a_run_that_was_killed_goes_on_to_the_same_files(
    portraits: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    portraits.with_name("kills.txt").write_text("anna/a\nbert/b\nanna/wall\n")
    clean, killed = tmp_path / "clean", tmp_path / "killed"
    assert main(words(portraits, clean, 1)) == 0
    assert capsys.readouterr().out == f"wrote {clean}\n"
    for way, moment in (("parent", Moment(1, 0.0)), ("group", Moment(0, 1.0))):
        command = [sys.executable, "-m", "synth_affect", *words(portraits, killed, 2)]
        assert stop_at(command, killed, moment, way) == way
    assert 1 <= journal_lines(killed) <= 3
    assert main(words(portraits, killed, 1)) == 0
    assert files_of(killed) == files_of(clean)
