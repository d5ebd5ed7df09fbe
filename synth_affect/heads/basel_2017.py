"""Basel Face Model 2017 and 2019 (Gerig et al. 2018): HDF5 of statismo.

`/shape/model/mean` (3 n,), `/shape/model/pcaBasis` (3 n, k) of unit length, `/shape/model/pcaVariance` (k,), which are
variances, in millimetres; `/shape/representer/cells` (3, m), from 0.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from synth_affect.heads.foreign import ForeignHead, components, foreign_head, reading
from synth_affect.optional import import_optional

NAME = "bfm2017"
LICENCE = "non-commercial research"
SOURCE = "Basel Face Model 2017 or 2019, University of Basel"
MAGIC = b"\x89HDF\r\n\x1a\n"
EXTRA = "heads"


def load_basel_2017(path: Path) -> ForeignHead:
    """The head of the file.

    Raises InputError when it is absent, damaged or something else, MissingDependencyError without h5py.
    """
    h5py = import_optional("h5py", EXTRA)
    with reading(path, "a Basel Face Model of 2017 or 2019"), h5py.File(path, "r") as file:
        mean, basis, variances = (file[f"shape/model/{name}"][()] for name in ("mean", "pcaBasis", "pcaVariance"))
        cells = file["shape/representer/cells"][()]
        identity = components(basis, np.sqrt(np.maximum(variances, 0)))
        triangles = (cells.T if cells.shape[0] == 3 else cells).astype(np.int64)
        return foreign_head(NAME, LICENCE, SOURCE, mean.reshape(-1, 3), triangles, identity)
