"""Surrey Face Model (Huber et al. 2016) as eos stores it: a `.bin` of the library cereal, little-endian.

uint32 version 1; the matrices mean (3 n, 1), basis (3 n, k) and eigenvalues (k, 1), which are variances, each as
uint32 rows, uint32 columns and float32 numbers, column after column; uint64 count of triangles and 3 int32 each, from
0. Colours and texture coordinates follow, and are not read. Millimetres.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from synth_affect.arrays import FloatArray
from synth_affect.heads.foreign import ForeignHead, components, foreign_head, reading

NAME = "sfm"
LICENCE = "non-commercial research"
SOURCE = "Surrey Face Model, University of Surrey"
VERSION = struct.pack("<I", 1)


def load_surrey(path: Path) -> ForeignHead:
    """The head of the file. Raises InputError when it is absent, damaged or something else."""
    with reading(path, "a Surrey Face Model"):
        content = path.read_bytes()
        if content[: len(VERSION)] != VERSION:
            raise ValueError("it does not begin with version 1")
        mean, place = _matrix(content, len(VERSION))
        basis, place = _matrix(content, place)
        variances, place = _matrix(content, place)
        (n_triangles,) = struct.unpack_from("<Q", content, place)
        triangles = np.frombuffer(content, "<i4", 3 * n_triangles, place + 8).reshape(-1, 3)
        identity = components(basis, np.sqrt(np.maximum(variances, 0)))
        return foreign_head(NAME, LICENCE, SOURCE, mean.reshape(-1, 3), triangles, identity)


def _matrix(content: bytes, place: int) -> tuple[FloatArray, int]:
    """(rows, columns) and where the next thing begins."""
    rows, columns = struct.unpack_from("<II", content, place)
    numbers = np.frombuffer(content, "<f4", rows * columns, place + 8)
    return numbers.reshape(columns, rows).T, place + 8 + 4 * rows * columns
