"""One writer at a time: a lock on a file, which the system lets go of when the process ends, however it does."""

from __future__ import annotations

import errno
import sys
from pathlib import Path
from typing import IO

from synth_affect.errors import InputError


def lock_file(path: Path, guarded: Path) -> IO[bytes]:
    """The open file `path`, made where it is not there; others may write again when it is closed.

    guarded : what is written to under the lock, for messages.
    Raises InputError when another process holds the lock, or the file cannot be opened.
    """
    try:
        file = path.open("ab")
    except OSError as error:
        raise InputError(guarded, f"cannot be written ({error.strerror or error})") from error
    try:
        _lock(file)
    except OSError as error:
        file.close()
        if error.errno in (errno.EACCES, errno.EAGAIN):
            raise InputError(guarded, "another process is writing to it") from None
        raise InputError(guarded, f"cannot be locked ({error.strerror or error})") from error
    return file


def _lock(file: IO[bytes]) -> None:
    """Raises OSError at once when the file is locked by another opening of it."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
