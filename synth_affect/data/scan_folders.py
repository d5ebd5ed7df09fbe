"""What the readers of 3D databases share: finding the folder that is meant, and the files of a recording in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

from synth_affect.errors import InputError

ARCHIVES = (".zip", ".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz")
DEPTH = 2
"""Archives often unpack into a folder of their own name, and that into one more."""

T = TypeVar("T")


def person_folders(
    root: Path, pattern: str, *, database: str, example: str, obtain: str, ignore: str = r"$^"
) -> list[Path]:
    """The folders of people in `root`, or in the folders up to two levels below it; sorted by name.

    pattern : the whole name of such a folder, any case.  ignore : of folders that look alike, but hold something else.
    example, obtain : for the message, what such a folder is called and where the database comes from.
    Raises InputError when `root` is no folder, when there is none in it, or two of one name.
    """
    level = [root]
    archive: Path | None = None
    for _ in range(DEPTH + 1):
        inside = [entry for folder in level for entry in folder_entries(folder)]
        folders = [entry for entry in inside if entry.is_dir() and not re.fullmatch(ignore, entry.name, re.IGNORECASE)]
        found = [folder for folder in folders if re.fullmatch(pattern, folder.name, re.IGNORECASE)]
        if found:
            return _each_once(sorted(found, key=lambda folder: folder.name.lower()))
        archive = archive or next((entry for entry in inside if entry.suffix.lower() in ARCHIVES), None)
        level = [folder for folder in folders if not folder.name.startswith(".")]
    if archive is not None:
        raise InputError(root, f"holds archives ({archive.name}); unpack them first")
    raise InputError(root, f"no folder of {database} such as {example} here or two levels below; {obtain}")


def _each_once(folders: list[Path]) -> list[Path]:
    for before, after in pairwise(folders):
        if before.name.lower() == after.name.lower():
            raise InputError(after, f"is there a second time, {before}; name one of the two")
    return folders


def folder_entries(folder: Path) -> list[Path]:
    """What lies in `folder`, sorted by name; without what macOS and Windows leave behind."""
    try:
        entries = sorted(folder.iterdir())
    except FileNotFoundError:
        raise InputError(folder, "no such folder") from None
    except NotADirectoryError:
        raise InputError(folder, "not a folder") from None
    except OSError as error:
        raise InputError(folder, f"cannot be read ({error.strerror})") from error
    return [
        entry for entry in entries if not entry.name.startswith("._") and entry.name not in ("__MACOSX", "Thumbs.db")
    ]


def files_below(folder: Path) -> Iterator[Path]:
    """All files below `folder`, in a settled order."""
    for entry in folder_entries(folder):
        if entry.is_dir():
            yield from files_below(entry)
        else:
            yield entry


def numbered(files: Iterable[Path], pattern: str, *suffixes: str) -> dict[int, Path]:
    """The files with one of `suffixes` and a stem like `pattern`, by the number that is its group; increasing.

    Raises InputError when two have one number.
    """
    by_number: dict[int, Path] = {}
    for path in files:
        stem = re.fullmatch(pattern, path.stem, re.IGNORECASE)
        if stem is None or path.suffix.lower() not in suffixes:
            continue
        number = int(stem[1])
        if number in by_number:
            raise InputError(path, f"has the number of {by_number[number].name}, {number}")
        by_number[number] = path
    return dict(sorted(by_number.items()))


def refuse_empty(items: Iterable[T], root: Path, reason: str) -> Iterator[T]:
    """The items; InputError(root, reason) at their end when there was none."""
    any_item = False
    for item in items:
        any_item = True
        yield item
    if not any_item:
        raise InputError(root, reason)
