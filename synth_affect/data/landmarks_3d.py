"""Landmarks on a 3D scan from a file: `.bnd` (BU-3DFE, BU-4DFE), `.lm3` (Bosphorus), `.pts` and `.ljson` with three
coordinates.

Coordinates stay in the frame and the unit of the scan: a pixel's shift, as 2D `.pts` files need it, means nothing here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from synth_affect.arrays import FloatArray, IntArray, readonly
from synth_affect.errors import InputError
from synth_affect.fitting.ljson import ljson_points
from synth_affect.fitting.text_file import read_text_file

Markup3D = Literal["ibug-68", "bu-83", "named", "unknown"]
"""What the rows stand for: ibug's 68 points in their order, the 83 of Binghamton's `.bnd` in theirs, points that have
names, or points of which only the order is known."""

SUFFIXES = (".bnd", ".lm3", ".pts", ".ljson")
N_IBUG, N_BU = 68, 83

_MAX_BYTES = 1 << 20
"""A hundred times what a face's points take."""
_LARGEST = 1e30
"""Float32 holds it, and no unit makes a face so large."""


@dataclass(frozen=True, slots=True, eq=False)
class Landmarks3D:
    """Points on the surface of a scan.

    markup : what they stand for.  names : of a "named" markup one a row, as the file spells them; else empty.
    points : (n_landmarks, 3) float32, unit and frame of the scan; a row of NaN where a point could not be seen.
    vertices : (n_landmarks,) int32, the vertex of the scan at each point, where the file tells.
    """

    markup: Markup3D
    names: tuple[str, ...]
    points: FloatArray
    vertices: IntArray | None = None

    def __post_init__(self) -> None:
        n_names = len(self.names) if self.markup == "named" else "n_landmarks"
        object.__setattr__(self, "points", readonly(self.points, "points", (n_names, 3), np.float32, finite=False))
        if self.vertices is not None:
            object.__setattr__(self, "vertices", readonly(self.vertices, "vertices", (len(self.points),), np.int32))


def read_landmarks_3d(path: Path) -> Landmarks3D:
    """The landmarks in `path`, by its suffix.

    Raises InputError, which names the line where there is one, when the file is not such a file or its points have two
    coordinates.
    """
    suffix = path.suffix.lower()
    if suffix == ".lm2":
        raise InputError(path, "holds pixels of a picture; points on the scan are in the .lm3 file beside it")
    if suffix not in SUFFIXES:
        raise InputError(path, f"landmarks of scans are read from {', '.join(SUFFIXES)}")
    text = read_text_file(path, "landmark file", _MAX_BYTES)
    if suffix == ".bnd":
        return _read_bnd(text, path)
    if suffix == ".lm3":
        return _read_lm3(text, path)
    points = _pts_points(text, path) if suffix == ".pts" else _ljson_points(text, path)
    if np.isnan(points).all():
        raise InputError(path, "holds no point")
    return Landmarks3D("ibug-68" if len(points) == N_IBUG else "unknown", (), points)


@dataclass(frozen=True, slots=True, eq=False)
class PictureLandmarks:
    """Named points on the picture of a scan. points_px : (n_landmarks, 2) float32, x and y as the file gives them."""

    names: tuple[str, ...]
    points_px: FloatArray


def read_lm2(path: Path) -> PictureLandmarks:
    """Bosphorus' points on the picture of a scan, `<n> landmarks:`, `Labels:`, n names, then n lines of x and y."""
    lines = _numbered_lines(read_text_file(path, "landmark file", _MAX_BYTES))
    start, n_landmarks = _announced(lines, path)
    rows = [line for line in lines[start:] if not re.fullmatch(r"(labels|2d image coordinates)\s*:?", line[1].lower())]
    if len(rows) != 2 * n_landmarks:
        raise InputError(path, f"announces {n_landmarks} landmarks, has {len(rows)} names and points together")
    names = tuple(text for _, text in rows[:n_landmarks])
    points = [_numbers(text, 2, number, path) for number, text in rows[n_landmarks:]]
    return PictureLandmarks(names, readonly(points, "points_px", (n_landmarks, 2), np.float32))


def _numbered_lines(text: str) -> list[tuple[int, str]]:
    """The lines that say something, with their numbers from 1."""
    return [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]


