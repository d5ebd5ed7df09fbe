"""From a displacement of the face template to all of a head: jaw, teeth, tongue and neck go along.

Within one topology this is the paper's additive transfer: the displacement is added as it is, whoever's face it came
from. What a template does not have is explained through the head's own units.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import sparse
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import nnls
from scipy.spatial import cKDTree

from synth_affect.arrays import FloatArray, IntArray, readonly
from synth_affect.blendshape.template import face_vertices
from synth_affect.blendshape.transfer.deformation_transfer import factorised, gradient_operator, vertex_areas
from synth_affect.heads.mesh import Mesh
from synth_affect.heads.model import HeadModel, region_triangles, region_vertices

AROUND = ("neck", "scalp", "ears", "mouth_cavity")
"""Regions that hang on the face."""
STILL = ("eyeball", "iris")
"""A face says nothing of the gaze."""
FADING_MM = 25.0
"""What the units leave unexplained fades away from the face over this distance."""
RIDGE_MM = 0.2
"""Root mean square over the face that a unit must explain, at weight 1, to be worth its use."""


class WholeHead:
    """Extends displacements of `face_template(head)` to the head; made once a head, called once a displacement."""

    def __init__(self, head: HeadModel) -> None:
        self._face = face_vertices(head)
        self._n_vertices = len(head.mean)
        self._units = head.expression_units.reshape(len(head.unit_names), -1)
        self._face_units = head.expression_units[:, self._face].reshape(len(head.unit_names), -1).astype(np.float64)
        ridge = RIDGE_MM**2 * len(self._face)
        self._root = cholesky(self._face_units @ self._face_units.T + ridge * np.eye(len(self._face_units)))
        self._still = region_vertices(head, *STILL)
        self._around, self._extension = _fading(head)
        lashes = region_vertices(head, "lashes")
        self._lashes = np.setdiff1d(lashes, self._face)
        lids = region_vertices(head, "lids")
        self._lash_roots = lids[cKDTree(head.mean[lids]).query(head.mean[self._lashes])[1]]

    def explain(self, face_offsets: FloatArray) -> FloatArray:
        """(n_units,) float32, at least 0: the head's own units that come nearest to a displacement of its template.

        face_offsets : (n_face_vertices, 3) mm.
        """
        wanted = readonly(face_offsets, "face_offsets", (len(self._face), 3), np.float64)
        right = solve_triangular(self._root, self._face_units @ wanted.ravel(), trans="T")
        weights: FloatArray = nnls(self._root, right)[0].astype(np.float32)
        return weights

    def __call__(self, face_offsets: FloatArray) -> FloatArray:
        """(n_vertices, 3) float32, mm: on the face the displacement itself; around it the units that explain it and,
        fading away, what they leave over; teeth, gums and tongue by the units alone; eyes still.

        face_offsets : (n_face_vertices, 3) mm, on `face_template(head)`.
        """
        weights = self.explain(face_offsets)
        used = np.flatnonzero(weights)
        offsets = (weights[used] @ self._units[used]).reshape(self._n_vertices, 3).astype(np.float64)
        left = face_offsets - offsets[self._face]
        offsets[self._around] += self._extension(left)
        offsets[self._face] = face_offsets
        offsets[self._still] = 0
        offsets[self._lashes] = offsets[self._lash_roots]
        return offsets.astype(np.float32)


def _fading(head: HeadModel) -> tuple[IntArray, Callable[[FloatArray], FloatArray]]:
    """The vertices around the face, and the smooth map from offsets of the face to theirs."""
    face = face_vertices(head)
    vertices, local = np.unique(head.triangles[region_triangles(head, *AROUND)], return_inverse=True)
    skin = Mesh(head.mean[vertices], local.reshape(-1, 3))
    gradient, areas = gradient_operator(skin)
    stiffness = gradient.T @ sparse.diags(np.repeat(areas, 3)) @ gradient
    # Small offsets and small slopes at once: they fall to 1/e over FADING_MM.
    system = (stiffness + sparse.diags(vertex_areas(skin, areas) / FADING_MM**2)).tocsr()
    on_face = np.isin(vertices, face)
    free, rim = np.flatnonzero(~on_face), np.flatnonzero(on_face)
    solver = factorised(system[free][:, free])
    coupling = system[free][:, rim].tocsr()
    rim_on_face = np.searchsorted(face, vertices[rim])

    def extension(face_offsets: FloatArray) -> FloatArray:
        around: FloatArray = solver.solve(-(coupling @ face_offsets[rim_on_face].astype(np.float64)))
        return around

    return vertices[free], extension
