"""Lines, tables, numbers and JSON from files that strangers made."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_affect.data.faces import annotation_files
from synth_affect.data.faces.annotation_files import (
    affect,
    column_places,
    number,
    points_68,
    read_array,
    read_json,
    read_lines,
    read_table,
    until_unreadable,
    whole_number,
)
from synth_affect.data.faces.database import LabelScale
from synth_affect.data.faces.record import FaceRecord, Rejected
from synth_affect.errors import InputError
from tests.data.faces.miniature import text


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_lines_keep_their_numbers(tmp_path: Path, end: str, mark: str) -> None:
    path = text(tmp_path / "a.txt", mark + end.join(["a", "", "  b ", "ü"]))
    assert list(read_lines(path)) == [(1, "a"), (3, "b"), (4, "ü")]


def test_bytes_that_are_no_text_do_not_stop_the_lines(tmp_path: Path) -> None:
    lines = [line for _, line in read_lines(text(tmp_path / "a.txt", b"1\n\xff7\n3"))]
    assert lines == ["1", "\udcff7", "3"]
    with pytest.raises(ValueError, match=r"x '\\udcff7' is not a number"):
        number(lines[1], "x")


def test_a_line_is_bounded_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(annotation_files, "MAX_LINE", 10)
    path = text(tmp_path / "a.txt", "short\n0123456789a\nb\n")
    lines = read_lines(path)
    assert next(lines) == (1, "short")
    with pytest.raises(InputError, match="line 2 is longer than 10 characters"):
        next(lines)


@pytest.mark.parametrize(
    ("content", "reason"), [(b"a\0b", "is not text"), ("a".encode("utf-16"), "is UTF-16 text; save it as UTF-8")]
)
def test_files_that_hold_no_lines(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        list(read_lines(text(tmp_path / "a.txt", content)))
    with pytest.raises(InputError, match="a folder, not a text file"):
        list(read_lines(tmp_path))
    with pytest.raises(InputError, match="no such file"):
        list(read_lines(tmp_path / "b.txt"))
    with pytest.raises(InputError, match="cannot be read"):
        list(read_lines(tmp_path / "b\0.txt"))


def test_rows_know_their_lines(tmp_path: Path) -> None:
    path = text(tmp_path / "a.csv", 'a, b\n\n , \n"c,d",e\n')
    assert list(read_table(path)) == [(1, ["a", "b"]), (4, ["c,d", "e"])]
    with pytest.raises(InputError, match=r"line \d+ is not CSV: field larger"):
        list(read_table(text(path, '"' + "a\n" * 200_000)))


def test_columns(tmp_path: Path) -> None:
    assert column_places(["B", "x", "a"], ("a", "b", "c"), required=("a",), path=tmp_path) == {"a": 2, "b": 0}
    with pytest.raises(InputError, match="has no column c"):
        column_places(["a"], ("a", "c"), required=("c",), path=tmp_path)
    with pytest.raises(InputError, match="has the column a twice"):
        column_places(["a", "A"], ("a",), required=(), path=tmp_path)


@given(st.text(max_size=30))
def test_any_text_is_a_number_or_a_fault(given_text: str) -> None:
    for parse in (number, whole_number):
        try:
            value = parse(given_text, "x")
        except ValueError as error:
            assert str(error).startswith("x ")  # noqa: PT017, either outcome is right
            str(error).encode()
        else:
            assert isinstance(value, float | int)


@pytest.mark.parametrize("word", ["-0x1", "1.0", "", "-", "+1", "1_0", "٣", "9" * 30, "-1", "8"])
def test_what_is_no_whole_number(word: str) -> None:
    with pytest.raises(ValueError, match="is not a whole number in"):
        whole_number(word, "x", high=7)


def test_valence_and_arousal() -> None:
    tens = LabelScale(limit=10, integer=True)
    assert affect("0.5", -1) == (0.5, -1)
    assert affect(7, "-3", tens) == (0.7, -0.3)
    assert all(math.isnan(value) for value in affect("-5", "0.5", none=(-5.0,)))
    assert all(math.isnan(value) for value in affect("0.5", "-5.000", none=(-5.0,)))
    for bad in ("nan", "inf", "1.0001", "-2", "1e999"):
        with pytest.raises(ValueError, match="is not in"):
            affect("0", bad, none=(-5.0,))


def test_points() -> None:
    expected = np.arange(136, dtype=np.float32).reshape(68, 2)
    for form in (list(range(136)), [str(k) for k in range(136)], expected.tolist()):
        np.testing.assert_array_equal(points_68(form), expected)
    for bad in ([0] * 135, [*[0] * 135, True], [*[0] * 135, None], [*[0] * 135, 10**400], [*[0] * 135, "nan"]):
        with pytest.raises(ValueError, match="landmark"):
            points_68(bad)


def test_json_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = text(tmp_path / "a.json", b'\xef\xbb\xbf{"a": [1]}')
    assert read_json(path) == {"a": [1]}
    monkeypatch.setattr(annotation_files, "MAX_JSON_BYTES", 5)
    with pytest.raises(InputError, match="larger than 5 bytes"):
        read_json(path)
    with pytest.raises(InputError, match="no such file"):
        read_json(tmp_path / "b.json")
    with pytest.raises(InputError, match="a folder, not a JSON file"):
        read_json(tmp_path)


@pytest.mark.parametrize("value", ["0.25", b"7", 0.5, np.float32(1), np.arange(6.0).reshape(2, 3), [], ["a", "bc"]])
def test_arrays_that_numpy_writes(tmp_path: Path, value: object) -> None:
    array = np.asarray(value)
    np.save(tmp_path / "a.npy", array)
    read = read_array(tmp_path / "a.npy")
    assert (read.dtype, read.shape) == (array.dtype, array.shape)
    np.testing.assert_array_equal(read, array)


def test_what_cannot_be_read_on_is_told() -> None:
    def items() -> object:
        yield FaceRecord("a", Path("a.png"))
        raise InputError("list.csv", "is torn")

    first, last = until_unreadable(items(), "list")  # type: ignore[arg-type]
    assert isinstance(first, FaceRecord)
    assert last == Rejected("list", Path("list.csv"), "is torn; what follows is not read")
