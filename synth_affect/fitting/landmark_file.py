"""Landmarks of one face from a file: ibug's `.pts` and menpo's `.ljson`, 68 points each.

Convention: in `.pts` the centre of the first pixel is (1, 1), as in ibug's own files; in `.ljson` it is (0, 0), and y
stands before x, as menpo writes them. Here it is (0.5, 0.5). So the point of a `.pts` line "101 51" is the same as that
of [50, 100] in `.ljson`: x = 100.5, y = 50.5.
"""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from synth_affect.arrays import FloatArray
from synth_affect.errors import InputError
from synth_affect.fitting.landmarks import Landmarks
from synth_affect.fitting.ljson import ljson_points
from synth_affect.fitting.markup import IBUG
from synth_affect.fitting.text_file import read_text_file
from synth_affect.heads.camera import ImageSize

SUFFIXES = (".pts", ".ljson")

_MAX_BYTES = 1 << 20
"""A hundred times what 68 points take."""

_PTS_TO_PICTURE, _LJSON_TO_PICTURE = -0.5, 0.5


def read_landmarks(path: Path, image_size: ImageSize) -> Landmarks:
    """The 68 points in `path`, for a picture of this size; depths are 0, and there are no readings.

    Raises InputError, which names the line where there is one, when the file is not such a file, does not have 68 whole
    points, or most of them lie outside the picture: then they are of another one. Some may, where the border cuts the
    face.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(path, f"landmarks are read from {' or '.join(SUFFIXES)}")
    points = read_pts(path) if suffix == ".pts" else _ljson_points(_text(path), path)
    outside = (points < 0).any(axis=1) | (points > [image_size.width, image_size.height]).any(axis=1)
    n_outside = int(outside.sum())
    if n_outside > len(points) // 2:
        size = f"{image_size.width} x {image_size.height}"
        raise InputError(path, f"{n_outside} of {len(points)} points lie outside the picture of {size} pixels")
    return Landmarks(np.column_stack([points, np.zeros(len(points))]), {})


def read_pts(path: Path, n_points: int = IBUG.n_landmarks) -> FloatArray:
    """(n_points, 2) float64, px: the points in a `.pts` file, wherever they lie.

    Raises InputError, which names the line where there is one, when it is no such file or has another count of them.
    """
    points = _pts_points(_text(path), path)
    _check_count(len(points), n_points, path)
    return np.array(points) + _PTS_TO_PICTURE


def _text(path: Path) -> str:
    return read_text_file(path, "landmark file", _MAX_BYTES)


_PTS_HEADER = re.compile(r"(version|n_points)\s*:\s*(\S+)")


def _pts_points(text: str, path: Path) -> list[tuple[float, float]]:
    """`version: 1`, `n_points: 68`, then 68 lines of x and y within braces; empty lines mean nothing."""

    def fail(number: int, reason: str) -> NoReturn:
        raise InputError(path, f"line {number} {reason}")

    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    points: list[tuple[float, float]] = []
    announced: int | None = None
    opened = closed = False
    for number, line in lines:
        if closed:
            fail(number, f"stands behind the closing brace: {_quoted(line)}")
        elif line == "{":
            if opened:
                fail(number, "opens a second brace")
            opened = True
        elif line == "}" and opened:
            closed = True
        elif opened:
            points.append(_pts_point(line, number, fail))
        else:
            header = _PTS_HEADER.fullmatch(line)
            if header is None:
                fail(number, f"is none of version, n_points or {{: {_quoted(line)}")
            if header[1] == "n_points":
                if not header[2].isascii() or not header[2].isdigit():
                    fail(number, f"needs a count, has {_quoted(header[2])}")
                announced = int(header[2])
    last = lines[-1][0] if lines else 1
    if not opened:
        fail(last, "ends the file before a brace opens")
    if not closed:
        fail(last, "ends the file before the brace closes")
    if announced is not None and announced != len(points):
        raise InputError(path, f"announces {announced} points, has {len(points)}")
    return points


def _pts_point(line: str, number: int, fail: Any) -> tuple[float, float]:
    words = line.split()
    if len(words) != 2:
        fail(number, f"needs 2 coordinates, has {len(words)}")
    try:
        x, y = (float(word) for word in words)
    except ValueError:
        fail(number, f"is no pair of numbers: {_quoted(line)}")
    if not (math.isfinite(x) and math.isfinite(y)):
        fail(number, f"is no pair of finite numbers: {_quoted(line)}")
    return x, y


def _ljson_points(text: str, path: Path) -> FloatArray:
    """A point is [y, x]."""
    found = ljson_points(text, path)
    _check_count(len(found), IBUG.n_landmarks, path)
    points = np.empty((len(found), 2))
    for row, point in enumerate(found):
        if not isinstance(point, list) or len(point) != 2:
            raise InputError(path, f"point {row} is no pair of y and x")
        if any(isinstance(value, bool) or not isinstance(value, int | float) for value in point):
            raise InputError(path, f"point {row} is not given")  # null stands for a point that could not be seen
        try:
            y, x = (float(value) for value in point)
        except OverflowError:
            y, x = math.inf, math.inf
        if not (math.isfinite(x) and math.isfinite(y)):
            raise InputError(path, f"point {row} is no pair of finite numbers")
        points[row] = x, y
    return points + _LJSON_TO_PICTURE


def _check_count(n_points: int, wanted: int, path: Path) -> None:
    if n_points != wanted:
        whose = "ibug's " if wanted == IBUG.n_landmarks else ""
        raise InputError(path, f"has {n_points} points; {whose}{wanted} are read")


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")
