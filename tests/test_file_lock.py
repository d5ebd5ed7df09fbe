from __future__ import annotations

import sys
from pathlib import Path

import pytest

from synth_affect.errors import InputError
from synth_affect.file_lock import lock_file, remove_lock

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps the file of a lock")


def test_one_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    first = lock_file(path, tmp_path / "a")
    with pytest.raises(InputError, match="another process is writing to it") as caught:
        lock_file(path, tmp_path / "a")
    assert caught.value.path == str(tmp_path / "a")
    first.close()
    lock_file(path, tmp_path / "a").close()


def test_a_lock_that_is_removed_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    remove_lock(path, lock_file(path, tmp_path / "a"))
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_its_holder_removed_meanwhile_is_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.lock"
    held, real, opened = lock_file(path, path), Path.open, []

    def open_then_see_it_removed(self: Path, mode: str) -> object:
        opened.append(file := real(self, mode))
        if len(opened) == 1:
            remove_lock(path, held)
        return file

    monkeypatch.setattr(Path, "open", open_then_see_it_removed)
    mine = lock_file(path, path)
    monkeypatch.undo()
    assert len(opened) == 2
    with pytest.raises(InputError, match="another process"):
        lock_file(path, path)
    mine.close()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        lock_file(tmp_path / "absent" / "a.lock", tmp_path / "absent" / "a")
