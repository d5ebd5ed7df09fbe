"""Many small files written at once: each is whole or not there, and all lie on the disk when their names appear.

A disk takes as long to confirm one file as it takes for fifty that ask at the same time, so they ask together. What is
half-written has names of its own in one folder, so what a kill leaves behind is found without a search.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from synth_affect.data.atomic import remove_temporaries
from synth_affect.errors import InputError

PARTIAL = ".partial"
SYNCHRONISED_AT_ONCE = 16


class OutputError(InputError):
    """A file of a run cannot be written; the run ends, no face is to blame."""


class FileBatch:
    """Files below `out` that get their names together. A context manager: left with an error, it leaves none of them.

    `settle` gives the names; a batch can be filled again after it.
    """

    def __init__(self, out: Path) -> None:
        self._out, self._partial = out, out / PARTIAL
        self._written: list[tuple[Path, Path]] = []

    def __enter__(self) -> FileBatch:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self.settle()
        finally:
            for temporary, _path in self._written:
                temporary.unlink(missing_ok=True)

    def __len__(self) -> int:
        """Files that have no name yet."""
        return len(self._written)

    def write(self, path: Path, content: bytes) -> None:
        """path : below `out`; its folder is made.  Raises OutputError."""
        temporary = self._partial / secrets.token_hex(8)
        try:
            self._partial.mkdir(exist_ok=True)
            self._written.append((temporary, path))
            with temporary.open("xb") as file:
                file.write(content)
        except OSError as error:
            raise OutputError(path, f"cannot be written ({error.strerror or error})") from error

    def take_back(self, count: int) -> None:
        """Forget those written last, so that `count` are left."""
        for temporary, _path in self._written[count:]:
            temporary.unlink(missing_ok=True)
        del self._written[count:]

    def settle(self) -> None:
        """Give all files their names, once they lie on the disk. Raises OutputError."""
        try:
            self._synchronise([temporary for temporary, _ in self._written])
            folders = dict.fromkeys(path.parent for _, path in self._written)
            new = [above for folder in folders for above in _make(folder)]
            for temporary, path in self._written:
                temporary.replace(path)
            self._synchronise(dict.fromkeys([*folders, *new]))
        except OSError as error:
            raise OutputError(error.filename or self._out, f"cannot be written ({error.strerror or error})") from error
        self._written.clear()

    @staticmethod
    def _synchronise(paths: Iterable[Path]) -> None:
        with ThreadPoolExecutor(SYNCHRONISED_AT_ONCE) as threads:
            list(threads.map(_synchronise, paths))


def sweep(out: Path) -> None:
    """Remove what a kill left half-written. Raises OutputError."""
    try:
        if (out / PARTIAL).exists():
            shutil.rmtree(out / PARTIAL)
        remove_temporaries(out)
    except OSError as error:
        raise OutputError(out, f"cannot be cleaned ({error.strerror or error})") from error


def _make(folder: Path) -> list[Path]:
    """Make the folder; the folders in which a name is new because of it."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for folder in reversed(missing):
        folder.mkdir(exist_ok=True)
    return [folder.parent for folder in missing]


def _synchronise(path: Path) -> None:
    """With the disk; a folder where the system lets it be opened (Windows does not)."""
    writable = path.is_file()
    with contextlib.nullcontext() if writable else contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDWR if writable else os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
