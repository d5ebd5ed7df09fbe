"""Output files that are either whole or not there."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from synth_affect.errors import InputError

TEMPORARY = ".part"
"""Ending of the hidden names under which files are written."""


def check_writable(path: Path, inputs: Iterable[Path] = ()) -> None:
    """Raises InputError when `path` can be seen not to become an output file, before any work is spent on it.

    inputs : files that must not be overwritten; they are recognised through links and other spellings of their names.
    """
    try:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            path.stat()  # pathlib's own questions take a ring of links for an absent file
        _check_place(path, inputs)
    except OSError as error:  # a name too long, a ring of links, a folder that may not be searched
        raise InputError(path, f"cannot be written ({error.strerror or error})") from error
    except (RuntimeError, ValueError) as error:  # a ring of links further up; a null character
        raise InputError(path, f"cannot be written ({error})") from error


def _check_place(path: Path, inputs: Iterable[Path]) -> None:
    if path.is_dir():
        raise InputError(path, "a folder, not a file to write")
    if path.exists() and not path.is_file():
        raise InputError(path, "not a regular file")  # renaming onto a device or a pipe would replace it
    folder = path.resolve().parent
    if not folder.is_dir():
        raise InputError(path, f"the folder {folder} does not exist")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(path, f"the folder {folder} is not writable")
    for source in inputs:
        # By identity, not by name: so links and a file system that ignores case are seen through.
        if path.exists() and source.exists() and path.samefile(source):
            raise InputError(path, f"the output is the input {source}; it would be overwritten")


@contextlib.contextmanager
def atomic_write(path: Path) -> Iterator[BinaryIO]:
    """A binary file that appears under `path` when the block ends well, and not at all otherwise.

    For a file that the user named: it is asked first whether the place will do; a link keeps pointing where it points;
    and when the block has ended the file outlasts a power cut. Only writing belongs in the block: an OSError there is
    taken for a failure to write. Raises InputError when the file cannot be written.
    """
    check_writable(path)
    target = path.resolve()
    try:
        with write_aside(target) as file:
            yield file
    except OSError as error:
        raise InputError(path, f"cannot be written ({error.strerror or error})") from error
    synchronise_folder(target.parent)


@contextlib.contextmanager
def write_aside(target: Path) -> Iterator[BinaryIO]:
    """A binary file under a temporary name in the same folder, synchronised with the disk, and renamed to `target`
    when the block ends well.

    For one of the many files of a store of our own: nothing is asked before, an OSError stays one, and that the names
    outlast a power cut is left to `synchronise_folder`, once for all of them.
    """
    temporary = target.with_name(f".{secrets.token_hex(8)}{TEMPORARY}")  # the name itself may have full length
    try:
        with temporary.open("xb") as file:  # unlike mkstemp's, the permissions are those of any new file
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def remove_temporaries(folder: Path) -> None:
    """Take away what killed writers left aside in a folder; only for who alone writes there."""
    for leftover in folder.glob(f".*{TEMPORARY}"):
        leftover.unlink(missing_ok=True)


def synchronise_folder(folder: Path) -> None:
    """Makes renames last through a power cut, where the system lets a folder be opened (Windows does not)."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
