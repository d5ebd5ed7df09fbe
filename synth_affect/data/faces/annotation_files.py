"""Annotation files that strangers made: lines, tables, JSON and numbers of them, each with a bound and a clear fault.

The faults of a line are ValueErrors whose text says what is wrong; readers turn them into `Rejected`. A file that
cannot be read at all is an InputError.
"""

from __future__ import annotations

import ast
import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from synth_affect.data.faces.database import AFFECT_SCALE, LabelScale
from synth_affect.data.faces.record import FaceItem, Rejected
from synth_affect.errors import InputError
from synth_affect.fitting.text_file import why_no_file

MAX_LINE = 1 << 16
"""Characters; 68 landmarks take 3,000."""
MAX_JSON_BYTES = 1 << 26
MAX_ARRAY_BYTES = 1 << 16
_MARKS_OF_OTHER_TEXT = (b"\xff\xfe", b"\xfe\xff")


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Each line that is not empty, with its number from 1; whatever ends the lines, and with or without a BOM.

    Bytes that are no UTF-8 come as lone surrogates: they are none in a number, and still name a file.
    Raises InputError when the file cannot be read, holds no text, or a line is longer than MAX_LINE.
    """
    try:
        reason = why_no_file(path, "text file")
        if reason is not None:
            raise InputError(path, reason)
        with path.open("rb") as start:
            head = start.read(4096)
        if head.startswith(_MARKS_OF_OTHER_TEXT):
            raise InputError(path, "is UTF-16 text; save it as UTF-8")
        if b"\0" in head:
            raise InputError(path, "is not text")
        with path.open(encoding="utf-8-sig", errors="surrogateescape") as file:
            number = 0
            while line := file.readline(MAX_LINE + 1):
                number += 1
                if len(line) > MAX_LINE:
                    raise InputError(path, f"line {number} is longer than {MAX_LINE} characters")
                if line := line.strip():
                    yield number, line
    except FileNotFoundError:
        raise InputError(path, "no such file") from None
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})") from error
    except ValueError as error:  # a name with a NUL
        raise InputError(path, f"cannot be read ({error})") from error


def until_unreadable(items: Iterable[FaceItem], key: str) -> Iterator[FaceItem]:
    """The items; where the file that they come from cannot be read on, a last one that says so.

    key : of that last one.
    """
    try:
        yield from items
    except InputError as error:
        yield Rejected(key, Path(error.path), f"{error.reason}; what follows is not read")


def read_table(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV file as stripped cells, with the number of their line. Raises InputError as `read_lines`, and
    for a row that is not CSV.
    """
    number = 0

    def lines() -> Iterator[str]:
        nonlocal number
        for place, line in read_lines(path):
            number = place
            yield line

    rows = csv.reader(lines())
    try:
        for row in rows:
            cells = [cell.strip() for cell in row]
            if any(cells):
                yield number, cells
    except csv.Error as error:
        raise InputError(path, f"line {number} is not CSV: {error}") from None


def column_places(row: Sequence[str], known: Sequence[str], *, required: Sequence[str], path: Path) -> dict[str, int]:
    """Where each known column stands in a row of names, in any case.

    Raises InputError for one of `required` that is not there, or a known one that is there twice.
    """
    names = [name.lower() for name in row]
    for name in known:
        if names.count(name.lower()) > 1:
            raise InputError(path, f"has the column {name} twice")
    for name in required:
        if name.lower() not in names:
            raise InputError(path, f"has no column {name}")
    return {name: names.index(name.lower()) for name in known if name.lower() in names}


def number(text: str, name: str) -> float:
    """A number that may be infinite or NaN. Raises ValueError."""
    try:
        if "_" in text:  # a digit group in Python, a slip in a file
            raise ValueError
        return float(text)
    except (ValueError, OverflowError):
        raise ValueError(f"{name} {text[:40]!a} is not a number") from None


