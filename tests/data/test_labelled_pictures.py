"""Tables of labelled pictures: as people write them, and every fault with its line."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from synth_affect.affect import Emotion
from synth_affect.data.labelled_pictures import LabelledPicture, read_picture_table
from synth_affect.errors import InputError

NAMED = "path,valence,arousal,subject,category\na/1.jpg,0.5,-0.25,anna,Happiness\n2.png,0,1,,\n"
PLAIN = "a/1.jpg,0.5,-0.25,anna,Happiness\n2.png,0,1\n"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "pictures.csv"


@pytest.mark.parametrize(
    "text",
    [
        NAMED,
        PLAIN,
        NAMED.replace("\n", "\r\n"),
        "\ufeff" + NAMED,
        "\ufeff" + PLAIN,
        NAMED.removesuffix("\n"),
        NAMED + "\n , \n",
        NAMED.replace(",", " , "),
        "Category,frame,Arousal,path,subject,Valence\nhappiness,7,-.25,a/1.jpg,anna,.5\n,8,1e0,2.png,,0\n",
        '"a/1.jpg","0.5","-0.25","anna","happiness"\n"2.png","0","1"\n',
    ],
)
def test_tables_as_people_write_them(table: Path, text: str) -> None:
    table.write_bytes(text.encode())
    folder = table.parent
    assert read_picture_table(table) == (
        LabelledPicture("a/1.jpg", folder / "a/1.jpg", 0.5, -0.25, "anna", Emotion.HAPPINESS),
        LabelledPicture("2.png", folder / "2.png", 0.0, 1.0),
    )


def test_paths_start_from_the_root(table: Path, tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    table.write_text(f"1.jpg,0,0\n{tmp_path}/2.jpg,0,0\n")
    first, second = read_picture_table(table, tmp_path / "pictures")
    assert (first.path, second.path) == (tmp_path / "pictures/1.jpg", tmp_path / "2.jpg")


@pytest.mark.parametrize("label", ["-2", "-5", "1.01", "nan", ""])
def test_what_is_no_label_is_nan(table: Path, label: str) -> None:
    table.write_text(f"path,valence,arousal\n1.jpg,{label},0.5\n")
    (picture,) = read_picture_table(table)
    assert math.isnan(picture.valence)
    assert picture.arousal == 0.5


FAULTS = {
    "": "holds no picture",
    "path,valence,arousal\n": "holds no picture",
    "path,valence\n1.jpg,0\n": "has no column arousal",
    "a,b,c\n1.jpg,0,0\n": "begins neither with a picture nor with the columns path, valence, arousal",
    "1.jpg,0\n": "begins neither with a picture nor with the columns path, valence, arousal",
    "1.jpg,0,0\n\n2.jpg,0\n": "line 3 needs path, valence, arousal, has 2 cells",
    "1.jpg,0,0\n2.jpg,x,0\n": "line 2: valence 'x' is not a number",
    "1.jpg,0,0\n,0,0\n": "line 2 names no picture",
    "1.jpg,0,0\n1.jpg,1,0\n": "line 2 has 1.jpg a second time",
}


@pytest.mark.parametrize("text", FAULTS)
def test_faults(table: Path, text: str) -> None:
    table.write_text(text)
    with pytest.raises(InputError) as caught:
        read_picture_table(table)
    assert (caught.value.path, caught.value.reason) == (str(table), FAULTS[text])


def test_an_unknown_category(table: Path) -> None:
    table.write_text("1.jpg,0,0,anna,glee\n")
    with pytest.raises(InputError, match=r"line 1: --category 'glee' is none of neutral, happiness"):
        read_picture_table(table)


def test_an_absent_table_or_root(table: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such table of pictures"):
        read_picture_table(table)
    table.write_text(PLAIN)
    with pytest.raises(InputError, match="no such folder"):
        read_picture_table(table, tmp_path / "nowhere")
