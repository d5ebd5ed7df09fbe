"""Pictures that a CSV file names, with what is known of them.

The first line names the columns, in any order and case: `path`, and where known `valence`, `arousal`, `frame` (of a
video, from 0), `subject`, `sequence`, `category`, `neutral` (yes or no), `split` (train, validation, test) and
`landmarks` (136 numbers x;y;x;y;..., px); others are left alone. A file without names has `path, valence, arousal,
subject, category`. Empty valence and arousal, -2 and -5, which databases use for it, mean that there is no label.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import get_args

from synth_affect.affect import Emotion
from synth_affect.data.faces.annotation_files import (
    affect,
    column_places,
    number,
    points_68,
    read_table,
    until_unreadable,
    whole_number,
)
from synth_affect.data.faces.database import FaceDatabase, Wanted
from synth_affect.data.faces.record import FaceItem, FaceRecord, Rejected, Split, key_of
from synth_affect.data.sequence_labels import NO, YES
from synth_affect.errors import InputError, ShapeError

TITLE = "Table of pictures"
OBTAIN = "name a CSV file of your own pictures"
COLUMNS = (
    *("path", "valence", "arousal", "subject", "category"),
    *("frame", "sequence", "neutral", "split", "landmarks"),
)
UNNAMED = COLUMNS[:5]
NO_LABEL = (-2.0, -5.0)


def open_picture_table(path: Path, *, pictures: str = "", outside: bool = False) -> FaceDatabase:
    """The pictures of a CSV file.

    pictures : the folder that relative paths start from; "" for that of the CSV file.
    outside : take paths that leave that folder, too. A table from elsewhere could name any picture of this machine, so
        it is to be said.
    Raises InputError when the file cannot be read or begins with no such table.
    """
    folder = Path(pictures) if pictures else path.parent
    if not folder.is_dir():
        raise InputError(folder, "no such folder")
    first = next(read_table(path), None)
    if first is None:
        raise InputError(path, "holds no picture")
    places, named = _places(first[1], path)
    return FaceDatabase(
        name="csv",
        title=TITLE,
        obtain=OBTAIN,
        root=folder,
        subjects="people" if "subject" in places else "none",
        read=lambda wanted: until_unreadable(_read(path, folder, places, named, outside, wanted), "table"),
    )


def _places(row: list[str], path: Path) -> tuple[dict[str, int], bool]:
    """Where each column stands, and whether the first line says it."""
    if "path" in (cell.lower() for cell in row):
        return column_places(row, COLUMNS, required=("path",), path=path), True
    try:
        affect(_label(row[1]), _label(row[2]), none=NO_LABEL)
    except (IndexError, ValueError):
        raise InputError(path, "begins neither with a picture nor with the columns path, valence, arousal") from None
    return {name: place for place, name in enumerate(UNNAMED)}, False


def _read(
    path: Path, folder: Path, places: dict[str, int], named: bool, outside: bool, wanted: Wanted
) -> Iterator[FaceItem]:
    keys: set[str] = set()
    rows = read_table(path)
    if named:
        next(rows, None)
    for line, row in rows:
        cells = {name: row[place] for name, place in places.items() if place < len(row) and row[place]}
        try:
            record = _record(cells, folder, outside, wanted)
        except (ValueError, ShapeError, InputError) as error:
            yield Rejected(f"line-{line}", path, f"line {line}: {error}")
            continue
        if record is None:
            continue
        if record.key in keys:
            yield Rejected(record.key, path, f"line {line} has a picture a second time, or one of the same name")
            continue
        keys.add(record.key)
        yield record


def _record(cells: dict[str, str], folder: Path, outside: bool, wanted: Wanted) -> FaceRecord | None:
    picture, key = _picture(cells.get("path", ""), folder, outside)
    valence, arousal = affect(_label(cells.get("valence", "")), _label(cells.get("arousal", "")), none=NO_LABEL)
    if not wanted(valence, arousal):
        return None
    frame = whole_number(cells["frame"], "frame") if "frame" in cells else None
    neutral, split = cells.get("neutral", "").lower(), cells.get("split", "").lower()
    if neutral not in YES | NO:
        raise ValueError(f"neutral {neutral[:40]!a} is neither yes nor no")
    if split not in ("", *get_args(Split)):
        raise ValueError(f"split {split[:40]!a} is none of {', '.join(get_args(Split))}")
    return FaceRecord(
        key=key if frame is None else f"{key}/{frame:05d}",
        path=picture,
        frame=frame,
        subject=cells.get("subject"),
        sequence=cells.get("sequence"),
        valence=valence,
        arousal=arousal,
        category=_category(cells["category"]) if "category" in cells else None,
        neutral=neutral in YES if neutral else None,
        landmarks=points_68(cells["landmarks"].split(";")) if "landmarks" in cells else None,
        split=split or None,  # type: ignore[arg-type]
    )


def _label(cell: str) -> float:
    value = number(cell, "label") if cell else math.nan
    return NO_LABEL[0] if math.isnan(value) else value


def _category(name: str) -> Emotion:
    try:
        return Emotion(name.lower())
    except ValueError:
        raise ValueError(f"category {name[:40]!a} is none of {', '.join(Emotion)}") from None


def _picture(name: str, folder: Path, outside: bool) -> tuple[Path, str]:
    """The file, and its key: the path below the folder, or the whole path where it lies outside."""
    if not name or "\0" in name:
        raise ValueError("names no picture")
    parts = PurePosixPath(name.replace("\\", "/") if "/" not in name else name).parts
    rooted = parts[:1] == ("/",) or bool(PureWindowsPath(name).drive)
    inside: list[str] = []
    leaves = rooted
    for part in parts:
        if part == "..":
            leaves = leaves or not inside
            inside = inside[:-1]
        else:
            inside.append(part)
    if rooted and Path(name).is_absolute() and Path(*inside).is_relative_to(folder.absolute()):
        inside, leaves = list(Path(*inside).relative_to(folder.absolute()).parts), False
    if not inside:
        raise ValueError("names no picture")
    if not leaves:
        return folder.joinpath(*inside), key_of(*inside[:-1], Path(inside[-1]).stem)
    if not outside:
        raise ValueError(f"{name[:80]!a} lies outside {folder}; the setting `outside` allows it")
    whole = Path(os.path.abspath(folder / name))
    return whole, key_of("outside", *whole.parts[1:-1], whole.stem)
