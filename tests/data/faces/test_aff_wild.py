"""Aff-Wild in its own format: videos, a label a line, boxes and points from frame 1."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synth_affect.data.faces.aff_wild import open_aff_wild
from synth_affect.errors import InputError
from tests.data.faces.miniature import aff_wild_labels, affects, divided, pictures, points, pts, text, video

CORNERS = [(11.0, 21.0), (11.0, 61.0), (51.0, 61.0), (51.0, 21.0)]
"""First is the top left, second the bottom left, third the bottom right."""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two videos of 4 and 3 frames."""
    folder = tmp_path / "aff_wild"
    video(folder / "videos" / "train" / "105.mp4", 4)
    video(folder / "videos" / "train" / "9.avi", 3)
    aff_wild_labels(folder, "105", "0.1\n0.2\n0\n-1", "-0.1\n-0.2\n0\n1\n")
    aff_wild_labels(folder, "9", "0\n0\n0\n", "0\n0\n0\n")
    for frame in (1, 2, 4):
        pts(folder / "bboxes" / "train" / "105" / f"{frame}.pts", CORNERS)
        pts(folder / "landmarks" / "train" / "105" / f"{frame}.pts", points(frame) + 0.5)
    return folder


@pytest.mark.parametrize("given", ["aff_wild", "", "aff_wild/annotations"])
def test_lines_belong_to_frames(root: Path, given: str) -> None:
    database = open_aff_wild(root.parent / given)
    records, rejected = divided(database)
    assert not rejected
    assert (database.subjects, database.has_subjects) == ("videos", True)
    assert [record.key for record in records] == [
        *(f"train/9/{n:05d}" for n in (1, 2, 3)), *(f"train/105/{n:05d}" for n in (1, 2, 3, 4))
    ]  # fmt: skip
    assert affects(records[3:]) == [(0.1, -0.1), (0.2, -0.2), (0, 0), (-1, 1)]
    assert [record.frame for record in records[3:]] == [0, 1, 2, 3]
    assert {record.path.name for record in records} == {"105.mp4", "9.avi"}
    assert {record.split for record in records} == {"train"}
    assert {(record.subject, record.sequence) for record in records} == {("9", "9"), ("105", "105")}
    assert [record.box for record in records[3:]] == [(10.5, 20.5, 50.5, 60.5)] * 2 + [None, (10.5, 20.5, 50.5, 60.5)]
    assert records[6].landmarks is not None
    np.testing.assert_allclose(records[6].landmarks, points(4), atol=1e-5)


def test_lines_may_belong_to_boxes(root: Path) -> None:
    aff_wild_labels(root, "105", "0.1\n0.2\n-1", "-0.1\n-0.2\n1")
    records, rejected = divided(open_aff_wild(root, pairing="boxes"))
    assert [record.key for record in records] == [f"train/105/{n:05d}" for n in (1, 2, 4)]
    assert affects(records) == [(0.1, -0.1), (0.2, -0.2), (-1, 1)]
    assert [(item.key, item.count) for item in rejected] == [("train/9", 3)]  # has lines, and no box


def test_the_doubled_folder_of_points(root: Path) -> None:
    (root / "bboxes" / "train").rename(root / "bboxes" / "again")
    (root / "bboxes" / "train").mkdir()
    (root / "bboxes" / "again").rename(root / "bboxes" / "train" / "train")
    assert [record.box is None for record in divided(open_aff_wild(root))[0]] == [True] * 3 + [False] * 2 + [
        True,
        False,
    ]


def test_pictures_stand_for_a_video(root: Path) -> None:
    (root / "videos" / "train" / "105.mp4").unlink()
    pictures(root / "frames" / "train" / "105", "00001.jpg 2.jpg 00004.jpg")
    records, rejected = divided(open_aff_wild(root))
    assert not rejected
    assert [(record.path.name, record.frame) for record in records[3:]] == [
        ("00001.jpg", None), ("2.jpg", None), ("00004.jpg", None)
    ]  # fmt: skip
    assert affects(records[3:]) == [(0.1, -0.1), (0.2, -0.2), (-1, 1)]


