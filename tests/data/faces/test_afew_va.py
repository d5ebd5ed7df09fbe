"""AFEW-VA in its own format and with what goes wrong in copies of it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from synth_affect.data.faces.afew_va import open_afew_va
from synth_affect.errors import InputError
from tests.data.faces.miniature import afew_va_clip, affects, divided, picture, points, text


@pytest.mark.parametrize("below", ["", "AFEW-VA", "AFEW-VA/AFEW-VA"])
def test_clips_side_by_side(tmp_path: Path, below: str) -> None:
    afew_va_clip(tmp_path / below / "002", [(-10, 10), (0, 0)], " Anna  Smith\n")
    afew_va_clip(tmp_path / below / "001", [(3, -4)], "anna smith")
    database = open_afew_va(tmp_path)
    records, rejected = divided(database)
    assert not rejected
    assert database.has_subjects
    assert [record.key for record in records] == ["001/00000", "002/00000", "002/00001"]
    assert affects(records) == [(0.3, -0.4), (-1, 1), (0, 0)]
    assert {record.subject for record in records} == {"anna smith"}
    assert [record.sequence for record in records] == ["001", "002", "002"]
    assert [record.path.name for record in records] == ["00000.png", "00000.png", "00001.png"]
    assert {(record.frame, record.split, record.category, record.neutral) for record in records} == {
        (None, None, None, None)
    }
    assert records[2].landmarks is not None
    np.testing.assert_array_equal(records[2].landmarks, points(1))


def test_the_folders_of_the_archives(tmp_path: Path) -> None:
    afew_va_clip(tmp_path / "01" / "001", [(0, 0)])
    afew_va_clip(tmp_path / "12" / "600", [(1, 1)])
    afew_va_clip(tmp_path / "12" / "001", [(1, 1)])
    records, rejected = divided(open_afew_va(tmp_path))
    assert [record.key for record in records] == ["001/00000", "600/00000"]
    assert [(item.key, item.path) for item in rejected] == [("001", tmp_path / "12" / "001")]


def test_only_what_is_wanted(tmp_path: Path) -> None:
    afew_va_clip(tmp_path / "001", [(0, 0), (1, 0), (0, 0)])
    wanted = list(open_afew_va(tmp_path).records(lambda valence, arousal: valence == 0))
    assert [item.key for item in wanted] == ["001/00000", "001/00002"]


def test_unpaired_frames(tmp_path: Path) -> None:
    clip = afew_va_clip(tmp_path / "001", [(0, 0), (1, 1), (2, 2)], skip=[1])
    picture(clip / "00007.png")
    picture(tmp_path / "003" / "00000.png")
    records, rejected = divided(open_afew_va(tmp_path))
    assert [record.key for record in records] == ["001/00000", "001/00002"]
    assert [(item.key, item.reason, item.count) for item in rejected] == [
        ("001/00001", "frame 00001 has no picture, or is there twice", 1),
        ("001", "pictures without a label", 1),
        ("003", "has no 003.json", 1),
    ]


HUGE = "9" * 5000
FRAMES = {
    '{"../../x": {"valence": 0, "arousal": 0}}': "frame '../../x' is no number",
    '{"00000": {"valence": 11, "arousal": 0}}': "valence 11 is not in [-10, 10]",
    '{"00000": {"valence": 1e999, "arousal": 0}}': "has valence inf, which is no number of the scale",
    '{"00000": {"valence": NaN, "arousal": 0}}': "frame 00000 valence nan is not in [-10, 10]",
    '{"00000": {"valence": "1", "arousal": 0}}': "has valence 1, which is no number",
    '{"00000": {"valence": true, "arousal": 0}}': "has valence True, which is no number",
    '{"00000": {"arousal": 0}}': "has valence None",
    '{"00000": [1, 2]}': "frame 00000 is no object",
    '{"00000": {"valence": 0, "arousal": 0, "landmarks": [[1, 2]]}}': "has 2 coordinates of landmarks, needs 136",
    '{"00000": {"valence": 0, "arousal": 0, "landmarks": [[1, null]]}}': "has 2 coordinates",
    f'{{"00000": {{"valence": 0, "arousal": 0, "landmarks": {[[1, 1]] * 67 + [[1e30, 1]]}}}}}': "a landmark at 1e+30",
    f'{{"00000": {{"valence": 0, "arousal": 0, "landmarks": {[[1, 1]] * 67 + [["a", 1]]}}}}}'.replace("'", '"'):
        "landmark 'a' is not a number",
    '{"00000": {"valence": 0, "arousal": 0, "landmarks": 7}}': "frame 00000",
    "[]": "has no object `frames`",
    '{"00000": {"valence": 0, "arousal": 0}, "00000": {"valence": 1, "arousal": 0}}': "a key is there twice",
    f'{{"00000": {{"valence": {HUGE}, "arousal": 0}}}}': "is not JSON (Exceeds the limit",
    "[" * 100_000: "is not JSON (nested too deep)",
    "": "is not JSON",
}  # fmt: skip


@pytest.mark.parametrize("frames", FRAMES)
def test_hostile_annotations(tmp_path: Path, frames: str) -> None:
    afew_va_clip(tmp_path / "001", [(0, 0)])
    afew_va_clip(tmp_path / "002", [(0, 0)])
    text(tmp_path / "001" / "001.json", f'{{"video_id": "../../etc", "actor": "a", "frames": {frames}}}')
    records, rejected = divided(open_afew_va(tmp_path))
    assert [record.key for record in records] == ["002/00000"]
    assert FRAMES[frames] in rejected[0].reason
    assert rejected[0].key.startswith("001")


@pytest.mark.parametrize("content", [b"\xff\xfe{", b"\0" * 50, b"7", b'{"frames": 7}', b'{"frames": {}, "actor": 7}'])
def test_files_that_are_no_annotation(tmp_path: Path, content: bytes) -> None:
    afew_va_clip(tmp_path / "001", [(0, 0)])
    text(tmp_path / "001" / "001.json", content)
    records, rejected = divided(open_afew_va(tmp_path))
    assert (len(records), len(rejected)) == (0, 1)


def test_a_byte_order_mark_and_integral_floats(tmp_path: Path) -> None:
    clip = afew_va_clip(tmp_path / "001", [(3.0, -4.0)])
    path = clip / "001.json"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert affects(divided(open_afew_va(tmp_path))[0]) == [(0.3, -0.4)]


def test_clips_without_an_actor_or_landmarks(tmp_path: Path) -> None:
    clip = afew_va_clip(tmp_path / "001", [(0, 0)], None)
    annotation = json.loads((clip / "001.json").read_text())
    del annotation["frames"]["00000"]["landmarks"]
    text(clip / "001.json", json.dumps(annotation))
    (record,), rejected = divided(open_afew_va(tmp_path))
    assert (record.subject, record.landmarks, rejected) == (None, None, [])


@pytest.mark.parametrize("actor", ["\\ud800", "x" * 300])
def test_actors_that_are_no_name(tmp_path: Path, actor: str) -> None:
    afew_va_clip(tmp_path / "001", [(0, 0)])
    path = tmp_path / "001" / "001.json"
    path.write_text(path.read_text().replace("Anna", actor))
    records, rejected = divided(open_afew_va(tmp_path))
    assert (records, len(rejected)) == ([], 1)
    assert "is no name in UTF-8" in rejected[0].reason


def test_what_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"no clip of AFEW-VA such as 001/001.json here .*; AFEW-VA is given on request"
    ):
        open_afew_va(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        open_afew_va(tmp_path / "nowhere")
    text(tmp_path / "01.zip", "")
    with pytest.raises(InputError, match=r"holds archives \(01.zip\); unpack them first"):
        open_afew_va(tmp_path)
