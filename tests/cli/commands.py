"""Commands that are run in this process, and what they leave behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from synth_affect.cli import main

JOY = ["--valence", "0.6", "--arousal", "0.3"]


def pixels(path: Path) -> Any:
    with Image.open(path) as image:
        return np.asarray(image)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below `folder`, hidden ones too."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def run(*arguments: str | Path) -> int:
    return main([str(argument) for argument in arguments])
