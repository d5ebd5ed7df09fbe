"""Finding the folder of a database that a user meant, and its pictures."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from synth_affect.data.scan_folders import ARCHIVES, DEPTH, folder_entries
from synth_affect.errors import InputError

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".gif")
VIDEO_SUFFIXES = (".mp4", ".avi", ".mkv", ".mov", ".webm", ".wmv", ".flv", ".m4v", ".mpg")


def find_root(root: Path, is_root: Callable[[Path], bool], *, expected: str, obtain: str, above: bool = True) -> Path:
    """The folder for which `is_root` holds: `root`, one up to two levels below it, or the one above.

    above : whether that is tried, too: not where `is_root` looks into folders, which need not be of this database.
    expected, obtain : for the message, what should lie there and where the database comes from.
    Raises InputError when `root` is no folder, or there is no such folder, or there are two.
    """
    level = [root]
    archive: Path | None = None
    for depth in range(DEPTH + 1):
        # One folder may be there under two names, as a link.
        found = list({folder.resolve(): folder for folder in reversed(level) if is_root(folder)}.values())[::-1]
        if len(found) > 1:
            raise InputError(found[1], f"is there a second time, {found[0]}; name one of the two")
        if found:
            return found[0]
        inside = [entry for folder in level for entry in folder_entries(folder)] if depth < DEPTH else []
        archive = archive or next((entry for entry in inside if entry.suffix.lower() in ARCHIVES), None)
        level = [entry for entry in inside if entry.is_dir() and not entry.name.startswith(".")]
    if above and is_root(root.resolve().parent):
        return root.resolve().parent
    if archive is not None:
        raise InputError(root, f"holds archives ({archive.name}); unpack them first")
    raise InputError(root, f"no {expected} here or two levels below; {obtain}")


def has_folders(*names: str) -> Callable[[Path], bool]:
    """Whether a folder holds these folders."""
    return lambda folder: all((folder / name).is_dir() for name in names)


def file_names(folder: Path, suffixes: tuple[str, ...]) -> dict[str, str]:
    """The files with one of `suffixes` (lower case) in `folder`, not below it, by their stem, sorted.

    Of two files with one stem the suffix that stands first in `suffixes` counts. Names stay text, because a folder may
    hold 100,000. Raises InputError when the folder cannot be read.
    """
    found: dict[str, str] = {}
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                stem, suffix = os.path.splitext(entry.name)
                suffix = suffix.lower()
                if suffix not in suffixes or stem.startswith(".") or not entry.is_file():
                    continue
                known = found.get(stem)
                if known is None or _rank(suffix, suffixes) < _rank(os.path.splitext(known)[1].lower(), suffixes):
                    found[stem] = entry.name
    except OSError as error:
        raise InputError(folder, f"cannot be read ({error.strerror})") from error
    return dict(sorted(found.items()))


def _rank(suffix: str, suffixes: tuple[str, ...]) -> int:
    return suffixes.index(suffix)


def numbered_files(folder: Path, suffixes: tuple[str, ...]) -> dict[int, Path]:
    """The files of `folder` whose names are numbers, by the number; increasing, with gaps.

    Of two names for one number (`7.png`, `00007.png`) the longer counts. Raises InputError as `file_names`.
    """
    names = file_names(folder, suffixes)
    numbers = {int(stem): folder / names[stem] for stem in sorted(names, key=len) if _is_number(stem)}
    return dict(sorted(numbers.items()))


def _is_number(stem: str) -> bool:
    return stem.isascii() and stem.isdigit() and len(stem) <= 9


def folders_in(folder: Path) -> list[Path]:
    """The folders in `folder`, sorted by name."""
    return [entry for entry in folder_entries(folder) if entry.is_dir() and not entry.name.startswith(".")]


def pictures_below(folder: Path, prune: Callable[[Path], bool] = lambda folder: False) -> Iterator[Path]:
    """All pictures below `folder` in a settled order; folders for which `prune` holds, hidden ones and links to folders
    are left out. Raises InputError when a folder cannot be read.
    """
    for entry in folder_entries(folder):
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            if not entry.is_symlink() and not prune(entry):
                yield from pictures_below(entry, prune)
        elif entry.suffix.lower() in PICTURE_SUFFIXES:
            yield entry


def find_part(root: Path, name: str) -> Path | None:
    """The folder or file `name` in `root` or, as archives unpack, in a folder of it, and a doubled one's inner one.

    None where there is none. Raises InputError where there are two.
    """
    direct = root / name
    if direct.exists():
        return direct / name if (direct / name).is_dir() else direct
    found = [folder / name for folder in folders_in(root) if (folder / name).exists()]
    if len(found) > 1:
        raise InputError(found[1], f"is there a second time, {found[0]}")
    return found[0] if found else None


def need_part(root: Path, name: str, obtain: str) -> Path:
    """As `find_part`; raises InputError where there is none."""
    found = find_part(root, name)
    if found is None:
        raise InputError(root, f"has no {name}; {obtain}")
    return found


def has_below(root: Path, is_root: Callable[[Path], bool]) -> bool:
    """Whether `find_root` would find one."""
    try:
        find_root(root, is_root, expected="", obtain="")
    except InputError:
        return False
    return True
