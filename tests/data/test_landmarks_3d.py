"""Landmark files of scans: each format as people write it, and every fault told with its line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synth_affect.data.landmarks_3d import Landmarks3D, read_landmarks_3d, read_lm2
from synth_affect.errors import InputError, ShapeError

POINTS = np.random.default_rng(0).uniform(-80, 80, (83, 3)).round(4)
NAMES = ("Outer left eyebrow", "Nose tip", "Chin middle")


def bnd(n_points: int = 83) -> str:
    return "".join(f"{7 * k}\t{x}\t{y}\t{z}\n" for k, (x, y, z) in enumerate(POINTS[:n_points]))


def lm3(n_points: int = 3) -> str:
    pairs = zip(NAMES, POINTS[:3], strict=True)
    return f"# a header of the scanner\n\n{n_points} landmarks:\n\n" + "".join(
        f"{name}\n{x} {y} {z}\n" for name, (x, y, z) in pairs
    )


def lm2(n_points: int = 3) -> str:
    names, rows = "".join(f"{name}\n" for name in NAMES), "10.5 20\n30 40\n1e2 7\n"
    return f"2D landmarks of bs000\n\n{n_points} landmarks:\n\nLabels:\n{names}\n2D Image coordinates:\n{rows}"


def pts(n_points: int = 68) -> str:
    rows = "".join(f"{x} {y} {z}\n" for x, y, z in POINTS[:n_points])
    return f"version: 1\nn_points: {n_points}\n{{\n{rows}}}\n"


def ljson(version: int, n_points: int = 68) -> dict[str, Any]:
    points: list[Any] = POINTS[:n_points].tolist()
    points[5] = [None, None, None]
    landmarks = {"points": points, "connectivity": []}
    if version == 1:
        parts = [{"landmarks": [{"point": point} for point in part]} for part in (points[:17], points[17:])]
        return {"version": 1, "groups": parts}
    return (
        {"version": 2, "landmarks": landmarks}
        if version == 2
        else {"version": 3, "groups": {"PTS": {"landmarks": landmarks}}}
    )


Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_text(name: str, text: str) -> Path:
        (tmp_path / name).write_bytes(text.encode())
        return tmp_path / name

    return write_text


AS_WRITTEN: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "CRLF": lambda text: text.replace("\n", "\r\n"),
    "BOM": lambda text: "\ufeff" + text,
    "no last newline": lambda text: text.removesuffix("\n"),
    "blank last lines": lambda text: text + "\n \n",
    "trailing blanks": lambda text: text.replace("\n", " \t\n"),
}


@pytest.mark.parametrize("way", AS_WRITTEN)
def test_bnd(write: Write, way: str) -> None:
    landmarks = read_landmarks_3d(write("F0001_AN01WH_F3D.bnd", AS_WRITTEN[way](bnd())))
    assert landmarks.markup == "bu-83"
    assert landmarks.points.dtype == np.float32
    np.testing.assert_allclose(landmarks.points, POINTS, atol=1e-4)
    assert landmarks.vertices is not None
    assert landmarks.vertices.tolist() == [7 * k for k in range(83)]


@pytest.mark.parametrize("way", AS_WRITTEN)
def test_lm3(write: Write, way: str) -> None:
    landmarks = read_landmarks_3d(write("bs000_N_N_0.lm3", AS_WRITTEN[way](lm3())))
    assert (landmarks.markup, landmarks.names, landmarks.vertices) == ("named", NAMES, None)
    np.testing.assert_allclose(landmarks.points, POINTS[:3], atol=1e-4)


@pytest.mark.parametrize("way", AS_WRITTEN)
def test_lm2(write: Write, way: str) -> None:
    landmarks = read_lm2(write("bs000_N_N_0.lm2", AS_WRITTEN[way](lm2())))
    assert landmarks.names == NAMES
    assert landmarks.points_px.tolist() == [[10.5, 20], [30, 40], [100, 7]]


@pytest.mark.parametrize("way", AS_WRITTEN)
def test_pts(write: Write, way: str) -> None:
    landmarks = read_landmarks_3d(write("a.PTS", AS_WRITTEN[way](pts())))
    assert landmarks.markup == "ibug-68"
    np.testing.assert_allclose(landmarks.points, POINTS[:68], atol=1e-4)  # no shift of half a pixel


@pytest.mark.parametrize("version", [1, 2, 3])
def test_ljson(write: Write, version: int) -> None:
    landmarks = read_landmarks_3d(write("a.ljson", json.dumps(ljson(version))))
    assert landmarks.markup == "ibug-68"
    assert np.isnan(landmarks.points[5]).all()
    seen = np.arange(68) != 5
    np.testing.assert_allclose(landmarks.points[seen], POINTS[:68][seen], atol=1e-4)


def test_another_number_of_points_is_an_unknown_markup(write: Write) -> None:
    assert read_landmarks_3d(write("a.pts", pts(79))).markup == "unknown"


def with_line(text: str, number: int, line: str) -> str:
    lines = text.splitlines()
    lines[number - 1] = line
    return "\n".join(lines)


FAULTS = {
    ("a.bnd", bnd(82)): "has 82 points; a .bnd file has 83",
    ("a.bnd", with_line(bnd(), 3, "2\t1\t2")): "line 3 needs 4 numbers, has 3",
    ("a.bnd", with_line(bnd(), 3, "2\t1\t2\tx")): "line 3 is not 4 numbers: '2\\t1\\t2\\tx'",
    ("a.bnd", with_line(bnd(), 3, "2 1 2 nan")): "line 3 is not 4 finite numbers: '2 1 2 nan'",
    ("a.bnd", with_line(bnd(), 3, "2 1 2 1e300")): "line 3 is not 4 finite numbers: '2 1 2 1e300'",
    ("a.bnd", with_line(bnd(), 3, "2.5 1 2 3")): "line 3 begins with 2.5, not with the number of a vertex",
    ("a.bnd", with_line(bnd(), 3, "-1 1 2 3")): "line 3 begins with -1, not with the number of a vertex",
    ("a.bnd", ""): "has 0 points; a .bnd file has 83",
    ("a.lm3", ""): "has no line '<n> landmarks:'",
    ("a.lm3", lm3(4)): "announces 4 landmarks, has 6 lines after it; each takes two",
    ("a.lm3", "0 landmarks:\n"): "holds no point",
    ("a.lm3", with_line(lm3(), 6, "1 2")): "line 6 needs 3 numbers, has 2",
    ("a.lm2", lm2()): "holds pixels of a picture; points on the scan are in the .lm3 file beside it",
    ("a.txt", ""): "landmarks of scans are read from .bnd, .lm3, .pts, .ljson",
    ("a.pts", pts().replace("n_points: 68", "n_points: 67")): "announces 67 points, has 68",
    ("a.pts", with_line(pts(), 2, "n_points: x")): "line 2 needs a count, has 'x'",
    ("a.pts", with_line(pts(), 2, "points: 68")): "line 2 is none of version, n_points or {: 'points: 68'",
    ("a.pts", with_line(pts(), 5, "1 2")): "line 5 needs 3 numbers, has 2",
    ("a.pts", pts().replace("}", "")): "ends before the brace that closes",
    ("a.pts", "version: 1\n"): "ends before the brace that opens",
    ("a.pts", pts() + "1 2 3\n"): "line 73 stands behind the closing brace",
    ("a.pts", "{\n}\n"): "holds no point",
    ("a.ljson", "{"): "line 1 is not JSON: Expecting property name enclosed in double quotes",
    ("a.ljson", "[" * 100_000): "not JSON that can be read",
    ("a.ljson", "[]"): "not laid out as menpo's ljson",
    ("a.ljson", '{"version": 4}'): "an ljson file of version '4'; 1, 2 and 3 are read",
    ("a.ljson", '{"version": 3, "groups": {"a": 1, "b": 2}}'): "holds 2 sets of landmarks (a, b); give a file with one",
    ("a.ljson", '{"version": 2, "landmarks": {"points": [[1, 2]]}}'): "point 0 needs 3 coordinates, has 2",
    ("a.ljson", '{"version": 2, "landmarks": {"points": [[1, 2, null]]}}'): "point 0 is not 3 numbers",
    ("a.ljson", '{"version": 2, "landmarks": {"points": [[1, 2, 1e39]]}}'): "point 0 is not 3 finite numbers",
    ("a.ljson", '{"version": 2, "landmarks": {"points": [[null, null, null]]}}'): "holds no point",
    ("a.ljson", '{"version": 2, "landmarks": {"points": []}}'): "holds no point",
}


@pytest.mark.parametrize(("name", "text"), FAULTS)
def test_faults(write: Write, name: str, text: str) -> None:
    path = write(name, text)
    with pytest.raises(InputError) as caught:
        read_landmarks_3d(path)
    assert (caught.value.path, caught.value.reason) == (str(path), FAULTS[name, text])


def test_lm2_with_a_point_too_few(write: Write) -> None:
    with pytest.raises(InputError, match="announces 4 landmarks, has 6 names and points together"):
        read_lm2(write("a.lm2", lm2(4)))


def test_an_absent_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such landmark file"):
        read_landmarks_3d(tmp_path / "a.bnd")


def test_names_go_with_points() -> None:
    with pytest.raises(ShapeError, match="points"):
        Landmarks3D("named", NAMES, POINTS[:2])
