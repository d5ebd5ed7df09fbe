"""Folders of pictures."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from synth_affect.data.faces.picture_folder import open_picture_folder
from synth_affect.errors import InputError
from tests.data.faces.miniature import divided, pictures, text


def test_pictures_at_any_depth(tmp_path: Path) -> None:
    pictures(tmp_path, ["anna/2/a.png", "anna/b.JPG", "ben/a.png", "c.bmp", ".hidden/d.png", ".e.png", "50%.png"])
    text(tmp_path / "anna" / "notes.txt", "")
    records, rejected = divided(open_picture_folder(tmp_path))
    assert not rejected
    assert [record.key for record in records] == ["50%25", "anna/2/a", "anna/b", "ben/a", "c"]
    assert {(record.subject, record.has_affect) for record in records} == {(None, False)}
    assert not open_picture_folder(tmp_path).has_subjects


def test_people_by_folder(tmp_path: Path) -> None:
    pictures(tmp_path, "anna/2/a.png ben/a.png c.png")
    database = open_picture_folder(tmp_path, subjects="first-folder")
    assert [record.subject for record in divided(database)[0]] == ["anna", "ben", None]
    assert database.has_subjects


def test_names_that_differ_in_the_suffix(tmp_path: Path) -> None:
    pictures(tmp_path, "a.jpg a.png b.png")
    records, rejected = divided(open_picture_folder(tmp_path))
    assert [record.path.name for record in records] == ["a.jpg", "b.png"]
    assert [item.path.name for item in rejected] == ["a.png"]


def test_a_ring_of_links_ends(tmp_path: Path) -> None:
    pictures(tmp_path, "a/b.png")
    (tmp_path / "a" / "again").symlink_to(tmp_path)
    assert len(divided(open_picture_folder(tmp_path))[0]) == 1


def test_a_file_name_of_another_encoding(tmp_path: Path) -> None:
    pictures(tmp_path, "a.png")
    try:
        (tmp_path / os.fsdecode(b"M\xfcller.png")).write_bytes(b"")
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    records, rejected = divided(open_picture_folder(tmp_path))
    assert [record.key for record in records] == ["a"]
    assert [(item.key, item.path.name) for item in rejected] == [("M%FCller", "M?ller.png")]
    assert "is not UTF-8; rename it" in rejected[0].reason


def test_no_pictures(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no picture"):
        divided(open_picture_folder(tmp_path))
    with pytest.raises(InputError, match="no such folder"):
        open_picture_folder(tmp_path / "nowhere")
    with pytest.raises(InputError, match="a file, not a folder"):
        open_picture_folder(text(tmp_path / "a.txt", ""))
