"""Aff-Wild2 in its older and newer tree."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from synth_affect.affect import Emotion
from synth_affect.data.faces.aff_wild2 import open_aff_wild2
from synth_affect.data.faces.record import FaceRecord
from synth_affect.errors import InputError
from tests.data.faces.miniature import affects, divided, pictures, text

OLDER = "Aff-Wild2_ready/VA_Set/annotations"
NEWER = "6th ABAW Annotations/VA_Estimation_Challenge"
LABELS = "valence,arousal\n0.5,-0.25\n-5,-5\n0,0\n0.1,-5\n"


def crops(root: Path, video: str = "130-25-1280x720", frames: str = "00001.jpg 00002.jpg 00004.jpg") -> Path:
    return pictures(root / "cropped_aligned" / video, frames)


@pytest.mark.parametrize("tree", [OLDER, NEWER])
def test_lines_belong_to_pictures(tmp_path: Path, tree: str) -> None:
    crops(tmp_path)
    text(tmp_path / tree / "Train_Set" / "130-25-1280x720.txt", LABELS)
    crops(tmp_path, "105_left", "00001.jpg")
    text(tmp_path / tree / "Validation_Set" / "105_left.txt", LABELS.replace("\n", "\r\n"))
    database = open_aff_wild2(tmp_path)
    records, rejected = divided(database)
    assert not rejected
    assert database.subjects == "videos"
    assert [record.key for record in records] == [
        *(f"train/130-25-1280x720/{n:05d}" for n in (1, 2, 4)), "validation/105_left/00001"
    ]  # fmt: skip
    assert affects(records[::3]) == [(0.5, -0.25)] * 2
    assert [record.has_affect for record in records] == [True, False, False, True]
    assert all(math.isnan(record.arousal) for record in records[1:3])
    assert [record.path.name for record in records] == ["00001.jpg", "00002.jpg", "00004.jpg", "00001.jpg"]
    assert [record.split for record in records] == ["train"] * 3 + ["validation"]
    assert {record.subject for record in records} == {"130-25-1280x720", "105_left"}


def test_expressions(tmp_path: Path) -> None:
    crops(tmp_path, "9", "00001.jpg 00002.jpg 00003.jpg 00004.jpg")
    folder = tmp_path / "5th ABAW Annotations" / "EXPR_Classification_Challenge" / "Train_Set"
    text(folder / "9.txt", "Neutral,Anger\n0\n4\n-1\n7\n")
    records, rejected = divided(open_aff_wild2(tmp_path, task="expr"))
    assert not rejected
    assert [record.category for record in records] == [Emotion.NEUTRAL, Emotion.HAPPINESS, None, None]


def test_crops_in_two_packs_and_no_header(tmp_path: Path) -> None:
    crops(tmp_path / "cropped_aligned", "1", "00001.jpg")  # the folder doubled
    pictures(tmp_path / "cropped_aligned_new_50_vids" / "2", "00001.jpg")
    for name in "12":
        text(tmp_path / NEWER / "Train_Set" / f"{name}.txt", "1,-1")
    records, rejected = divided(open_aff_wild2(tmp_path))
    assert not rejected
    assert [record.key for record in records] == ["train/1/00001", "train/2/00001"]


def test_what_does_not_pair(tmp_path: Path) -> None:
    crops(tmp_path, "1", "00001.jpg 00002.jpg 00009.jpg")
    text(tmp_path / NEWER / "Train_Set" / "1.txt", "valence,arousal\n1.5,0\n0,0,0\n")
    text(tmp_path / NEWER / "Train_Set" / "2.txt", LABELS)
    text(tmp_path / NEWER / "Train_Set" / "3.txt", "1" * 100_000)
    crops(tmp_path, "3", "00001.jpg")
    records, rejected = divided(open_aff_wild2(tmp_path))
    assert not records
    assert [(item.key, item.reason, item.count) for item in rejected] == [
        ("train/1/00001", "line 2: valence 1.5 is not in [-1, 1]", 1),
        ("train/1/00002", "line 3: needs valence and arousal, has 3 cells", 1),
        ("train/1", "pictures without a label", 1),
        ("train/2", "has no folder cropped_aligned/2 of pictures", 1),
        ("train/3", "line 1 is longer than 65536 characters", 1),
    ]


def test_what_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no VA_Set or VA_Estimation_Challenge with a Train_Set .*is given"):
        open_aff_wild2(tmp_path)
    for tree in (OLDER, NEWER):
        text(tmp_path / tree / "Train_Set" / "1.txt", LABELS)
        if tree == OLDER:
            with pytest.raises(InputError, match="has no folder cropped_aligned"):
                open_aff_wild2(tmp_path)
    crops(tmp_path, "1")
    with pytest.raises(InputError, match="has several annotations"):
        open_aff_wild2(tmp_path)
    chosen = list(open_aff_wild2(tmp_path, annotations=NEWER).records())
    assert len([item for item in chosen if isinstance(item, FaceRecord)]) == 3