def test_points_are_read_of_what_is_wanted_only(root: Path) -> None:
    text(root / "landmarks" / "train" / "105" / "1.pts", "broken")
    items = list(open_aff_wild(root).records(lambda valence, arousal: valence == arousal == 0))
    assert [item.key for item in items] == [*(f"train/9/{n:05d}" for n in (1, 2, 3)), "train/105/00003"]
    records, rejected = divided(open_aff_wild(root))
    assert len(records) == 6
    assert [(item.key, item.path.name) for item in rejected] == [("train/105/00001", "1.pts")]


@pytest.mark.parametrize(
    ("valence", "arousal", "accepted", "reasons"),
    [
        ("\ufeff0.1\r\n0.2\r\n0\r\n-1", "0\r0\r0\r0", 4, []),
        ("0\n0\n0\n0\n0\n", "0\n0\n0\n0\n0\n", 4, []),  # one line more is habit
        ("0\n" * 9, "0\n" * 9, 4, ["labels behind the last frame"]),
        ("0\n", "0\n", 1, ["frames without a label"]),
        ("0\n0\n0\n0\n", "0\n0\n0\n", 3, ["has no line 4, as the other of valence and arousal has"]),
        ("0\nx\n0\n0\n", "0\n0\n0\n0\n", 3, ["line 2: valence 'x' is not a number"]),
        ("0\n0\n0\nnan\n", "0\n0\n0\n0\n", 3, ["line 4: valence nan is not in [-1, 1]"]),
        ("0\n0\n0\n0\n", "0\n0\n-5\n1e999\n", 2, ["line 3: arousal -5 is not", "line 4: arousal 1e999 is not"]),
        ("0\n0\n0\n" + "1" * 100_000, "0\n0\n0\n0\n", 3, ["line 4 is longer than 65536 characters"]),
        ("0 0\n0\n0\n0", "0\n0\n0\n0", 3, ["line 1: valence '0 0' is not a number"]),
    ],
)  # fmt: skip
def test_label_files(root: Path, valence: str, arousal: str, accepted: int, reasons: list[str]) -> None:
    aff_wild_labels(root, "105", valence, arousal)
    records, rejected = divided(open_aff_wild(root))
    assert len(records) == 3 + accepted
    assert len(rejected) == len(reasons)
    for item, reason in zip(rejected, reasons, strict=True):
        assert reason in item.reason


@pytest.mark.parametrize("content", [b"", b"#EXTM3U\nhttp://127.0.0.1/x", b"ffconcat version 1.0\nfile /etc/passwd",
                                     b"\0\0\0\x18ftypmp42" + b"\0" * 100])  # fmt: skip
def test_files_that_are_no_video(root: Path, content: bytes) -> None:
    text(root / "videos" / "train" / "105.mp4", content)
    records, rejected = divided(open_aff_wild(root))
    assert len(records) == 3
    assert [(item.key, item.path.name) for item in rejected] == [("train/105", "105.mp4")]


def test_unpaired_files(root: Path) -> None:
    video(root / "videos" / "train" / "7.mp4", 2)
    (root / "annotations" / "train" / "arousal" / "9.txt").unlink()
    text(root / "annotations" / "train" / "valence" / "8.txt", "0\n")
    text(root / "annotations" / "train" / "arousal" / "8.txt", "0\n")
    records, rejected = divided(open_aff_wild(root))
    assert len(records) == 4
    assert [(item.key, item.reason) for item in rejected] == [
        ("train/8", "no such video"), ("train/9", "no such file"), ("train/7", "has no annotation")
    ]  # fmt: skip


def test_what_is_missing_is_told(root: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        InputError, match=r"no folder `annotations` of Aff-Wild .*; Aff-Wild is given for academic work"
    ):
        open_aff_wild(tmp_path / "empty")
    (root / "bboxes").rename(root / "boxes")
    assert "there are no boxes" in open_aff_wild(root).notes[1]
    with pytest.raises(InputError, match="has no bboxes/train"):
        open_aff_wild(root, pairing="boxes")
    (root / "videos").rename(root / "movies")
    with pytest.raises(InputError, match="has neither videos/train nor frames/train"):
        open_aff_wild(root)
