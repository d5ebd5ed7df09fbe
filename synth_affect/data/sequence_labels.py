"""Labels of recordings, frame by frame, from one CSV file.

The first line names the columns: `subject`, `sequence`, `frame`, `valence`, `arousal`, and where wanted `session`,
`category`, `posed`, `apex`, `neutral`, in any order; others are left alone. Empty valence and arousal: not annotated.
`posed`, `apex` and `neutral` are yes or no (1, true, yes; 0, false, no, or empty). `posed` and `category` belong to the
recording: rows may leave them empty, but not disagree.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from synth_affect.affect import Emotion, parse_emotion
from synth_affect.arrays import BoolArray, FloatArray, IntArray
from synth_affect.errors import InputError

REQUIRED = ("subject", "sequence", "frame", "valence", "arousal")
OPTIONAL = ("session", "category", "posed", "apex", "neutral")
YES, NO = frozenset({"1", "true", "yes", "y"}), frozenset({"", "0", "false", "no", "n"})


@dataclass(frozen=True, slots=True, order=True)
class RecordingName:
    """session : None where the file has no such column; it then stands for the only session of that name."""

    subject: str
    session: str | None
    sequence: str


@dataclass(frozen=True, slots=True, eq=False)
class SequenceLabels:
    """Of one recording. frame : (n_rows,) int32, increasing.

    valence, arousal : (n_rows,) float32 in [-1, 1], NaN where not annotated.  apex, neutral : (n_rows,) bool.
    """

    posed: bool
    category: Emotion | None
    frame: IntArray
    valence: FloatArray
    arousal: FloatArray
    apex: BoolArray
    neutral: BoolArray


@dataclass(frozen=True, slots=True)
class LabelFile:
    """What a file says. rejected : recordings with a row that cannot be used, and which."""

    sequences: dict[RecordingName, SequenceLabels]
    rejected: dict[RecordingName, str]


@dataclass(frozen=True, slots=True)
class _Row:
    frame: int
    valence: float
    arousal: float
    category: Emotion | None
    posed: bool | None
    apex: bool
    neutral: bool


def read_sequence_labels(path: Path) -> LabelFile:
    """The labels of all recordings of the file.

    A row with a value that cannot be used rejects its recording and no other; so do two rows for one frame.
    Raises InputError when the file cannot be read, lacks a column, or has a row that names no frame of a recording.
    """
    rows: dict[RecordingName, dict[int, _Row]] = {}
    rejected: dict[RecordingName, str] = {}
    for line, cells in _cells(path):
        name, frame = _place(path, line, cells)
        known = rows.setdefault(name, {})
        try:
            if frame in known:
                raise ValueError(f"frame {frame} has a label already")
            known[frame] = _row(frame, cells)
        except ValueError as error:
            rejected.setdefault(name, f"line {line}: {error}")
    sequences = {}
    for name, known in rows.items():
        if name in rejected:
            continue
        try:
            sequences[name] = _joined([known[frame] for frame in sorted(known)])
        except ValueError as error:
            rejected[name] = str(error)
    return LabelFile(sequences, rejected)


def _cells(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Number of the line, and the named cells of the row that ends there."""
    try:
        if path.is_dir():
            raise InputError(path, "a folder, not a file of labels")
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = [name.strip().lower() for name in next(reader, [])]
            missing = [name for name in REQUIRED if name not in header]
            if missing:
                raise InputError(path, f"has no column {missing[0]}; it needs {', '.join(REQUIRED)}")
            wanted = [(name, header.index(name)) for name in (*REQUIRED, *OPTIONAL) if name in header]
            for row in reader:
                if not any(cell.strip() for cell in row):
                    continue
                if len(row) != len(header):
                    raise InputError(path, f"line {reader.line_num} has {len(row)} cells, the header {len(header)}")
                yield reader.line_num, {name: row[column].strip() for name, column in wanted}
    except FileNotFoundError:
        raise InputError(path, "no such file of labels") from None
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror or error})") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(path, f"not a CSV file ({error})") from error


def _place(path: Path, line: int, cells: dict[str, str]) -> tuple[RecordingName, int]:
    for name in ("subject", "session", "sequence"):
        if not cells.get(name, "-"):
            raise InputError(path, f"line {line} has no {name}")
    try:
        frame = int(cells["frame"])
    except ValueError:
        frame = -1
    if not 0 <= frame < 2**31:
        raise InputError(path, f"line {line}: frame {cells['frame']!r} is not a number of a frame")
    return RecordingName(cells["subject"], cells.get("session"), cells["sequence"]), frame


def _row(frame: int, cells: dict[str, str]) -> _Row:
    valence, arousal = (_affect(name, cells[name]) for name in ("valence", "arousal"))
    if math.isnan(valence) != math.isnan(arousal):
        raise ValueError("has one of valence and arousal only")
    category, posed = cells.get("category", ""), cells.get("posed", "")
    try:
        emotion = parse_emotion(category) if category else None
    except InputError as error:
        raise ValueError(f"category {error.reason}") from None
    return _Row(
        frame=frame,
        valence=valence,
        arousal=arousal,
        category=emotion,
        posed=_yes("posed", posed) if posed else None,
        apex=_yes("apex", cells.get("apex", "")),
        neutral=_yes("neutral", cells.get("neutral", "")),
    )


def _affect(name: str, text: str) -> float:
    if not text:
        return math.nan
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{name} {text!r} is not a number") from None
    if not -1 <= value <= 1:  # also true of NaN
        raise ValueError(f"{name} {text} is not in [-1, 1]; leave it empty where there is none")
    return value


def _yes(name: str, text: str) -> bool:
    if text.lower() not in YES | NO:
        raise ValueError(f"{name} {text!r} is neither yes nor no")
    return text.lower() in YES


def _joined(rows: list[_Row]) -> SequenceLabels:
    categories = {row.category for row in rows if row.category is not None}
    posed = {row.posed for row in rows if row.posed is not None}
    if len(categories) > 1:
        raise ValueError(f"is labelled {' and '.join(sorted(categories))}")
    if len(posed) > 1:
        raise ValueError("is labelled posed and not posed")
    return SequenceLabels(
        posed=any(posed),
        category=next(iter(categories), None),
        frame=np.array([row.frame for row in rows], dtype=np.int32),
        valence=np.array([row.valence for row in rows], dtype=np.float32),
        arousal=np.array([row.arousal for row in rows], dtype=np.float32),
        apex=np.array([row.apex for row in rows], dtype=np.bool_),
        neutral=np.array([row.neutral for row in rows], dtype=np.bool_),
    )
