"""The one way in which optional packages are imported."""

from __future__ import annotations

import importlib
from types import ModuleType

from synth_affect.errors import MissingDependencyError


def import_optional(module: str, extra: str) -> ModuleType:
    """The module `module`, or MissingDependencyError that names the extra to install."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingDependencyError(module.partition(".")[0], extra, str(error)) from error
