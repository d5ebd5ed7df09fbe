"""Tables of pictures: as people write them, and as nobody should."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from synth_affect.affect import Emotion
from synth_affect.data.faces.picture_table import open_picture_table
from synth_affect.errors import InputError
from tests.data.faces.miniature import divided, points, text

NAMED = "path,valence,arousal,subject,category\na/1.jpg,0.5,-0.25,anna,Happiness\n2.png,0,1,,\n"
PLAIN = "a/1.jpg,0.5,-0.25,anna,Happiness\n2.png,0,1\n"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "pictures.csv"


@pytest.mark.parametrize(
    "content",
    [
        NAMED,
        PLAIN,
        NAMED.replace("\n", "\r\n"),
        NAMED.replace("\n", "\r"),
        "\ufeff" + NAMED,
        "\ufeff" + PLAIN,
        NAMED.removesuffix("\n"),
        NAMED + "\n , \n",
        NAMED.replace(",", " , "),
        "Category,other,Arousal,path,subject,Valence\nhappiness,7,-.25,a/1.jpg,anna,.5\n,8,1e0,2.png,,0\n",
        '"a/1.jpg","0.5","-0.25","anna","happiness"\n"2.png","0","1"\n',
    ],
)
def test_tables_as_people_write_them(table: Path, content: str) -> None:
    records, rejected = divided(open_picture_table(text(table, content)))
    assert not rejected
    assert [record.key for record in records] == ["a/1", "2"]
    assert [record.path for record in records] == [table.parent / "a/1.jpg", table.parent / "2.png"]
    assert [(record.valence, record.arousal) for record in records] == [(0.5, -0.25), (0, 1)]
    assert [(record.subject, record.category) for record in records] == [("anna", Emotion.HAPPINESS), (None, None)]


def test_all_columns(table: Path) -> None:
    landmarks = ";".join(str(value) for value in points().ravel())
    text(
        table,
        "path,frame,sequence,neutral,split,landmarks\n"
        f"a.mp4,7,one,yes,train,{landmarks}\na.mp4,8,one,no,test,\nb.png,,,,,\n",
    )
    database = open_picture_table(table)
    (first, second, third), rejected = divided(database)
    assert not rejected
    assert not database.has_subjects
    assert (first.key, first.frame, first.sequence, first.neutral, first.split) == ("a/00007", 7, "one", True, "train")
    assert (second.key, second.neutral, second.split, second.landmarks) == ("a/00008", False, "test", None)
    assert (third.key, third.frame, third.neutral, third.split) == ("b", None, None, None)
    assert first.landmarks is not None
    np.testing.assert_array_equal(first.landmarks, points())
    assert math.isnan(first.valence)


@pytest.mark.parametrize("label", ["-2", "-5", "nan", ""])
def test_what_is_no_label_is_nan(table: Path, label: str) -> None:
    ((record,), _) = divided(open_picture_table(text(table, f"path,valence,arousal\n1.jpg,{label},0.5\n")))
    assert math.isnan(record.valence)
    assert math.isnan(record.arousal)


OUTSIDE = ("/etc/1.jpg", "../1.jpg", "a/../../1.jpg", "C:/1.jpg", "..\\1.jpg", "C:\\pictures\\1.jpg")


@pytest.mark.parametrize("name", OUTSIDE)
def test_paths_stay_in_the_folder(table: Path, name: str) -> None:
    records, rejected = divided(open_picture_table(text(table, f"path\n{name}\nb.jpg\n")))
    assert [record.key for record in records] == ["b"]
    assert "lies outside" in rejected[0].reason


def test_paths_within_the_folder(table: Path, tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    text(table, f"path\na/../1.jpg\n./2.jpg\n{tmp_path}/pictures/3.jpg\n")
    records, rejected = divided(open_picture_table(table, pictures=str(tmp_path / "pictures")))
    assert not rejected
    assert [record.key for record in records] == ["1", "2", "3"]
    assert {record.path.parent for record in records} == {tmp_path / "pictures"}


def test_paths_may_leave_the_folder_on_request(table: Path, tmp_path: Path) -> None:
    text(table, f"path\n{tmp_path}/a/1.jpg\n../1.jpg\n")
    records, rejected = divided(open_picture_table(table, outside=True))
    assert not rejected
    assert [record.path for record in records] == [tmp_path / "a" / "1.jpg", tmp_path.parent / "1.jpg"]
    assert [record.key.split("/")[0] for record in records] == ["a", "outside"]


ROWS = {
    "2.jpg,x,0": "line 3: label 'x' is not a number",
    "2.jpg,1.01,0": "line 3: valence 1.01 is not in [-1, 1]",
    "2.jpg,1e999,0": "line 3: valence inf is not in [-1, 1]",
    "2.jpg,0_1,0": "line 3: label '0_1' is not a number",
    ",0,0": "line 3: names no picture",
    ".,0,0": "line 3: names no picture",
    "a/..,0,0": "line 3: names no picture",
    "1.jpg,1,0": "line 3 has a picture a second time",
    "1.png,1,0": "line 3 has a picture a second time, or one of the same name",
    "2.jpg,0,0,anna,glee": "line 3: category 'glee' is none of neutral, happiness",
    "2.jpg,0,0,,,maybe": "line 3: neutral 'maybe' is neither yes nor no",
    "2.jpg,0,0,,,,dev": "line 3: split 'dev' is none of train, validation, test",
    "2.jpg,0,0,,,,,1;2": "line 3: has 2 coordinates of landmarks, needs 136",
    "2.jpg,0,0,,,,,," + "9" * 30: "line 3: frame '999999999999999999999999999999' is not a whole number",
    "2.jpg,0,0,,,,,,-1": "line 3: frame '-1' is not a whole number",
    "x" * 300 + ".jpg,0,0": "is no name for an output",
}


@pytest.mark.parametrize("row", ROWS)
def test_a_bad_row_is_turned_down_alone(table: Path, row: str) -> None:
    text(table, f"path,valence,arousal,subject,category,neutral,split,landmarks,frame\n1.jpg,0,0\n{row}\n3.jpg,0,0\n")
    records, rejected = divided(open_picture_table(table))
    assert [record.key for record in records] == ["1", "3"]
    assert len(rejected) == 1
    assert ROWS[row] in rejected[0].reason


def test_names_in_another_encoding(table: Path) -> None:
    content = "path,subject\n1.jpg,Müller\n2.jpg,anna\n".encode("cp1252")
    records, rejected = divided(open_picture_table(text(table, content)))
    assert [record.subject for record in records] == ["anna"]
    assert "is no name in UTF-8" in rejected[0].reason


@pytest.mark.parametrize("tail", [b"2.jpg," + b"1" * 100_000, b'"2.jpg' + b",\n" * 100_000, b"\xff\xfe\n"])
def test_what_cannot_be_read_ends_the_table(table: Path, tail: bytes) -> None:
    text(table, b"path,valence,arousal\n1.jpg,0,0\n" + tail)
    records, rejected = divided(open_picture_table(table))
    assert records[0].key == "1"
    assert len(records) + len(rejected) == 2


FAULTS = {
    "": "holds no picture",
    "valence,arousal\n0,0\n": "begins neither with a picture nor with the columns path, valence, arousal",
    "a,b,c\n1.jpg,0,0\n": "begins neither",
    "1.jpg,0\n": "begins neither",
    "path,Path\n": "has the column path twice",
    "\0\0": "is not text",
    "path\n".encode("utf-16"): "is UTF-16 text; save it as UTF-8",
}


@pytest.mark.parametrize("content", FAULTS)
def test_files_that_are_no_table(table: Path, content: str | bytes) -> None:
    with pytest.raises(InputError) as caught:
        open_picture_table(text(table, content))
    assert FAULTS[content] in caught.value.reason


def test_absent_files(table: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        open_picture_table(table)
    with pytest.raises(InputError, match="no such folder"):
        open_picture_table(text(table, PLAIN), pictures=str(table.parent / "nowhere"))
