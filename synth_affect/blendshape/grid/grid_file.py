"""The file of a valence-arousal grid: one compressed npz without pickled objects."""

from __future__ import annotations

import json
import zipfile
import zlib
from pathlib import Path

import numpy as np

from synth_affect.affect import Emotion
from synth_affect.blendshape.grid.affect_grid import AffectGrid
from synth_affect.blendshape.sparse.components import SparseComponents
from synth_affect.data.atomic import atomic_write
from synth_affect.errors import InputError, ShapeError

FORMAT = "synth-affect/grid/1"
TABLES = ("typical", "mean", "deviation", "lower", "upper", "correlation_root", "category_typical")


def save_grid(grid: AffectGrid, path: Path) -> None:
    """Write `grid`; offsets of the components as float16 (mm, so the error stays below 0.01 mm at 10 mm),
    the rest exactly.

    Raises InputError when the file cannot be written.
    """
    meta = {
        "format": FORMAT,
        "topology": grid.topology,
        "constraint": grid.components.constraint,
        "categories": grid.categories,
        "source": grid.source,
    }
    with atomic_write(path) as file:
        np.savez_compressed(
            file,
            meta=np.frombuffer(json.dumps(meta, sort_keys=True).encode(), dtype=np.uint8),
            offsets=grid.components.offsets.astype(np.float16),
            centres=grid.components.centres,
            radii_mm=grid.components.radii_mm,
            counts=grid.counts,
            thin=grid.thin,
            medians=grid.medians,
            **{name: getattr(grid, name) for name in TABLES},
        )


def load_grid(path: Path) -> AffectGrid:
    """Read what `save_grid` wrote. Raises InputError when the file is absent, damaged or of another format."""
    try:
        # As a file of its own: np.load leaves a damaged archive open.
        with path.open("rb") as file:
            if file.read(2) != b"PK":  # numpy would take it for a pickle, and say how to open one
                raise InputError(path, "not a grid (no npz archive)")
            file.seek(0)
            with np.load(file, allow_pickle=False) as arrays:
                meta = json.loads(arrays["meta"].tobytes())
                if meta["format"] != FORMAT:
                    raise InputError(path, f"grid format {meta['format']}, expected {FORMAT}")
                components = SparseComponents(
                    arrays["offsets"], meta["constraint"], arrays["centres"], arrays["radii_mm"], meta["topology"]
                )
                return AffectGrid(
                    source=dict(meta["source"]),
                    components=components,
                    counts=arrays["counts"],
                    thin=arrays["thin"],
                    medians=arrays["medians"],
                    categories=tuple(Emotion(name) for name in meta["categories"]),
                    **{name: arrays[name] for name in TABLES},
                )
    except FileNotFoundError:
        raise InputError(path, "no such file") from None
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})") from error
    except (KeyError, TypeError, ValueError, EOFError, ShapeError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(path, f"not a grid ({error})") from error
