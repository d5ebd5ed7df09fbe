"""AffectNet's two releases: lists as CSV, and crops with arrays."""

from __future__ import annotations

import io
import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synth_affect.affect import Emotion
from synth_affect.data.faces.affectnet_crops import open_affectnet_crops
from synth_affect.data.faces.affectnet_lists import COLUMNS, open_affectnet_lists
from synth_affect.data.faces.registry import open_face_database
from synth_affect.errors import InputError
from tests.data.faces.miniature import affects, divided, picture, points, text

HEADER = ",".join(COLUMNS) + "\n"
LANDMARKS = ";".join(str(value) for value in points(3).ravel())
ROWS = f"1/ab.jpg,2,3,4,5,{LANDMARKS},1,0.5,-0.25\n2/cd.PNG,0,0,9,9,{LANDMARKS},9,-2,-2\n"


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    root = tmp_path / "AffectNet"
    images = root / "Manually_Annotated" / "Manually_Annotated_Images"
    for name in ("1/ab.jpg", "2/cd.PNG", "3/ef.jpg"):
        picture(images / name)
    text(root / "Manually_Annotated_file_lists" / "training.csv", HEADER + ROWS)
    text(root / "Manually_Annotated_file_lists" / "validation.csv", f"3/ef.jpg,2,3,4,5,{LANDMARKS},0,0,0")
    return root


def test_lists_with_and_without_names(lists: Path) -> None:
    database = open_affectnet_lists(lists.parent)
    (first, second, third), rejected = divided(database)
    assert not rejected
    assert not database.has_subjects
    assert [record.key for record in (first, second, third)] == ["1/ab", "2/cd", "3/ef"]
    assert affects([first, third]) == [(0.5, -0.25), (0, 0)]
    assert math.isnan(second.valence)
    assert [record.category for record in (first, second, third)] == [Emotion.HAPPINESS, None, Emotion.NEUTRAL]
    assert [record.split for record in (first, second, third)] == ["train", "train", "validation"]
    assert first.box == (2, 3, 6, 8)
    assert first.landmarks is not None
    np.testing.assert_array_equal(first.landmarks, points(3))


BAD = {
    "1/ab.jpg,2,3,4,5,,1,1e999,0": "valence 1e999 is not in [-1, 1]",
    "1/ab.jpg,2,3,4,5,,11,0,0": "expression '11' is not a whole number in [0, 10]",
    "1/ab.jpg,2,3,4,5,,1": "needs 9 cells, has 7",
    "1/ab.jpg,2,3,4,5,1;2,1,0,0": "has 2 coordinates of landmarks",
    "1/ab.jpg,x,3,4,5,,1,0,0": "face_x 'x' is not a number",
    "1/ab.jpg,2,3,inf,5,,1,0,0": "is no box",
    "1/no.jpg,2,3,4,5,,1,0,0": "no such picture",
    "../../ab.jpg,2,3,4,5,,1,0,0": "is no <folder>/<picture>",
    "../ab.jpg,2,3,4,5,,1,0,0": "is no <folder>/<picture>",
    "/ab.jpg,2,3,4,5,,1,0,0": "is no <folder>/<picture>",
    "3/ef.jpg,2,3,4,5,,1,0,0\n3/ef.jpg,2,3,4,5,,1,0,0": "has a picture a second time",
    "x" * 100_000: "line 2 is longer than 65536 characters; what follows is not read",
}  # fmt: skip


@pytest.mark.parametrize("row", BAD)
def test_bad_rows_are_turned_down_alone(lists: Path, row: str) -> None:
    text(lists / "Manually_Annotated_file_lists" / "training.csv", f"{HEADER}{row}\n2/cd.PNG,0,0,9,9,,0,0,0\n")
    (lists / "Manually_Annotated_file_lists" / "validation.csv").unlink()
    database = open_affectnet_lists(lists)
    assert "there is no validation.csv" in database.notes
    records, rejected = divided(database)
    assert len(rejected) == 1
    assert BAD[row] in rejected[0].reason
    assert records or "what follows" in BAD[row]


def test_a_missing_column(lists: Path) -> None:
    text(lists / "Manually_Annotated_file_lists" / "training.csv", HEADER.replace("valence", "v") + ROWS)
    records, rejected = divided(open_affectnet_lists(lists))
    assert (len(records), [item.reason for item in rejected]) == (
        1,
        ["has no column valence; what follows is not read"],
    )


