"""What a registration gives, whichever way it was made."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_affect.arrays import BoolArray, FloatArray, readonly
from synth_affect.blendshape.registration.rigid import RigidMotion


@dataclass(frozen=True, slots=True, eq=False)
class Registration:
    """The template's vertices on a scan.

    vertices : (n_vertices, 3) float32, mm, the scan's frame.
    scan_to_head : brings them into the head frame, as close to the template as a rigid motion can. A sequence takes
        one motion from its neutral frame and aligns the others to that one, see `fit_rigid_robust`.
    matched : (n_vertices,) bool, the vertex found a partner on the scan; the others follow their neighbours.
    iterations : solves that it took.  converged : the last one moved the vertices by less than the settings ask for.
    residual_mm : median distance to the scan over the matched vertices.
    """

    vertices: FloatArray
    scan_to_head: RigidMotion
    matched: BoolArray
    iterations: int
    converged: bool
    residual_mm: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "vertices", readonly(self.vertices, "vertices", ("n_vertices", 3), np.float32))
        object.__setattr__(self, "matched", readonly(self.matched, "matched", (len(self.vertices),), np.bool_))
