from __future__ import annotations

from pathlib import Path

import pytest

from synth_affect.errors import InputError
from synth_affect.pipelines.evaluate_editor.photographs import list_pictures


def test_of_rendered_faces_the_neutral_pictures_of_some_people_are_edited(tmp_path: Path) -> None:
    (tmp_path / "dataset.json").write_text("{}")
    rows = [f"pictures/{s:04d}/{n:03d}.jpg,{s},{'neutral' if n % 2 == 0 else ''}" for s in range(4) for n in range(4)]
    (tmp_path / "labels.csv").write_text("\n".join(["picture,subject,category", *rows]) + "\n")
    assert [p.relative_to(tmp_path).as_posix() for p in list_pictures(tmp_path, "1-2")] == [
        "pictures/0001/000.jpg", "pictures/0002/000.jpg",
    ]  # fmt: skip
    assert len(list_pictures(tmp_path)) == 4
    with pytest.raises(InputError, match="--people: '7' is nobody"):
        list_pictures(tmp_path, "7")
    with pytest.raises(InputError, match=r"--people: .* is no folder of rendered faces"):
        list_pictures(tmp_path / "pictures", "1")


def test_a_folder_of_photographs_is_listed_by_name(photographs: Path) -> None:
    assert [path.name for path in list_pictures(photographs)] == ["a.png", "b <i>.png", "dark.png", "nobody.png"]
    assert list_pictures(photographs / "a.png") == [photographs / "a.png"]


def test_a_folder_without_photographs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        list_pictures(tmp_path / "absent")
    with pytest.raises(InputError, match="holds no pictures"):
        list_pictures(tmp_path)
