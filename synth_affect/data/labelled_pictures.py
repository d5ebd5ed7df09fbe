"""Pictures with valence and arousal: the record that readers of 2D databases give, and a table of them as CSV."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path

from synth_affect.affect import Emotion, parse_emotion
from synth_affect.errors import InputError
from synth_affect.fitting.text_file import read_text_file

COLUMNS = ("path", "valence", "arousal", "subject", "category")
REQUIRED = COLUMNS[:3]
MAX_TABLE_BYTES = 1 << 29


@dataclass(frozen=True, slots=True)
class LabelledPicture:
    """name : of the picture, unique in its table.  path : its file.
    valence, arousal : in [-1, 1]; NaN where the table has none, or a number outside, which databases use for "none".
    subject : name of the person; None where it is not known.  category : where it is known.
    """

    name: str
    path: Path
    valence: float
    arousal: float
    subject: str | None = None
    category: Emotion | None = None


def read_picture_table(path: Path, root: Path | None = None) -> tuple[LabelledPicture, ...]:
    """The pictures of a CSV file: path, valence, arousal and, where known, subject and category.

    The first line may name the columns, in any order, and others between them; without names they stand in the order
    above.
    root : the folder that relative paths start from; that of the CSV file where None.
    Raises InputError, which names the line, when a row is not whole, a picture stands there twice, or there is none.
    """
    text = read_text_file(path, "table of pictures", MAX_TABLE_BYTES)
    folder = path.parent if root is None else root
    if not folder.is_dir():
        raise InputError(folder, "no such folder")
    reader = csv.reader(text.splitlines())
    pictures: dict[str, LabelledPicture] = {}
    place: dict[str, int] | None = None
    try:
        for cells in reader:
            row = [cell.strip() for cell in cells]
            if not any(row):
                continue
            if place is None:
                place = _columns(row, path)
                if place is not None:
                    continue
                place = dict(zip(COLUMNS, range(len(COLUMNS)), strict=True))
            picture = _picture(row, place, folder, path, reader.line_num)
            if picture.name in pictures:
                raise InputError(path, f"line {reader.line_num} has {picture.name} a second time")
            pictures[picture.name] = picture
    except csv.Error as error:
        raise InputError(path, f"line {reader.line_num} is not CSV: {error}") from None
    if not pictures:
        raise InputError(path, "holds no picture")
    return tuple(pictures.values())


def _columns(row: list[str], path: Path) -> dict[str, int] | None:
    """Where each known column stands, if `row` names them; None where it is a picture already."""
    names = [name.lower() for name in row]
    if not set(names) & {"valence", "arousal"}:
        if len(row) > 2 and _number(row[1]) is not None:
            return None
        raise InputError(path, f"begins neither with a picture nor with the columns {', '.join(REQUIRED)}")
    for name in REQUIRED:
        if name not in names:
            raise InputError(path, f"has no column {name}")
    return {name: names.index(name) for name in COLUMNS if name in names}


def _picture(row: list[str], place: dict[str, int], folder: Path, path: Path, line: int) -> LabelledPicture:
    if len(row) <= max(place[name] for name in REQUIRED):
        raise InputError(path, f"line {line} needs {', '.join(REQUIRED)}, has {len(row)} cells")
    cells = {name: row[column] for name, column in place.items() if column < len(row)}
    if not cells["path"]:
        raise InputError(path, f"line {line} names no picture")
    category = cells.get("category")
    try:
        return LabelledPicture(
            name=cells["path"],
            path=folder / cells["path"],
            valence=_label(cells["valence"], "valence"),
            arousal=_label(cells["arousal"], "arousal"),
            subject=cells.get("subject") or None,
            category=parse_emotion(category.lower()) if category else None,
        )
    except InputError as error:
        raise InputError(path, f"line {line}: {error.path} {error.reason}") from None


def _label(text: str, name: str) -> float:
    value = math.nan if not text else _number(text)
    if value is None:
        raise InputError(name, f"{text[:40]!r} is not a number")
    return value if -1 <= value <= 1 else math.nan


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
