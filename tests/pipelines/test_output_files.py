from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synth_affect.data.pictures import Picture
from synth_affect.data.provenance import Provenance
from synth_affect.errors import InputError
from synth_affect.pipelines.output_files import OutputPicture, beside, check_output_paths, write_together

WRITTEN = {"a.png", "a.png.json", "b.png", "b.png.json", "fit.json"}


@pytest.fixture
def two_pictures(tmp_path: Path) -> list[OutputPicture]:
    pixels = np.zeros((4, 6, 3), dtype=np.uint8)
    like = Picture(pixels, None, None, None, "PNG", tmp_path / "input.png")
    provenance = Provenance({"valence": 0.5}, "1", "cc0", "00")
    return [OutputPicture(tmp_path / name, pixels, like, provenance, {}) for name in ("a.png", "b.png")]


def test_pictures_sidecars_and_texts_appear_together(two_pictures: list[OutputPicture], tmp_path: Path) -> None:
    write_together(two_pictures, {tmp_path / "fit.json": b"{}\n"})
    assert {path.name for path in tmp_path.iterdir()} == WRITTEN
    assert (tmp_path / "fit.json").read_bytes() == b"{}\n"


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("call", range(1, 15))  # one each while writing, two each while renaming
def test_or_none_of_them_does(
    error: BaseException,
    call: int,
    two_pictures: list[OutputPicture],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "a.png").write_bytes(b"from before")
    monkeypatch.setattr(os, "fsync", fails_at(call, error))
    expected = InputError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(expected):
        write_together(two_pictures, {tmp_path / "fit.json": b"{}\n"})
    assert {path.name for path in tmp_path.iterdir()} == {"a.png"}
    assert (tmp_path / "a.png").read_bytes() == b"from before"


def test_the_message_names_the_file_that_failed(
    two_pictures: list[OutputPicture], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", fails_at(1, OSError(28, "No space left on device")))
    with pytest.raises(InputError, match=r"a\.png: cannot be written \(No space left"):
        write_together(two_pictures, {tmp_path / "fit.json": b"{}\n"})


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), KeyboardInterrupt()])
@pytest.mark.parametrize("call", range(1, 6))
def test_a_rename_that_fails_takes_the_earlier_ones_back(
    error: BaseException,
    call: int,
    two_pictures: list[OutputPicture],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "a.png").write_bytes(b"from before")
    renamed: list[str] = []
    rename = Path.replace

    def replace(self: Path, target: Path) -> Path:
        renamed.append(target.name)
        if len(renamed) == call:
            raise error
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(InputError if isinstance(error, OSError) else KeyboardInterrupt):
        write_together(two_pictures, {tmp_path / "fit.json": b"{}\n"})
    assert renamed == ["fit.json", "b.png.json", "b.png", "a.png.json", "a.png"][:call]
    assert {path.name for path in tmp_path.iterdir()} == {"a.png"}
    assert (tmp_path / "a.png").read_bytes() == b"from before"


def test_no_output_may_be_an_input_or_another_output(tmp_path: Path) -> None:
    a, given = tmp_path / "a.png", tmp_path / "a.png.json"
    given.write_text("{}")
    check_output_paths([a], [tmp_path / "fit.json"], [tmp_path / "input.png"])
    with pytest.raises(InputError, match=r"a\.png\.json: the output is the input"):
        check_output_paths([a], [], [given])
    with pytest.raises(InputError, match="two outputs"):
        check_output_paths([a], [given], [])
    with pytest.raises(InputError, match="two outputs"):
        check_output_paths([a, tmp_path / "." / "a.png"], [], [])
    with pytest.raises(InputError, match="two outputs"):
        check_output_paths([a, tmp_path / "A.PNG"], [], [])


@pytest.mark.parametrize("name", ["", ".", "/"])
def test_nothing_stands_beside_a_folder_without_a_name(name: str) -> None:
    with pytest.raises(InputError, match="a folder, not a picture"):
        beside(Path(name), "_grid.png")


def fails_at(call: int, error: BaseException) -> Callable[..., Any]:
    n_calls = 0

    def function(*_: Any) -> None:
        nonlocal n_calls
        n_calls += 1
        if n_calls >= call:
            raise error

    return function
