"""Which vertices of a face a scanner can see."""

from __future__ import annotations

import numpy as np

from synth_affect.arrays import BoolArray, FloatArray, IntArray
from synth_affect.blendshape.registration.surface import SurfaceTree
from synth_affect.heads.mesh import vertex_normals

YAWS_RAD = (0.0, -0.9, 0.9, -0.45, 0.45)
PITCHES_RAD = (0.0, -0.4, 0.4)
MIN_COSINE = 0.2
"""A surface turned further away than this from the eye gives a scanner nothing."""
LIFT_MM = 0.05
START_MM = 0.3


def visible_vertices(vertices: FloatArray, triangles: IntArray) -> BoolArray:
    """(n_vertices,) bool: seen from one of fifteen directions in front, past the mesh itself.

    vertices : (n_vertices, 3) mm, head frame. The insides of closed lips and the folds behind lids are not seen.
    """
    tree = SurfaceTree(vertices, triangles)
    normals = vertex_normals(tree.vertices, tree.triangles)
    lifted = tree.vertices + LIFT_MM * normals
    seen = np.zeros(len(lifted), dtype=np.bool_)
    for yaw in YAWS_RAD:
        for pitch in PITCHES_RAD:
            to_eye = np.array([np.sin(yaw) * np.cos(pitch), np.sin(pitch), np.cos(yaw) * np.cos(pitch)])
            asked = np.flatnonzero(~seen & (normals @ to_eye > MIN_COSINE))
            seen[asked] = ~tree.blocked(lifted[asked], to_eye, start_mm=START_MM)
    return seen
