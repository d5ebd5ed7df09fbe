from __future__ import annotations

from pathlib import Path

import pytest

from synth_affect.errors import InputError
from synth_affect.pipelines.augment.journal import JOURNAL, DoneFace, DonePicture, open_journal, read_journal


def face(place: int, n_pictures: int = 2) -> DoneFace:
    pictures = tuple(
        DonePicture(f"pictures/{place}/{i}.jpg", 0.1 * i, -0.5, 7, "ab" * 32, (1.5, 2.0)) for i in range(n_pictures)
    )
    return DoneFace(place, f"person/{place} ü", "", "cd" * 32, 640, 480, {"quality": 0.75}, pictures)


def write(folder: Path, *faces: DoneFace) -> None:
    with open_journal(folder) as journal:
        for one in faces:
            journal.append(one)


def test_faces_come_back_by_place(tmp_path: Path) -> None:
    write(tmp_path, face(2), face(0), face(1, 0))
    with read_journal(tmp_path) as done:
        assert len(done) == 3
        assert [done[place] for place in range(3)] == [face(0), face(1, 0), face(2)]
        assert done.keys == {2: "person/2 ü", 0: "person/0 ü", 1: "person/1 ü"}
        with pytest.raises(KeyError):
            done[3]


def test_without_a_journal_nothing_is_done(tmp_path: Path) -> None:
    with read_journal(tmp_path) as done:
        assert len(done) == 0


@pytest.mark.parametrize("kept", [0, 1, 30, -1])
def test_a_torn_end_is_as_good_as_none(tmp_path: Path, kept: int) -> None:
    write(tmp_path, face(0), face(1))
    path = tmp_path / JOURNAL
    first, second = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + second[:kept])
    with read_journal(tmp_path) as done:
        assert list(done.keys) == [0]
    write(tmp_path, face(1))
    assert path.read_bytes() == first + second


def test_a_torn_only_line_is_as_good_as_none(tmp_path: Path) -> None:
    (tmp_path / JOURNAL).write_bytes(b'{"place": 0' + b" " * 100_000)
    write(tmp_path, face(0))
    with read_journal(tmp_path) as done:
        assert done[0] == face(0)


@pytest.mark.parametrize("line", [b"nonsense\n", b"[]\n", b'{"place": 1}\n', b'{"pictures": [1]}\n', b"\xff\n"])
def test_a_file_of_something_else_is_refused(tmp_path: Path, line: bytes) -> None:
    (tmp_path / JOURNAL).write_bytes(line)
    with pytest.raises(InputError, match="line 1"), read_journal(tmp_path):
        pass
