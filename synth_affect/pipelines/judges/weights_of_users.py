"""Files of weights that come from anywhere, and what foreign libraries say of them."""

from __future__ import annotations

from pathlib import Path

from synth_affect.errors import InputError


def check_weights_file(path: Path) -> None:
    """Raises InputError when there is no such file."""
    try:
        there = path.is_file()
    except (OSError, ValueError) as error:  # a name that no file can have
        raise InputError(str(path)[:80], f"cannot be read ({getattr(error, 'strerror', None) or error})") from error
    if not there:
        raise InputError(path, "no such file")


def first_line(error: Exception) -> str:
    """Of what a foreign library says, or the name of its error when it says nothing."""
    return (str(error) or type(error).__name__).splitlines()[0]