def test_a_list_without_boxes(lists: Path) -> None:
    text(
        lists / "Manually_Annotated_file_lists" / "training.csv",
        "subDirectory_filePath,face_x,expression,valence,arousal\n1/ab.jpg,7,0,0,0\n",
    )
    (first, _), rejected = divided(open_affectnet_lists(lists))
    assert (first.key, first.box, rejected) == ("1/ab", None, [])


def test_automatic_lists(tmp_path: Path) -> None:
    picture(tmp_path / "Automatically_Annotated" / "Automatically_Annotated_Images" / "1" / "a.jpg")
    text(
        tmp_path / "Automatically_Annotated_file_lists" / "automatically_annotated.csv", "1/a.jpg,0,0,0,0,NULL,0,0,0\n"
    )
    ((record,), _) = divided(open_face_database("affectnet", tmp_path, {"lists": "automatic"}))
    assert (record.box, record.landmarks, record.split) == (None, None, "train")
    with pytest.raises(InputError, match="no folder Manually_Annotated_file_lists, nor train_set"):
        open_face_database("affectnet", tmp_path)


def array(path: Path, value: Any) -> Path:
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(value))
    return text(path, buffer.getvalue())


def crop(folder: Path, number: int, labels: tuple[Any, Any, Any], landmarks: Any = None) -> None:
    picture(folder / "images" / f"{number}.jpg", number)
    for kind, value in zip(("exp", "val", "aro"), labels, strict=True):
        array(folder / "annotations" / f"{number}_{kind}.npy", value)
    if landmarks is not None:
        array(folder / "annotations" / f"{number}_lnd.npy", landmarks)


@pytest.fixture
def crops(tmp_path: Path) -> Path:
    root = tmp_path / "AffectNet"
    crop(root / "train_set", 10, ("1", "0.5", "-0.25"), points(2).astype(np.float64).ravel())
    crop(root / "train_set", 9, (0, np.float32(0.25), -1.0))
    crop(root / "val_set", 0, (b"7", "-2", "-2"), [str(value) for value in points(2).ravel()])
    return root


def test_crops(crops: Path) -> None:
    database = open_face_database("affectnet", crops.parent)
    records, rejected = divided(database)
    assert not rejected
    assert [record.key for record in records] == ["train/9", "train/10", "validation/0"]
    assert affects(records[:2]) == [(0.25, -1), (0.5, -0.25)]
    assert not records[2].has_affect
    assert [record.category for record in records] == [Emotion.NEUTRAL, Emotion.HAPPINESS, Emotion.CONTEMPT]
    assert records[0].landmarks is None
    for record in records[1:]:
        assert record.landmarks is not None
        np.testing.assert_array_equal(record.landmarks, points(2))


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return (exec, ("raise SystemExit('a pickle was run')",))


def npy(header: str, content: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + content


HOSTILE = {
    b"": "is no array",
    b"\x93NUMPY": "is no array",
    npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,)}"): "its size is not the announced one",
    npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}"): "its type is not plain",
    npy("{'descr': '|O', 'fortran_order': False, 'shape': ()}", pickle.dumps(Bomb())): "its type is not plain",
    npy("__import__('os').abort()"): "is no array",
    npy("{'descr': '<f8', 'fortran_order': False, 'shape': ('a',)}"): "is no array",
    npy("7"): "is no array",
    npy("(" * 5000): "is no array",
    npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}", bytes(16)): "has 2 entries, needs 1",
    npy("{'descr': '<f8', 'fortran_order': False, 'shape': ()}", b"\0\0\0\0\0\0\xf8\x7f"): "valence nan is not in",
    b"\x93NUMPY" + b"x" * 100_000: "is larger than",
}


@pytest.mark.parametrize("content", HOSTILE)
def test_hostile_arrays(crops: Path, content: bytes) -> None:
    text(crops / "train_set" / "annotations" / "10_val.npy", content)
    records, rejected = divided(open_affectnet_crops(crops))
    assert [record.key for record in records] == ["train/9", "validation/0"]
    assert [item.key for item in rejected] == ["train/10"]
    assert HOSTILE[content] in rejected[0].reason


def test_crops_that_do_not_pair(crops: Path) -> None:
    (crops / "train_set" / "images" / "9.jpg").unlink()
    (crops / "train_set" / "annotations" / "10_aro.npy").unlink()
    picture(crops / "train_set" / "images" / "77.jpg")
    records, rejected = divided(open_affectnet_crops(crops))
    assert [record.key for record in records] == ["validation/0"]
    assert [(item.key, item.count) for item in rejected] == [("train/9", 1), ("train/10", 1), ("train", 1)]
    assert "10_aro.npy cannot be read" in rejected[1].reason
