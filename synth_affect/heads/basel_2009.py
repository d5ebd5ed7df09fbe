"""Basel Face Model 2009 (Paysan et al. 2009): `01_MorphableModel.mat`.

`shapeMU` (3 n, 1) micrometres, `shapePC` (3 n, 199), `shapeEV` (199, 1), which are standard deviations, `tl` (m, 3),
from 1.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from synth_affect.heads.foreign import ForeignHead, components, foreign_head, reading
from synth_affect.heads.matlab import read_matlab

NAME = "bfm2009"
LICENCE = "non-commercial research"
SOURCE = "Basel Face Model 2009, University of Basel"
VARIABLES = ("shapeMU", "shapePC", "shapeEV", "tl")


def load_basel_2009(path: Path) -> ForeignHead:
    """The head of the file. Raises InputError when it is absent, damaged or something else."""
    with reading(path, "a Basel Face Model of 2009"):
        mean, basis, deviations, triangles = read_matlab(path, VARIABLES).values()
        identity = components(basis, deviations)
        corners = triangles.astype(np.int64) - 1
        return foreign_head(NAME, LICENCE, SOURCE, mean.reshape(-1, 3), corners, identity)
