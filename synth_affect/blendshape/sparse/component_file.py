"""The file of sparse localized components: one compressed npz without pickled objects."""

from __future__ import annotations

import json
import zipfile
import zlib
from pathlib import Path

import numpy as np

from synth_affect.blendshape.sparse.components import SparseComponents
from synth_affect.data.atomic import atomic_write
from synth_affect.errors import InputError

FORMAT = "synth-affect/sparse-components/1"


def save_components(components: SparseComponents, path: Path) -> None:
    """Write `components`; offsets as float16 (mm, so the error stays below 0.01 mm at 10 mm), the rest exactly.

    Raises InputError when the file cannot be written.
    """
    meta = {"format": FORMAT, "constraint": components.constraint, "topology": components.topology}
    with atomic_write(path) as file:
        np.savez_compressed(
            file,
            meta=np.frombuffer(json.dumps(meta, sort_keys=True).encode(), dtype=np.uint8),
            offsets=components.offsets.astype(np.float16),
            centres=components.centres,
            radii_mm=components.radii_mm,
        )


def load_components(path: Path, *, topology: str | None = None) -> SparseComponents:
    """Read what `save_components` wrote.

    topology : id of the template that they are wanted for.
    Raises InputError when the file is absent, damaged, of another format or for another template.
    """
    try:
        # As a file of its own: np.load leaves a damaged archive open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            meta = json.loads(arrays["meta"].tobytes())
            if meta["format"] != FORMAT:
                raise InputError(path, f"components of format {meta['format']}, expected {FORMAT}")
            if topology is not None and meta["topology"] != topology:
                raise InputError(path, f"components of template {meta['topology']}, expected {topology}")
            return SparseComponents(
                arrays["offsets"], meta["constraint"], arrays["centres"], arrays["radii_mm"], meta["topology"]
            )
    except FileNotFoundError:
        raise InputError(path, "no such file") from None
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})") from error
    except (KeyError, TypeError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(path, f"not sparse components ({error})") from error
