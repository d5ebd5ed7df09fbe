"""Landmark files: the two formats agree, and every fault is told with its line."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synth_affect.errors import InputError
from synth_affect.fitting.landmark_file import read_landmarks
from synth_affect.heads.camera import ImageSize

SIZE = ImageSize(height=400, width=600)
POINTS = np.random.default_rng(0).uniform(1, 399, (68, 2)).round(3)  # x, y; the first pixel's centre is (1, 1)
POINTS[0] = 101, 51


def pts(points: Any = POINTS, *, head: str = "version: 1\nn_points: 68\n", end: str = "}\n") -> str:
    return head + "{\n" + "".join(f"{x} {y}\n" for x, y in points) + end


def ljson(version: int = 2, points: Any = POINTS) -> dict[str, Any]:
    listed = [[y - 1, x - 1] for x, y in points]
    landmarks = {"points": listed, "connectivity": []}
    labels = [{"label": "all", "mask": [True] * len(listed)}]
    if version == 1:
        parts = [[{"point": point} for point in part] for part in (listed[:17], listed[17:])]
        return {"version": 1, "groups": [{"label": "p", "connectivity": [], "landmarks": part} for part in parts]}
    if version == 2:
        return {"version": 2, "labels": labels, "landmarks": landmarks}
    return {"version": 3, "groups": {"PTS": {"labels": labels, "landmarks": landmarks}}}


def test_pts(tmp_path: Path) -> None:
    (tmp_path / "a.pts").write_text(pts())
    landmarks = read_landmarks(tmp_path / "a.pts", SIZE)
    assert landmarks.points_image.shape == (68, 3)
    assert landmarks.points_image[0].tolist() == [100.5, 50.5, 0]  # the worked number of the module's convention
    np.testing.assert_allclose(landmarks.points_image[:, :2], POINTS - 0.5, atol=1e-4)
    assert landmarks.blendshapes == {}


@pytest.mark.parametrize("version", [1, 2, 3])
def test_ljson_gives_the_points_of_pts(tmp_path: Path, version: int) -> None:
    (tmp_path / "a.pts").write_text(pts())
    (tmp_path / "a.LJSON").write_text(json.dumps(ljson(version)))
    np.testing.assert_allclose(
        read_landmarks(tmp_path / "a.LJSON", SIZE).points_image,
        read_landmarks(tmp_path / "a.pts", SIZE).points_image,
        atol=1e-4,
    )


@pytest.mark.parametrize(
    "text",
    [
        pts(head="version: 1\r\nn_points:  68\r\n").replace("\n", "\r\n"),
        "\ufeff" + pts(head=""),
        pts(head="n_points: 68\n\n", end="}\n\n \n"),
        pts().replace(" ", "\t").replace("version:\t1", "version: 1.0"),
        pts().replace("101.0 51.0", "  1.01e2   51 "),
    ],
)
def test_pts_as_people_write_them(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.pts").write_text(text, newline="")
    np.testing.assert_allclose(read_landmarks(tmp_path / "a.pts", SIZE).points_image[:, :2], POINTS - 0.5, atol=1e-4)


def with_line(number: int, line: str) -> str:
    lines = pts().splitlines()
    lines[number - 1] = line
    return "\n".join(lines) + "\n"


BAD_PTS = {
    "": "line 1 ends the file before a brace opens",
    "hello\n": "line 1 is none of version, n_points or {: 'hello'",
    "version: 1\n": "line 1 ends the file before a brace opens",
    with_line(10, "1.0"): "line 10 needs 2 coordinates, has 1",
    with_line(11, "1 2 3"): "line 11 needs 2 coordinates, has 3",
    with_line(12, "x y"): "line 12 is no pair of numbers: 'x y'",
    with_line(13, "nan 4"): "line 13 is no pair of finite numbers: 'nan 4'",
    with_line(14, "1 1e999"): "line 14 is no pair of finite numbers: '1 1e999'",
    with_line(15, "{"): "line 15 opens a second brace",
    with_line(2, "n_points: many"): "line 2 needs a count, has 'many'",
    with_line(2, "n_points: 5"): "announces 5 points, has 68",
    pts(POINTS[:5], head=""): "has 5 points; ibug's 68 are read",
    pts(end=""): "line 71 ends the file before the brace closes",
    pts(end="}\n1 2\n"): "line 73 stands behind the closing brace: '1 2'",
    pts(np.add(POINTS, [600, 0])): "68 of 68 points lie outside the picture of 600 x 400 pixels",
    pts(POINTS * [1, -1]): "68 of 68 points lie outside",
}


@pytest.mark.parametrize(("text", "reason"), BAD_PTS.items(), ids=[str(i) for i in range(len(BAD_PTS))])
def test_bad_pts(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "bad.pts"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_landmarks(path, SIZE)
    assert str(caught.value).startswith(f"{path}: {reason}")
    assert "\n" not in str(caught.value)


def changed(**fields: Any) -> str:
    return json.dumps(ljson() | fields)


BAD_LJSON = {
    "": "line 1 is not JSON",
    '{"version": 2,\n"x" 1}': "line 2 is not JSON",
    "[1, 2]": "not laid out as menpo's ljson",
    "{}": "not laid out as menpo's ljson",
    "[" * 100_000: "not JSON that can be read",
    changed(version=4): "an ljson file of version '4'; 1, 2 and 3 are read",
    changed(landmarks={"points": [[1, 2]] * 67}): "has 67 points; ibug's 68 are read",
    changed(landmarks={"points": [[1, 2]] * 67 + [[None, None]]}): "point 67 is not given",
    changed(landmarks={"points": [[1, 2]] * 67 + [[True, 2]]}): "point 67 is not given",
    changed(landmarks={"points": [[1, 2]] * 67 + [[1, 2, 3]]}): "point 67 is no pair of y and x",
    changed(landmarks={"points": [[1, 2]] * 67 + [5]}): "point 67 is no pair of y and x",
    changed(landmarks={"points": [[1, 2]] * 67 + [[1, float("nan")]]}): "point 67 is no pair of finite numbers",
    changed(landmarks={"points": [[1, 2]] * 67 + [[1, 10**400]]}): "point 67 is no pair of finite numbers",
    changed(landmarks=3): "not laid out as menpo's ljson",
    json.dumps({"version": 3, "groups": {"a": {}, "b": {}}}): "holds 2 sets of landmarks (a, b); give a file with one",
    json.dumps(ljson(points=np.add(POINTS, [0, 400]))): "68 of 68 points lie outside",
}


@pytest.mark.parametrize(("text", "reason"), BAD_LJSON.items(), ids=[str(i) for i in range(len(BAD_LJSON))])
def test_bad_ljson(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "bad.ljson"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        read_landmarks(path, SIZE)
    assert str(caught.value).startswith(f"{path}: {reason}")
    assert "\n" not in str(caught.value)


def test_a_face_that_the_border_cuts_keeps_its_points(tmp_path: Path) -> None:
    moved = POINTS - [np.sort(POINTS[:, 0])[30], 0]  # 30 of them to the left of the picture
    (tmp_path / "half.pts").write_text(pts(moved))
    assert (read_landmarks(tmp_path / "half.pts", SIZE).points_image[:, 0] < 0).sum() >= 30


def test_places_that_are_no_landmark_file(tmp_path: Path) -> None:
    (tmp_path / "folder.pts").mkdir()
    (tmp_path / "noise.pts").write_bytes(b"\xff\xfe\x00 binary")
    (tmp_path / "large.pts").write_bytes(b"1 2\n" * 300_000)
    wanted = {
        "a.txt": "landmarks are read from .pts or .ljson",
        "absent.pts": "no such landmark file",
        "folder.pts": "a folder, not a landmark file",
        "noise.pts": "not a landmark file: not text",
        "large.pts": "too large for a landmark file",
    }
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.pts")
        wanted["pipe.pts"] = "not a regular file"
    for name, reason in wanted.items():
        with pytest.raises(InputError, match=f"{name}: {reason}"):
            read_landmarks(tmp_path / name, SIZE)
