"""The photograph of the demo: one that is free, shows a face, and is on the disk already."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

from synth_affect.errors import InputError

WHEEL, NAME_IN_WHEEL = "scikit-image", "astronaut.png"


def find_demo_picture() -> Path:
    """`skimage.data.astronaut()` as the file that scikit-image brings: Eileen Collins, NASA, public domain.

    Raises InputError when the installed scikit-image is without it, as those of some Linux distributions are.
    """
    try:
        files = importlib.metadata.files(WHEEL) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        path = Path(str(file.locate()))
        if file.name == NAME_IN_WHEEL and path.is_file():
            return path
    raise InputError(NAME_IN_WHEEL, f"{WHEEL} is installed without it; pip install --force-reinstall {WHEEL}")
