"""GNM Head (Google): `gnm_head.npz`.

`template_vertex_positions` (n, 3) metres, `triangles` (m, 3), `vertex_identity_basis` (k, n, 3) for one standard
deviation. Its expressions are of regions, not of ARKit's names, and are not read.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from synth_affect.heads.foreign import ForeignHead, foreign_head, reading

NAME = "gnm"
LICENCE = "Apache-2.0"
SOURCE = "GNM Head, Google"
MEMBER = "template_vertex_positions"


def load_gnm(path: Path) -> ForeignHead:
    """The head of the file. Raises InputError when it is absent, damaged or something else."""
    # As a file of its own: np.load leaves a damaged archive open.
    with reading(path, "a GNM head"), path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        vertices, triangles = arrays[MEMBER], arrays["triangles"].astype(np.int64)
        return foreign_head(NAME, LICENCE, SOURCE, vertices, triangles, arrays["vertex_identity_basis"])
