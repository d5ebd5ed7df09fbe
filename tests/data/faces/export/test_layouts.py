"""Every layout: names that are its pictures' own, and labels that come back through the database's own reader."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath

import numpy as np
import pytest

from synth_affect.data.faces.export.afew_va import AfewVaLayout
from synth_affect.data.faces.export.aff_wild2 import AffWild2Layout
from synth_affect.data.faces.export.layout import MAX_PICTURES, ExportLayout
from synth_affect.data.faces.export.registry import EXPORT_LAYOUTS, open_export_layout
from synth_affect.data.faces.record import Box, FaceRecord, check_key
from synth_affect.data.faces.registry import open_face_database
from synth_affect.errors import InputError
from tests.data.faces.miniature import afew_va_clip, divided, picture, points, text

LABELS = [(-1.0, 1.0), (0.1234, -0.0567), (0.35, -0.35), (0.0, 0.0)]
BOX: Box = (1.5, 2.0, 9.0, 10.25)


@dataclass(frozen=True)
class Made:
    path: str
    valence: float
    arousal: float
    landmarks: tuple[float, ...]


@dataclass(frozen=True)
class Output:
    record: FaceRecord
    picture: Made


def faces(layout: ExportLayout, n_faces: int = 3, box: Box | None = BOX) -> list[Output]:
    """Four pictures of each face; the second face has no sequence."""
    outputs = []
    for place in range(n_faces):
        record = FaceRecord(
            f"clip/{place:05d}", Path("x.png"), subject=f"anna {place}", sequence=None if place == 1 else "s", box=box
        )
        for number, path in enumerate(layout.outputs(place, record, len(LABELS))):
            landmarks = tuple(float(value) for value in points(10 * place + number).ravel())
            outputs.append(Output(record, Made(str(path), *LABELS[number], landmarks)))
    return outputs


def export(layout: ExportLayout, root: Path, outputs: list[Output]) -> None:
    for output in outputs:
        picture(root / output.picture.path)
    for path, content in layout.label_files(outputs):
        assert not (root / path).exists()
        text(root / path, content)


READERS = {
    "afew-va": "afew-va",
    "aff-wild": "aff-wild",
    "aff-wild2": "aff-wild2",
    "affectnet": "affectnet",
    "affectnet-lists": "affectnet",
    "plain": "csv",
}


@pytest.mark.parametrize("name", EXPORT_LAYOUTS)
def test_labels_come_back_through_the_own_reader(tmp_path: Path, name: str) -> None:
    layout = EXPORT_LAYOUTS[name]
    outputs = faces(layout)
    export(layout, tmp_path, outputs)
    database = open_face_database(READERS[name], tmp_path / "labels.csv" if name == "plain" else tmp_path)
    records, rejected = divided(database)
    assert not rejected
    by_path = {record.path.relative_to(tmp_path).as_posix(): record for record in records}
    assert by_path.keys() == {output.picture.path for output in outputs}
    for output in outputs:
        made, record = output.picture, by_path[output.picture.path]
        assert record.valence == layout.scale.as_written(made.valence)
        assert record.arousal == layout.scale.as_written(made.arousal)
        assert record.split == (None if name == "afew-va" else "train")
        assert record.frame is None
        assert record.category is None
        if name not in ("plain", "aff-wild2"):
            assert record.landmarks is not None
            np.testing.assert_allclose(record.landmarks.ravel(), made.landmarks, atol=0.006)
        if name == "aff-wild":
            assert record.box == BOX
        if name == "affectnet-lists":
            assert record.box == (2, 2, 9, 10)
        if name in ("afew-va", "plain"):
            assert record.subject == output.record.subject
    if name != "afew-va":
        assert layout.scale.as_written(0.1234) == 0.1234


@pytest.mark.parametrize("name", EXPORT_LAYOUTS)
def test_the_same_pictures_give_the_same_bytes(name: str) -> None:
    layout = EXPORT_LAYOUTS[name]
    outputs = faces(layout)
    assert list(layout.label_files(outputs)) == list(layout.label_files(iter(outputs)))


@pytest.mark.parametrize("layout", [*EXPORT_LAYOUTS.values(), AfewVaLayout("face")])
def test_names_are_safe_and_of_one_picture_only(layout: ExportLayout) -> None:
    names = set()
    for place in (0, 1, 2, 9, 999, 100_000):
        record = FaceRecord(f"a/{place}", Path("x.png"))
        # A face may have more pictures than the next one: names must not depend on how many.
        for count in (MAX_PICTURES, 3):
            paths = layout.outputs(place, record, count)
            assert len(paths) == count
        for path in layout.outputs(place, record, MAX_PICTURES):
            assert path not in names
            names.add(path)
            assert not path.is_absolute()
            check_key(str(path.with_suffix("")))
        assert layout.outputs(place, record, 3) == layout.outputs(place, record, MAX_PICTURES)[:3]
    assert layout.outputs(0, record, 0) == ()


@pytest.mark.parametrize("layout", [AfewVaLayout(), EXPORT_LAYOUTS["affectnet"]])
def test_more_pictures_than_names(layout: ExportLayout) -> None:
    with pytest.raises(InputError, match="1001 pictures of one face are more than the 1000"):
        layout.outputs(0, FaceRecord("a", Path("x.png")), MAX_PICTURES + 1)


def test_labels_of_afew_va_are_whole_numbers() -> None:
    layout = AfewVaLayout("face")
    (path, content), *_ = layout.label_files(faces(layout))
    clip = json.loads(content)
    assert path == PurePosixPath("1000/1000.json")
    assert (clip["video_id"], clip["actor"]) == ("1000", "anna 0")
    assert [(frame["valence"], frame["arousal"]) for frame in clip["frames"].values()] == [
        (-10, 10), (1, -1), (4, -4), (0, 0)
    ]  # fmt: skip
    assert all(type(frame["valence"]) is int for frame in clip["frames"].values())
    assert list(clip["frames"]) == ["00000", "00001", "00002", "00003"]


def test_new_clips_join_those_of_the_database(tmp_path: Path) -> None:
    afew_va_clip(tmp_path / "001", [(1, 2)], "anna 0")
    layout = AfewVaLayout()
    export(layout, tmp_path, faces(layout))
    records, rejected = divided(open_face_database("afew-va", tmp_path))
    assert not rejected
    assert len(records) == 13
    assert len([record for record in records if record.subject == "anna 0"]) == 5


def test_gaps(tmp_path: Path) -> None:
    layout = AffWild2Layout()
    outputs = faces(layout, 1)
    ((_, content),) = layout.label_files([outputs[0], outputs[2]])
    assert content == b"valence,arousal\n-1.0,1.0\n-5,-5\n0.35,-0.35\n"
    aff_wild = EXPORT_LAYOUTS["aff-wild"]
    outputs = faces(aff_wild, 1)
    with pytest.raises(InputError, match="lacks a picture"):
        list(aff_wild.label_files([outputs[0], outputs[2]]))


@pytest.mark.parametrize("name", ["afew-va", "aff-wild", "affectnet", "affectnet-lists"])
def test_landmarks_are_needed(name: str) -> None:
    layout = EXPORT_LAYOUTS[name]
    bare = [Output(face.record, Made(face.picture.path, 0, 0, ())) for face in faces(layout, 1)]
    with pytest.raises(InputError, match="has no landmarks, which a label file of"):
        list(layout.label_files(bare))


def test_a_box_is_drawn_round_the_landmarks_where_there_is_none(tmp_path: Path) -> None:
    layout = EXPORT_LAYOUTS["aff-wild"]
    export(layout, tmp_path, faces(layout, 1, box=None))
    records, _ = divided(open_face_database("aff-wild", tmp_path))
    for record in records:
        assert record.box is not None
        assert record.landmarks is not None
        expected = [*record.landmarks.min(axis=0), *record.landmarks.max(axis=0)]
        np.testing.assert_allclose(record.box, expected, atol=0.002)


def test_the_layout_of_the_source(tmp_path: Path) -> None:
    afew_va_clip(tmp_path / "afew" / "001", [(0, 0)])
    afew_va = open_face_database("afew-va", tmp_path / "afew")
    assert open_export_layout("source", afew_va).name == "afew-va"
    assert open_export_layout("plain", afew_va).name == "plain"
    assert open_export_layout("source", open_face_database("folder", tmp_path)).name == "plain"
    for name in ("affectnet", "affectnet-lists"):
        layout = EXPORT_LAYOUTS[name]
        export(layout, tmp_path / name, faces(layout, 1))
        assert open_export_layout("source", open_face_database("affectnet", tmp_path / name)).name == name
    with pytest.raises(InputError, match="--layout: 'imagenet' is none of source, afew-va, aff-wild"):
        open_export_layout("imagenet", afew_va)


def test_rows_of_the_table_follow_the_pictures() -> None:
    layout = EXPORT_LAYOUTS["plain"]
    ((path, content),) = layout.label_files(faces(layout, 2))
    lines = content.decode().splitlines()
    assert path == PurePosixPath("labels.csv")
    assert lines[0] == "path,valence,arousal,subject,sequence,split"
    assert lines[1] == "pictures/clip/00000/00000.jpg,-1.0,1.0,anna 0,s,train"
    assert all(before < after for before, after in pairwise(line.split(",")[0] for line in lines[1:]))
