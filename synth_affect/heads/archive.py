"""The packed file of a head model: one compressed npz without pickled objects."""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.lib.npyio import NpzFile

from synth_affect.arrays import IntArray
from synth_affect.errors import InputError
from synth_affect.heads.model import HeadModel, LandmarkEmbedding

FORMAT = "synth-affect/head/1"


def topology_id(triangles: IntArray) -> str:
    """A short id of a triangle list; whatever is stored per vertex is bound to it."""
    return hashlib.sha256(np.ascontiguousarray(triangles, dtype="<i4").tobytes()).hexdigest()[:16]


def save_head(head: HeadModel, path: Path | BinaryIO) -> None:
    """Write `head`; bases as float16 (mm, so the error stays below 0.01 mm at 10 mm), the rest exactly."""
    meta = {
        "format": FORMAT,
        "name": head.name,
        "licence": head.licence,
        "source": head.source,
        "unit_names": head.unit_names,
        "region_names": head.region_names,
    }
    np.savez_compressed(
        path,
        meta=np.frombuffer(json.dumps(meta, sort_keys=True).encode(), dtype=np.uint8),
        mean=head.mean,
        triangles=_narrow(head.triangles),
        identity_basis=head.identity_basis.astype(np.float16),
        expression_units=head.expression_units.astype(np.float16),
        triangle_regions=head.triangle_regions,
        uv=head.uv.astype(np.float16),
        uv_triangles=_narrow(head.uv_triangles),
        mirror=_narrow(head.mirror),
        landmarks_478_triangles=_narrow(head.landmarks_478.triangles),
        landmarks_478_barycentric=head.landmarks_478.barycentric,
        landmarks_68_triangles=_narrow(head.landmarks_68.triangles),
        landmarks_68_barycentric=head.landmarks_68.barycentric,
    )


def load_head(path: Path) -> HeadModel:
    """Read a packed head. Raises InputError when the file is absent, damaged or of another format."""
    try:
        # As a file of its own: np.load leaves a damaged archive open.
        with path.open("rb") as file, _opened(path, file) as arrays:
            meta = json.loads(arrays["meta"].tobytes())
            if meta["format"] != FORMAT:
                raise InputError(path, f"head format {meta['format']}, expected {FORMAT}")
            triangles = arrays["triangles"].astype(np.int32)
            return HeadModel(
                name=meta["name"],
                licence=meta["licence"],
                source=meta["source"],
                topology=topology_id(triangles),
                mean=arrays["mean"],
                triangles=triangles,
                identity_basis=arrays["identity_basis"],
                expression_units=arrays["expression_units"],
                unit_names=tuple(meta["unit_names"]),
                triangle_regions=arrays["triangle_regions"],
                region_names=tuple(meta["region_names"]),
                uv=arrays["uv"],
                uv_triangles=arrays["uv_triangles"],
                mirror=arrays["mirror"],
                landmarks_478=LandmarkEmbedding(arrays["landmarks_478_triangles"], arrays["landmarks_478_barycentric"]),
                landmarks_68=LandmarkEmbedding(arrays["landmarks_68_triangles"], arrays["landmarks_68_barycentric"]),
            )
    except FileNotFoundError:
        raise InputError(path, "no such file") from None
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})") from error
    except (KeyError, TypeError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(path, f"not a packed head model ({error})") from error


def _opened(path: Path, file: BinaryIO) -> NpzFile:
    if file.read(2) != b"PK":  # numpy would take it for a pickle, and say how to open one
        raise InputError(path, "not a packed head model (no npz archive)")
    file.seek(0)
    archive: NpzFile = np.load(file, allow_pickle=False)
    return archive


def _narrow(indices: IntArray) -> IntArray:
    return indices.astype(np.uint16) if indices.max() < 2**16 else indices
