"""One writer at a time: a lock on a file, which the system lets go of when the process ends, however it does."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from pathlib import Path
from typing import IO

from synth_affect.errors import InputError


def lock_file(path: Path, guarded: Path) -> IO[bytes]:
    """The open file `path`, made where it is not there; others may write again when it is closed.

    guarded : what is written to under the lock, for messages.
    Raises InputError when another process holds the lock, or the file cannot be opened.
    """
    while True:
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
        if _is_at(file, path):
            return file
        file.close()  # its holder removed it between our opening and our locking


def remove_lock(path: Path, file: IO[bytes]) -> None:
    """Let others write again, and leave nothing behind: `file` is the open lock at `path`."""
    with contextlib.suppress(OSError):  # Windows removes no open file; then it stays, unlocked
        path.unlink()
    file.close()


def _is_at(file: IO[bytes], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except OSError:
        return False


def _lock(file: IO[bytes]) -> None:
    """Raises OSError at once when the file is locked by another opening of it."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
