"""A folder of pictures of no particular database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from synth_affect.data.faces.database import FaceDatabase, refuse_without_record, without_affect
from synth_affect.data.faces.folders import PICTURE_SUFFIXES, pictures_below
from synth_affect.data.faces.record import FaceItem, FaceRecord, Rejected, key_of
from synth_affect.errors import InputError

TITLE = "Folder of pictures"
OBTAIN = "name a folder of your own pictures"
SubjectsOfFolders = Literal["none", "first-folder"]


def open_picture_folder(root: Path, *, subjects: SubjectsOfFolders = "none") -> FaceDatabase:
    """All pictures in `root` and below, without labels.

    subjects : "first-folder" takes the folders in `root` for people; pictures beside them are of nobody.
    Raises InputError when `root` is no folder; at the end of the stream when it holds no picture.
    """
    if not root.is_dir():
        raise InputError(root, "a file, not a folder" if root.exists() else "no such folder")
    by_folder = subjects == "first-folder"
    empty = f"holds no picture ({', '.join(PICTURE_SUFFIXES)})"
    return FaceDatabase(
        name="folder",
        title=TITLE,
        obtain=OBTAIN,
        root=root,
        subjects="people" if by_folder else "none",
        read=without_affect(lambda: refuse_without_record(_pictures(root, by_folder), root, empty)),
    )


def _pictures(root: Path, by_folder: bool) -> Iterator[FaceItem]:
    before: tuple[Path, set[str]] | None = None
    for path in pictures_below(root):
        folders = path.relative_to(root).parts[:-1]
        if before is None or before[0] != path.parent:
            before = path.parent, set()
        if path.stem in before[1]:
            yield Rejected(key_of(*folders, path.name), path, "has the name of another, but for the suffix")
            continue
        before[1].add(path.stem)
        try:
            yield FaceRecord(key_of(*folders, path.stem), path, subject=folders[0] if by_folder and folders else None)
        except InputError as error:
            yield Rejected(key_of(*folders, path.stem), path, error.reason)
