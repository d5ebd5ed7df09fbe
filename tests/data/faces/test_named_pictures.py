"""Databases whose file names tell it all: Face Place, FEI, the sets of PICS, and a pattern of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth_affect.affect import Emotion
from synth_affect.data.faces.named_pictures import PRESETS, open_named_pictures
from synth_affect.data.faces.registry import open_face_database
from synth_affect.errors import InputError
from tests.data.faces.miniature import divided, pictures


def test_face_place_from_the_front(tmp_path: Path) -> None:
    pictures(tmp_path / "Caucasian", "CF0001_1101_00F.jpg CF0001_1102_00F.jpg CF0001_1101_30L.jpg notes_of_mine.jpg")
    database = open_named_pictures(tmp_path, "face-place")
    records, rejected = divided(database)
    assert [(record.key, record.subject, record.neutral) for record in records] == [
        ("Caucasian/CF0001_1101_00F", "cf0001", None), ("Caucasian/CF0001_1102_00F", "cf0001", None)
    ]  # fmt: skip
    assert [item.path.name for item in rejected] == ["notes_of_mine.jpg"]
    assert "which codes are of a neutral face is not public" in database.notes[0]
    records, _ = divided(open_face_database("face-place", tmp_path, {"neutral": "1101, 2101"}))
    assert [record.neutral for record in records] == [True, False]


def test_fei(tmp_path: Path) -> None:
    pictures(tmp_path, "1a.jpg 1b.jpg 200a.jpg")
    records, rejected = divided(open_named_pictures(tmp_path, "fei"))
    assert not rejected
    assert [(record.subject, record.neutral, record.category) for record in records] == [
        ("1", True, Emotion.NEUTRAL), ("1", False, Emotion.HAPPINESS), ("200", True, Emotion.NEUTRAL)
    ]  # fmt: skip


def test_fei_originals_do_not_know_the_neutral_one(tmp_path: Path) -> None:
    pictures(tmp_path, "1-11.jpg 1-12.jpg 20-01.jpg")
    assert {record.neutral for record in divided(open_named_pictures(tmp_path, "fei-originals"))[0]} == {None}
    records, _ = divided(open_named_pictures(tmp_path, "fei-originals", neutral=("11",)))
    assert [(record.subject, record.neutral) for record in records] == [("1", True), ("1", False), ("20", False)]


def test_pain(tmp_path: Path) -> None:
    pictures(tmp_path, "f1n1.jpg f1sa2.jpg m12S.jpg m12xx.jpg")
    records, rejected = divided(open_named_pictures(tmp_path, "pain"))
    assert [(record.subject, record.category, record.neutral) for record in records] == [
        ("f1", Emotion.NEUTRAL, True), ("f1", Emotion.SADNESS, False), ("m12", Emotion.SURPRISE, False)
    ]  # fmt: skip
    assert len(rejected) == 1


@pytest.mark.parametrize("preset", ["iranian-women", "nottingham", "names"])
def test_names_that_are_not_public(tmp_path: Path, preset: str) -> None:
    pictures(tmp_path, "w12_smile.bmp w13_rest.bmp")
    assert not open_named_pictures(tmp_path, preset).has_subjects
    settings = {"pattern": r"(?P<subject>w\d+)_(?P<code>\w+)", "neutral": "rest", "categories": "smile=happiness"}
    database = open_face_database(preset, tmp_path, settings)
    assert database.has_subjects
    assert [(record.subject, record.neutral, record.category) for record in divided(database)[0]] == [
        ("w12", False, Emotion.HAPPINESS), ("w13", True, None)
    ]  # fmt: skip


def test_faults(tmp_path: Path) -> None:
    pictures(tmp_path, "a.png")
    with pytest.raises(InputError, match=r"'\(' is no regular expression"):
        open_named_pictures(tmp_path, "names", pattern="(")
    with pytest.raises(InputError, match="has no group `code`"):
        open_named_pictures(tmp_path, "names", neutral=("n",))
    with pytest.raises(InputError, match="categories: 'glee' is none of"):
        open_face_database("names", tmp_path, {"categories": "h=glee"})
    with pytest.raises(
        InputError, match="no picture with a name of FEI, frontal pictures in it; the FEI face database is"
    ):
        [item for item in open_named_pictures(tmp_path, "fei").records() if hasattr(item, "split")]
    with pytest.raises(InputError, match="no such folder; Face Place"):
        open_named_pictures(tmp_path / "nowhere", "face-place")


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_in_the_registry(tmp_path: Path, preset: str) -> None:
    assert open_face_database(preset, tmp_path).title == PRESETS[preset].title
