"""Annotation files damaged in every way: a reader gives records and reasons, and never leaves its folder."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from synth_affect.data.faces.affectnet_lists import COLUMNS
from synth_affect.data.faces.record import FaceRecord, Rejected, check_key
from synth_affect.data.faces.registry import open_face_database
from synth_affect.errors import InputError
from tests.data.faces.miniature import afew_va_clip, aff_wild_labels, picture, pictures, points, pts, text, video
from tests.data.faces.test_affectnet import crop

N_DAMAGED = 40
"""Of each format."""


def _afew_va(root: Path) -> Path:
    return afew_va_clip(root / "001", [(1, -2), (0, 0)]) / "001.json"


def _aff_wild_labels(root: Path) -> Path:
    video(root / "videos" / "train" / "1.mp4", 3)
    aff_wild_labels(root, "1", "0.5\n0\n-1\n", "0\n0\n1\n")
    return root / "annotations" / "train" / "arousal" / "1.txt"


def _aff_wild_points(root: Path) -> Path:
    _aff_wild_labels(root)
    return pts(root / "landmarks" / "train" / "1" / "2.pts", points())


def _aff_wild2(root: Path) -> Path:
    pictures(root / "cropped_aligned" / "1", "00001.jpg 00002.jpg")
    return text(root / "VA_Estimation_Challenge" / "Train_Set" / "1.txt", "valence,arousal\n0.5,-0.25\n-5,-5\n")


def _affectnet_list(root: Path) -> Path:
    pictures(root / "Manually_Annotated" / "Manually_Annotated_Images", "1/a.jpg 2/b.jpg")
    landmarks = ";".join(str(value) for value in points().ravel())
    rows = "".join(f"{name},1,2,3,4,{landmarks},1,0.5,-0.5\n" for name in ("1/a.jpg", "2/b.jpg"))
    return text(root / "Manually_Annotated_file_lists" / "training.csv", ",".join(COLUMNS) + "\n" + rows)


def _affectnet_array(root: Path) -> Path:
    crop(root / "train_set", 1, ("1", "0.5", "-0.5"), points().ravel())
    return root / "train_set" / "annotations" / "1_lnd.npy"


def _ck_plus(root: Path) -> Path:
    picture(root / "cohn-kanade-images" / "S005" / "001" / "S005_001_00000001.png")
    return text(root / "Emotion" / "S005" / "001" / "S005_001_00000001_emotion.txt", "   3.0000000e+00\n")


def _celeba(root: Path) -> Path:
    pictures(root / "img_align_celeba", "1.jpg 2.jpg")
    return text(root / "list_eval_partition.txt", "1.jpg 0\n2.jpg 1\n")


def _raf_db(root: Path) -> Path:
    picture(root / "basic" / "Image" / "original" / "train_1.jpg")
    return text(root / "basic" / "EmoLabel" / "list_patition_label.txt", "train_1.jpg 5\n")


def _table(root: Path) -> Path:
    return text(root / "table.csv", "path,valence,arousal,subject,frame\na/1.jpg,0.5,-0.5,anna,\nb.mp4,0,0,ben,7\n")


FORMATS: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "afew-va": ("afew-va", _afew_va),
    "aff-wild": ("aff-wild", _aff_wild_labels),
    "aff-wild points": ("aff-wild", _aff_wild_points),
    "aff-wild2": ("aff-wild2", _aff_wild2),
    "affectnet list": ("affectnet", _affectnet_list),
    "affectnet array": ("affectnet", _affectnet_array),
    "ck-plus": ("ck-plus", _ck_plus),
    "celeba": ("celeba", _celeba),
    "raf-db": ("raf-db", _raf_db),
    "csv": ("csv", _table),
}
INSERTED = (
    *(b"../../../../etc/passwd", b"/etc/passwd", b"..\\..\\x", b"\0", b"\r\n", b"\r", b"\xef\xbb\xbf", b"\xff\xfe"),
    *(b"9" * 400, b"1e999", b"-1e-999", b"nan", b"inf", b"0x1p3", b"1_000", "１２".encode(), b"-", b"--5", b"+"),
    *(b'"', b",", b",,,,,,", b";", b"{", b"[" * 5000, b"]", b"\n\n\n", b" " * 5000, b"7" * 70_000, b"\xc3\x28"),
)


def damaged(content: bytes, random: np.random.Generator) -> bytes:
    """One to three faults: bytes changed, cut out, cut off, put in or said twice."""
    for _ in range(random.integers(1, 4)):
        at, end = sorted(random.integers(0, len(content) + 1, 2).tolist())
        match random.integers(6):
            case 0:
                content = content[:at]
            case 1:
                content = content[:at] + content[min(end, at + 40) :]
            case 2:
                content = content[:at] + content[at:end] * 2 + content[end:]
            case 3:
                content = content[:at] + random.bytes(3) + content[at + 3 :]
            case _:
                content = content[:at] + INSERTED[random.integers(len(INSERTED))] + content[at:]
    return content


@pytest.mark.parametrize("kind", FORMATS)
def test_damaged_annotations(tmp_path: Path, kind: str) -> None:
    name, build = FORMATS[kind]
    root = tmp_path / "root"
    path = build(root)
    whole = path.read_bytes()
    random = np.random.default_rng(sum(kind.encode()))
    outcomes = {"record": 0, "rejected": 0, "refused": 0}
    for _ in range(N_DAMAGED):
        path.write_bytes(damaged(whole, random))
        try:
            for item in open_face_database(name, path if name == "csv" else root).records():
                outcomes["record" if isinstance(item, FaceRecord) else "rejected"] += 1
                if isinstance(item, FaceRecord):
                    assert item.path.resolve().is_relative_to(root.resolve())
                    check_key(item.key)
                else:
                    assert isinstance(item, Rejected)
                    assert 0 < len(item.reason) < 500
                    json.dumps([item.key, item.reason]).encode()  # can be written down
        except InputError:
            outcomes["refused"] += 1
    path.write_bytes(whole)
    assert outcomes["rejected"] + outcomes["refused"] > N_DAMAGED / 8  # the damage was seen
    assert all(
        isinstance(item, FaceRecord) for item in open_face_database(name, path if name == "csv" else root).records()
    )
    assert {entry.name for entry in tmp_path.iterdir()} == {"root"}


@pytest.mark.parametrize("kind", FORMATS)
def test_a_folder_or_a_pipe_in_place_of_a_file(tmp_path: Path, kind: str) -> None:
    name, build = FORMATS[kind]
    root = tmp_path / "root"
    path = build(root)
    path.unlink()
    path.mkdir()
    for _ in range(2):
        try:
            items = list(open_face_database(name, path if name == "csv" else root).records())
        except InputError:
            items = []
        assert len(items) <= 4
        if path.is_dir():
            shutil.rmtree(path)
            os.mkfifo(path)
