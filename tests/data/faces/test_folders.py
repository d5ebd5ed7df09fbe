"""Which folder a user meant, and what lies in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth_affect.data.faces.folders import (
    file_names,
    find_part,
    find_root,
    has_folders,
    need_part,
    numbered_files,
    pictures_below,
)
from synth_affect.data.faces.videos import count_frames
from synth_affect.errors import InputError
from tests.data.faces.miniature import pictures, text, video


def found(root: Path) -> Path:
    return find_root(root, has_folders("labels"), expected="folder labels", obtain="ask for it")


@pytest.mark.parametrize("given", ["", "a", "a/b", "a/b/labels"])
def test_the_root_is_found(tmp_path: Path, given: str) -> None:
    (tmp_path / "a" / "b" / "labels").mkdir(parents=True)
    (tmp_path / "__MACOSX" / "labels").mkdir(parents=True)
    (tmp_path / ".hidden" / "labels").mkdir(parents=True)
    assert found(tmp_path / given) == tmp_path / "a" / "b"


def test_two_roots_and_one_under_two_names(tmp_path: Path) -> None:
    (tmp_path / "a" / "labels").mkdir(parents=True)
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert found(tmp_path) == tmp_path / "a"
    (tmp_path / "c" / "labels").mkdir(parents=True)
    with pytest.raises(InputError, match=r"c: is there a second time, .*a; name one of the two"):
        found(tmp_path)


def test_no_root(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no folder labels here or two levels below; ask for it"):
        found(tmp_path)
    with pytest.raises(InputError, match="not a folder"):
        found(text(tmp_path / "file", ""))


def test_parts(tmp_path: Path) -> None:
    (tmp_path / "x" / "Emotion" / "Emotion").mkdir(parents=True)
    assert find_part(tmp_path, "Emotion") == tmp_path / "x" / "Emotion"
    assert find_part(tmp_path / "x", "Emotion") == tmp_path / "x" / "Emotion" / "Emotion"
    assert find_part(tmp_path, "Landmarks") is None
    with pytest.raises(InputError, match="has no Landmarks; ask for it"):
        need_part(tmp_path, "Landmarks", "ask for it")
    (tmp_path / "y" / "Emotion").mkdir(parents=True)
    with pytest.raises(InputError, match="is there a second time"):
        find_part(tmp_path, "Emotion")


def test_names_and_numbers(tmp_path: Path) -> None:
    pictures(tmp_path, "7.png 00007.png 10.PNG 10.jpg x.png ._1.png 1234567890.png 2.txt.png")
    assert file_names(tmp_path, (".jpg", ".png"))["10"] == "10.jpg"
    assert {number: path.name for number, path in numbered_files(tmp_path, (".png",)).items()} == {
        7: "00007.png", 10: "10.PNG"
    }  # fmt: skip
    with pytest.raises(InputError, match="cannot be read"):
        file_names(tmp_path / "nowhere", (".png",))


def test_pictures_below(tmp_path: Path) -> None:
    pictures(tmp_path, "b/2.png b/1.png a.png skip/3.png .h/4.png")
    below = pictures_below(tmp_path, lambda folder: folder.name == "skip")
    assert [path.relative_to(tmp_path).as_posix() for path in below] == ["a.png", "b/1.png", "b/2.png"]


def test_frames_are_counted(tmp_path: Path) -> None:
    assert count_frames(video(tmp_path / "a.mp4", 5)) == 5
    assert count_frames(video(tmp_path / "a.avi", 3)) == 3
    with pytest.raises(InputError, match="is no video"):
        count_frames(text(tmp_path / "list.mp4", "ffconcat version 1.0\nfile /etc/passwd\n"))
    with pytest.raises(InputError, match="cannot be read"):
        count_frames(tmp_path / "b.mp4")
