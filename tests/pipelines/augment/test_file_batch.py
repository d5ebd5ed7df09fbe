from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from synth_affect.pipelines.augment.file_batch import PARTIAL, FileBatch, OutputError, sweep


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_files_have_their_names_when_the_batch_ends(tmp_path: Path) -> None:
    with FileBatch(tmp_path) as files:
        for number in range(40):
            files.write(tmp_path / "a" / "b" / f"{number}.jpg", b"%d" % number)
        assert len(files) == 40
        assert not (tmp_path / "a").exists()
    assert [(tmp_path / "a/b" / f"{number}.jpg").read_bytes() for number in range(40)] == [b"%d" % k for k in range(40)]
    assert not any((tmp_path / PARTIAL).iterdir())


def test_a_file_that_is_there_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"old")
    with FileBatch(tmp_path) as files:
        files.write(tmp_path / "a.txt", b"new")
        files.settle()
        files.write(tmp_path / "b.txt", b"more")
    assert ((tmp_path / "a.txt").read_bytes(), (tmp_path / "b.txt").read_bytes()) == (b"new", b"more")


def test_an_error_leaves_none(tmp_path: Path) -> None:
    def stopped() -> None:
        with FileBatch(tmp_path) as files:
            files.write(tmp_path / "a.txt", b"a")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        stopped()
    assert names(tmp_path) == []


def test_a_full_disk_leaves_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    files = FileBatch(tmp_path)
    files.write(tmp_path / "a.txt", b"a")
    files.write(tmp_path / "b.txt", b"b")
    with pytest.raises(OutputError, match="No space left on device"):
        files.__exit__(None)
    assert names(tmp_path) == []


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="cannot be written"), FileBatch(tmp_path) as files:
        files.write(tmp_path / "file" / "a.txt", b"a")
    assert names(tmp_path) == ["file"]


def test_what_a_kill_left_is_swept_away(tmp_path: Path) -> None:
    for half in (tmp_path / PARTIAL / "0123", tmp_path / ".0123.part", tmp_path / "a.jpg"):
        half.parent.mkdir(exist_ok=True)
        half.write_bytes(b"half")
    sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["a.jpg"]
    sweep(tmp_path)
