"""Small text files that a user names: what is asked of them before they are read, and a bound while they are."""

from __future__ import annotations

from pathlib import Path

from synth_affect.errors import InputError


def why_no_file(path: Path, kind: str) -> str | None:
    """Why `path` is there but no file to read, as a clause; None where it is one, or is not there at all.

    kind : what the file is to be ("fit file").  A pipe counts: who opens one waits for its writer.
    Raises OSError for a name that no file can have.
    """
    if path.is_dir():
        return f"a folder, not a {kind}"
    if path.exists() and not path.is_file():
        return "not a regular file"
    return None


def read_text_file(path: Path, kind: str, max_bytes: int) -> str:
    """The text of `path`, UTF-8 with or without its mark.

    Raises InputError when it is not there, no regular file, not text, or larger than `max_bytes`.
    """
    try:
        reason = why_no_file(path, kind)
        if reason is not None:
            raise InputError(path, reason)
        with path.open("rb") as file:
            content = file.read(max_bytes + 1)
    except FileNotFoundError:
        raise InputError(path, f"no such {kind}") from None
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})") from error
    if len(content) > max_bytes:
        raise InputError(path, f"too large for a {kind}")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(path, f"not a {kind}: not text") from None
