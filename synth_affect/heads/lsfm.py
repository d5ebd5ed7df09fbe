"""Large Scale Facial Model (Booth et al. 2016): `<group>.mat` and `<group>_cropped.mat`.

`mean` (3 n), `components` (3 n, k) of unit length, `eigenvalues` (k), which are variances, `trilist` (m, 3), from 0.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from synth_affect.heads.foreign import ForeignHead, components, foreign_head, reading
from synth_affect.heads.matlab import read_matlab

NAME = "lsfm"
LICENCE = "non-commercial research"
SOURCE = "Large Scale Facial Model, Imperial College London"
VARIABLES = ("mean", "components", "eigenvalues", "trilist")


def load_lsfm(path: Path) -> ForeignHead:
    """The head of the file. Raises InputError when it is absent, damaged or something else."""
    with reading(path, "a Large Scale Facial Model"):
        mean, basis, variances, triangles = read_matlab(path, VARIABLES).values()
        identity = components(basis, np.sqrt(np.maximum(variances, 0)))
        return foreign_head(NAME, LICENCE, SOURCE, mean.reshape(-1, 3), triangles.astype(np.int64), identity)
