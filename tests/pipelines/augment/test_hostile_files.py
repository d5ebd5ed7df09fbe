"""Damaged pictures and annotation files that mean harm end in a reason, and touch nothing but the output folder."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from benchmarks._hostile_files import annotation_cases, write_damaged_pictures, write_damaged_videos
from synth_affect.cli import main

pytest.importorskip("pyarrow")
SETTINGS = ("--targets", "random", "--per-face", "1", "--min-quality", "0.05", "--workers", "1")


def augment(capsys: pytest.CaptureFixture[str], out: Path, *arguments: str) -> int:
    """The exit code; what is said is one line at most."""
    code = main(["augment", *arguments, "--out", str(out), *SETTINGS])
    said = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("note: ")]
    assert code in (0, 2)
    assert len(said) == (code == 2), said
    return code


def rejects(out: Path) -> dict[str, str]:
    with (out / "rejects.csv").open(newline="", encoding="utf-8") as file:
        return {row["key"]: row["reason"] for row in csv.DictReader(file)}


def test_damaged_pictures_do_not_stop_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, listed = tmp_path / "pictures", tmp_path / "list.txt"
    write_damaged_pictures(folder, 42, seed=1)
    names = sorted(path.stem for path in folder.iterdir())
    listed.write_text("\n".join(names), encoding="utf-8")
    assert augment(capsys, tmp_path / "out", str(folder), "--accept-list", str(listed)) == 0
    reasons = rejects(tmp_path / "out")
    assert len(reasons) > 25
    assert all(reasons.values())
    assert "000-good" not in reasons
    assert "too many pixels" in reasons["010-bomb"]
    assert "passwords" in reasons
    assert reasons["pipe"] == "not a regular file"


def test_damaged_videos_do_not_stop_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("av")
    table = write_damaged_videos(tmp_path / "videos", 8, seed=1)
    keys = [f"{path.stem}/{frame:05d}" for path in (tmp_path / "videos").iterdir() for frame in (0, 2, 10**9)]
    (tmp_path / "list.txt").write_text("\n".join(keys), encoding="utf-8")
    options = ("--database", "csv", "--accept-list", str(tmp_path / "list.txt"))
    assert augment(capsys, tmp_path / "out", str(table), *options) == 0
    reasons = rejects(tmp_path / "out")
    assert {"000-good/00000", "000-good/00002"}.isdisjoint(reasons)
    assert reasons["000-good/1000000000"] == "frame 1000000000 cannot be read"
    assert all(reasons[key] == "is no video" for key in reasons if "playlist" in key)


def test_hostile_annotations_leave_nothing_outside(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cases = list(annotation_cases(tmp_path / "in"))
    before = sorted(tmp_path.rglob("*"))
    for number, case in enumerate(cases[::4]):
        augment(capsys, tmp_path / "out" / str(number), *case.arguments)
    assert [path for path in sorted(tmp_path.rglob("*")) if not path.is_relative_to(tmp_path / "out")] == before
