"""Pictures that networks drew and that have no photograph behind them, as PNG files that say so."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import synth_affect
from synth_affect.data.picture import Picture
from synth_affect.data.pictures import write_picture
from synth_affect.data.provenance import Provenance


def write_figure(
    pixels: npt.NDArray[np.uint8], path: Path, *, shows: Mapping[str, Any], maker: str, digest: str
) -> None:
    """(height, width, 3) into `path`, a .png. shows : JSON values.  maker : who drew.  digest : sha256 of what from.

    Raises InputError when the file cannot be written; then nothing is.
    """
    like = Picture(pixels, None, None, None, "PNG", path)
    write_picture(pixels, path, like, Provenance(shows, synth_affect.__version__, maker, digest))
