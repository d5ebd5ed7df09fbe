"""Errors of the package. Each carries its facts as attributes; only the command turns them into text and exit codes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


class SynthAffectError(Exception):
    """Root of all errors that this package raises on purpose."""


class InputError(SynthAffectError):
    """A file or value that came from the user cannot be used.

    path : the file or option concerned.  reason : what is wrong with it, in one clause.
    """

    def __init__(self, path: str | Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = str(path)
        self.reason = reason

    def __reduce__(self) -> tuple[type[InputError], tuple[str, str]]:
        return type(self), (self.path, self.reason)  # so that it survives a worker's pickle


class NoFaceError(InputError):
    """No face was found in the picture `path`."""

    def __init__(self, path: str | Path, reason: str = "no face found") -> None:
        super().__init__(path, reason)


class ShapeError(SynthAffectError, ValueError):
    """An array has another shape, dtype or content than its place asks for.

    name : the argument.  expected, actual : shapes (a dimension may be a name, meaning any count) or words.
    """

    def __init__(self, name: str, expected: Sequence[int | str] | str, actual: Sequence[int] | str) -> None:
        super().__init__(f"{name}: expected {_words(expected)}, got {_words(actual)}")
        self.name = name
        self.expected = expected
        self.actual = actual

    def __reduce__(self) -> tuple[type[ShapeError], tuple[object, ...]]:
        return type(self), (self.name, self.expected, self.actual)


class FitError(SynthAffectError):
    """A fit has no answer: degenerate points, or a solver that left the finite numbers."""


class MissingDependencyError(SynthAffectError, ImportError):
    """An optional package is absent. extra : the extra of synth-affect that brings it."""

    def __init__(self, package: str, extra: str, cause: str) -> None:
        super().__init__(f'{package} cannot be imported ({cause}); to install it: pip install "synth-affect[{extra}]"')
        self.package = package
        self.extra = extra
        self.cause = cause

    def __reduce__(self) -> tuple[type[MissingDependencyError], tuple[str, str, str]]:
        return type(self), (self.package, self.extra, self.cause)


def _words(shape: Sequence[int | str] | str) -> str:
    return shape if isinstance(shape, str) else "(" + ", ".join(str(n) for n in shape) + ")"