def whole_number(text: str, name: str, *, low: int = 0, high: int = 2**31 - 1) -> int:
    """A number of digits alone. Raises ValueError."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 20 and low <= int(text) <= high):
        raise ValueError(f"{name} {text[:40]!a} is not a whole number in [{low}, {high}]")
    return int(text)


def affect(
    valence: str | float,
    arousal: str | float,
    scale: LabelScale = AFFECT_SCALE,
    *,
    none: tuple[float, ...] = (),
) -> tuple[float, float]:
    """Valence and arousal in [-1, 1]; both NaN where one of them is among `none`, the database's marks for "no label".

    Raises ValueError when one is no number of the scale.
    """
    values = []
    for name, given in (("valence", valence), ("arousal", arousal)):
        label = number(given, name) if isinstance(given, str) else float(given)
        if label not in none and not -scale.limit <= label <= scale.limit:  # also of NaN
            raise ValueError(f"{name} {str(given)[:40]} is not in [{-scale.limit:g}, {scale.limit:g}]")
        values.append(label)
    if any(label in none for label in values):
        return math.nan, math.nan
    return scale.to_affect(values[0]), scale.to_affect(values[1])


def points_68(numbers: Sequence[Any]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """(68, 2) float32 of 136 numbers or texts x, y, x, y, ... or of 68 pairs. Raises ValueError."""
    flat: list[Any] = []
    for entry in numbers:
        flat += entry if isinstance(entry, list | tuple) else [entry]
    if len(flat) != 136:
        raise ValueError(f"has {len(flat)} coordinates of landmarks, needs 136")
    points = np.empty(136, np.float32)
    for place, entry in enumerate(flat):
        if isinstance(entry, bool) or not isinstance(entry, int | float | str):
            raise ValueError("has a landmark that is no pair of numbers")
        value = number(entry, "landmark") if isinstance(entry, str) else _float(entry)
        if not abs(value) < 1e6:  # also of NaN; no picture is larger
            raise ValueError(f"has a landmark at {str(entry)[:40]}")
        points[place] = value
    return points.reshape(68, 2)


def _float(value: int | float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def read_json(path: Path) -> Any:
    """The content of a JSON file. Raises InputError when it cannot be read, is too large, is no JSON, nests too deep or
    names a key twice.
    """
    try:
        reason = why_no_file(path, "JSON file")
        if reason is not None:
            raise InputError(path, reason)
        with path.open("rb") as file:
            content = file.read(MAX_JSON_BYTES + 1)
    except FileNotFoundError:
        raise InputError(path, "no such file") from None
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})") from error
    if len(content) > MAX_JSON_BYTES:
        raise InputError(path, f"larger than {MAX_JSON_BYTES} bytes")
    try:
        return json.loads(content.decode("utf-8-sig"), object_pairs_hook=_without_doubles)
    except (ValueError, RecursionError) as error:
        reason = "nested too deep" if isinstance(error, RecursionError) else str(error).partition("\n")[0][:120]
        raise InputError(path, f"is not JSON ({reason})") from None


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found


def read_array(path: Path) -> np.ndarray[Any, Any]:
    """A small `.npy` array of numbers or texts. Raises ValueError when it is none; nothing in it is run."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_ARRAY_BYTES + 1)
    except OSError as error:
        raise ValueError(f"{path.name} cannot be read ({error.strerror})") from error
    if len(content) > MAX_ARRAY_BYTES:
        raise ValueError(f"{path.name} is larger than {MAX_ARRAY_BYTES} bytes")
    file_like = io.BytesIO(content)
    try:
        np.lib.format.read_magic(file_like)
        size = int.from_bytes(content[8:10], "little")  # version 1.0, all that such small headers need
        header = ast.literal_eval(content[10 : 10 + size].decode("latin1"))
        dtype, shape = np.dtype(header["descr"]), tuple(header["shape"])
        count = math.prod(shape)
        if dtype.hasobject or dtype.kind not in "USfiu" or header["fortran_order"] or min((0, *shape)) < 0:
            raise ValueError("its type is not plain")
        if count * dtype.itemsize != len(content) - 10 - size:
            raise ValueError("its size is not the announced one")
        return np.frombuffer(content, dtype, count, offset=10 + size).reshape(shape)
    except (ValueError, TypeError, KeyError, SyntaxError, MemoryError, RecursionError, OverflowError) as error:
        raise ValueError(f"{path.name} is no array ({str(error)[:80]})") from None
