"""AffectNet's release of 2017: pictures in numbered folders, named by CSV files.

`<kind>_file_lists/{training,validation}.csv` (kind `Manually_Annotated`) or `automatically_annotated.csv`
(`Automatically_Annotated`) and `<kind>/<kind>_Images/<number>/<hash>.<ext>`. A file may begin with a line of
names or not.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Literal

from synth_affect.data.faces.affectnet import NONE, NOTE, OBTAIN, TITLE, category_of
from synth_affect.data.faces.annotation_files import (
    affect,
    column_places,
    number,
    points_68,
    read_table,
    until_unreadable,
)
from synth_affect.data.faces.database import FaceDatabase, Wanted
from synth_affect.data.faces.folders import find_root
from synth_affect.data.faces.record import Box, FaceItem, FaceRecord, Rejected, Split, key_of
from synth_affect.errors import InputError, ShapeError

COLUMNS = (
    *("subDirectory_filePath", "face_x", "face_y", "face_width", "face_height"),
    *("facial_landmarks", "expression", "valence", "arousal"),
)
BOX = COLUMNS[1:5]
Lists = Literal["manual", "automatic"]
LISTS: dict[str, tuple[str, tuple[tuple[str, Split], ...]]] = {
    "manual": ("Manually_Annotated", (("training.csv", "train"), ("validation.csv", "validation"))),
    "automatic": ("Automatically_Annotated", (("automatically_annotated.csv", "train"),)),
}


def open_affectnet_lists(root: Path, *, lists: Lists = "manual") -> FaceDatabase:
    """Nobody is named. lists : labels of people, or of a network.

    Raises InputError when `root` is not laid out so.
    """
    kind, files = LISTS[lists]
    found = find_root(
        root,
        lambda folder: (folder / f"{kind}_file_lists").is_dir(),
        expected=f"folder {kind}_file_lists, nor train_set or val_set, of AffectNet",
        obtain=OBTAIN,
    )
    folder = found / f"{kind}_file_lists"
    there = [(folder / name, split) for name, split in files if (folder / name).is_file()]
    if not there:
        raise InputError(folder, f"has no {files[0][0]}; {OBTAIN}")
    places = (found / kind / f"{kind}_Images", found / f"{kind}_Images", found / kind)
    pictures = next((place for place in places if place.is_dir()), None)
    if pictures is None:
        raise InputError(found, f"has no {kind}/{kind}_Images with the pictures; {OBTAIN}")
    missing = tuple(f"there is no {name}" for name, _ in files if not (folder / name).is_file())
    return FaceDatabase(
        name="affectnet",
        title=TITLE,
        obtain=OBTAIN,
        root=found,
        subjects="none",
        notes=(NOTE, *missing),
        read=lambda wanted: (
            item
            for path, split in there
            for item in until_unreadable(_read(path, pictures, split, wanted), f"{split}/{path.stem}")
        ),
    )


def _read(path: Path, pictures: Path, split: Split, wanted: Wanted) -> Iterator[FaceItem]:
    places: dict[str, int] | None = None
    keys: set[str] = set()
    for line, row in read_table(path):
        if places is None:
            named = COLUMNS[0].lower() in (cell.lower() for cell in row)
            places = (
                column_places(row, COLUMNS, required=(COLUMNS[0], *COLUMNS[-3:]), path=path)
                if named
                else {name: place for place, name in enumerate(COLUMNS)}
            )
            if named:
                continue
        try:
            record = _record(row, places, pictures, split, wanted)
        except (ValueError, ShapeError, InputError) as error:
            yield Rejected(f"{split}/line-{line}", path, f"line {line}: {error}")
            continue
        if record is None:
            continue
        if record.key in keys:
            yield Rejected(record.key, path, f"line {line} has a picture a second time")
            continue
        keys.add(record.key)
        yield record


def _record(row: list[str], places: dict[str, int], pictures: Path, split: Split, wanted: Wanted) -> FaceRecord | None:
    if len(row) <= max(places.values()):
        raise ValueError(f"needs {max(places.values()) + 1} cells, has {len(row)}")
    cells = {name: row[place] for name, place in places.items()}
    name = cells[COLUMNS[0]]
    parts = PurePosixPath(name).parts
    if len(parts) != 2 or ".." in parts or "\\" in name or "\0" in name or parts[0] == "/":
        raise ValueError(f"{name[:80]!a} is no <folder>/<picture>")
    valence, arousal = affect(cells["valence"], cells["arousal"], none=(NONE,))
    if not wanted(valence, arousal):
        return None
    path = pictures.joinpath(*parts)
    if not path.is_file():
        raise InputError(path, "no such picture")
    landmarks = cells.get("facial_landmarks", "")
    return FaceRecord(
        key=key_of(*parts[:-1], path.stem),
        path=path,
        valence=valence,
        arousal=arousal,
        category=category_of(cells["expression"]),
        landmarks=points_68(landmarks.split(";")) if ";" in landmarks else None,
        box=_box(cells),
        split=split,
    )


def _box(cells: dict[str, str]) -> Box | None:
    """None where there is none: pictures without a face have NULL or 0, a list may lack the columns."""
    if not cells.keys() >= set(BOX) or any(cells[name].lower() in ("", "null", "0") for name in BOX[2:]):
        return None
    left, top, width, height = (number(cells[name], name) for name in BOX)
    return left, top, left + width, top + height