def _numbers(line: str, count: int, number: int, path: Path) -> list[float]:
    """`count` finite numbers, apart by blanks, tabs or commas."""
    words = line.replace(",", " ").split()
    if len(words) != count:
        raise InputError(path, f"line {number} needs {count} numbers, has {len(words)}")
    try:
        values = [float(word) for word in words]
    except ValueError:
        raise InputError(path, f"line {number} is not {count} numbers: {line[:40]!r}") from None
    if not all(abs(value) < _LARGEST for value in values):  # false for NaN
        raise InputError(path, f"line {number} is not {count} finite numbers: {line[:40]!r}")
    return values


def _read_bnd(text: str, path: Path) -> Landmarks3D:
    """83 rows of vertex, x, y, z."""
    rows = []
    for number, line in _numbered_lines(text):
        row = _numbers(line, 4, number, path)
        if not (0 <= row[0] < 1 << 31 and row[0].is_integer()):
            raise InputError(path, f"line {number} begins with {row[0]:g}, not with the number of a vertex")
        rows.append(row)
    if len(rows) != N_BU:
        raise InputError(path, f"has {len(rows)} points; a .bnd file has {N_BU}")
    table = np.array(rows)
    return Landmarks3D("bu-83", (), table[:, 1:], table[:, 0].astype(np.int32))


def _announced(lines: list[tuple[int, str]], path: Path) -> tuple[int, int]:
    """Where the lines after `<n> landmarks:` begin, and n."""
    for row, (_, line) in enumerate(lines):
        found = re.fullmatch(r"(\d{1,4})\s+landmarks?\s*:?", line, re.IGNORECASE)
        if found:
            return row + 1, int(found[1])
    raise InputError(path, "has no line '<n> landmarks:'")


def _read_lm3(text: str, path: Path) -> Landmarks3D:
    """After `<n> landmarks:` a line with a name and one with x, y, z in turns."""
    lines = _numbered_lines(text)
    start, n_landmarks = _announced(lines, path)
    rows = lines[start:]
    if len(rows) != 2 * n_landmarks:
        raise InputError(path, f"announces {n_landmarks} landmarks, has {len(rows)} lines after it; each takes two")
    if not rows:
        raise InputError(path, "holds no point")
    names = tuple(text for _, text in rows[::2])
    points = [_numbers(text, 3, number, path) for number, text in rows[1::2]]
    return Landmarks3D("named", names, np.array(points))


def _pts_points(text: str, path: Path) -> FloatArray:
    """`version: 1`, `n_points: n`, then n lines of x, y, z within braces."""
    points: list[list[float]] = []
    announced: int | None = None
    opened = closed = False
    for number, line in _numbered_lines(text):
        header = re.fullmatch(r"(version|n_points)\s*:\s*(\S+)", line)
        if closed:
            raise InputError(path, f"line {number} stands behind the closing brace")
        if opened and line == "}":
            closed = True
        elif opened:
            points.append(_numbers(line, 3, number, path))
        elif line == "{":
            opened = True
        elif header is None:
            raise InputError(path, f"line {number} is none of version, n_points or {{: {line[:40]!r}")
        elif header[1] == "n_points":
            if re.fullmatch(r"[0-9]{1,6}", header[2]) is None:
                raise InputError(path, f"line {number} needs a count, has {header[2][:40]!r}")
            announced = int(header[2])
    if not closed:
        raise InputError(
            path, "ends before the brace that opens" if not opened else "ends before the brace that closes"
        )
    if announced is not None and announced != len(points):
        raise InputError(path, f"announces {announced} points, has {len(points)}")
    if not points:
        raise InputError(path, "holds no point")
    return np.array(points)


def _ljson_points(text: str, path: Path) -> FloatArray:
    """A point is [x, y, z], with null where it could not be seen."""
    found = ljson_points(text, path)
    if not found:
        raise InputError(path, "holds no point")
    points = np.full((len(found), 3), np.nan)
    for row, point in enumerate(found):
        if not isinstance(point, list) or len(point) != 3:
            raise InputError(
                path, f"point {row} needs 3 coordinates, has {len(point) if isinstance(point, list) else 1}"
            )
        if all(value is None for value in point):
            continue
        if any(isinstance(value, bool) or not isinstance(value, int | float) for value in point):
            raise InputError(path, f"point {row} is not 3 numbers")
        if not all(abs(value) < _LARGEST for value in point):
            raise InputError(path, f"point {row} is not 3 finite numbers")
        points[row] = point
    return points
