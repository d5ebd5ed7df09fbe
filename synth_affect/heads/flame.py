"""FLAME (Li et al. 2017) 2019, 2020, 2023 and 2023 Open: a pickle of Python 2 that holds chumpy's objects.

`v_template` (5023, 3) metres, `f` (9976, 3), `shapedirs` (5023, 3, 400), of which 300 are identity and 100 expression,
each for one standard deviation. Joints and poses are not read: an edit's units are ARKit's.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from synth_affect.errors import ShapeError
from synth_affect.heads.foreign import ForeignHead, foreign_head, reading
from synth_affect.heads.restricted_pickle import as_array, read_pickle

NAME = "flame"
LICENCE = "CC-BY-4.0 for FLAME 2023 Open; the others for non-commercial research"
SOURCE = "FLAME, Max Planck Institute for Intelligent Systems"
N_IDENTITY = 300


def load_flame(path: Path) -> ForeignHead:
    """The head of a FLAME pickle; nothing in it is run.

    Raises InputError when the file is absent, damaged, something else, or asks for code.
    """
    with reading(path, "a FLAME model"):
        content = read_pickle(path)
        if not isinstance(content, dict):
            raise TypeError("it is no dictionary")
        vertices, triangles = as_array(content["v_template"]), as_array(content["f"])
        directions = as_array(content["shapedirs"])
        if directions.ndim != 3 or directions.shape[:2] != vertices.shape:
            raise ShapeError("shapedirs", (*vertices.shape, "n_components"), directions.shape)
        identity = np.moveaxis(directions[:, :, :N_IDENTITY], 2, 0)
        return foreign_head(NAME, LICENCE, SOURCE, vertices, triangles.astype(np.int64), identity)
