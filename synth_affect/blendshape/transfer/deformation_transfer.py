"""Deformation transfer (Sumner and Popovic 2004): a mesh is deformed as another one is, triangle by triangle.

The gradient of the displacement on each target triangle follows that of the source triangle it corresponds to, in the
sense of least squares. In the form of Botsch et al. 2006, whose unknowns are the vertices alone, that is a Poisson
equation whose matrix knows the target's rest shape only: it is factorised once.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import SuperLU, splu

from synth_affect.arrays import FloatArray, IntArray, readonly
from synth_affect.errors import ShapeError
from synth_affect.heads.mesh import Mesh, triangle_normals
from synth_affect.heads.model import LandmarkEmbedding, embed

LEAST_AREA_MM2 = 1e-6
"""A smaller triangle has no deformation to speak of."""


class DeformationTransfer:
    """Deforms one target like one source; made once a pair, called once a deformation.

    source, target : at rest.
    triangles : (n_target_triangles,) the source's triangle that each target triangle corresponds to; -1 for none, which
        asks that it keeps its shape.
    places : where on the source each target vertex lies. With them, displacements follow the source's own at the
        scale of `reach_mm` and above, and its deformations below; without them, deformations say all, and every piece
        of the target stays where it is on average, as if the source had not been moved.
    reach_mm : one length, or one a target vertex.
    Raises ShapeError when the counts differ, an index is out of range or the target has a triangle without area.
    """

    def __init__(
        self,
        source: Mesh,
        target: Mesh,
        triangles: IntArray,
        *,
        places: LandmarkEmbedding | None = None,
        reach_mm: float | FloatArray = 20.0,
    ) -> None:
        self._source, self._target, self._places = source, target, places
        n_vertices, n_triangles = len(target.vertices), len(target.triangles)
        partner = readonly(triangles, "triangles", (n_triangles,), np.int32)
        if partner.min(initial=0) < -1 or partner.max(initial=-1) >= len(source.triangles):
            raise ShapeError("triangles", f"indices from -1 to {len(source.triangles) - 1}", "others")
        if places is not None and len(places.triangles) != n_vertices:
            raise ShapeError("places", (n_vertices,), (len(places.triangles),))
        reach = readonly(np.broadcast_to(reach_mm, (n_vertices,)), "reach_mm", (n_vertices,), np.float64)
        if reach.min(initial=1) <= 0:
            raise ShapeError("reach_mm", "lengths above 0", f"{reach.min():g}")
        frames = _frames(source.vertices.astype(np.float64), source.triangles)
        usable = np.linalg.norm(frames[:, :, 2], axis=1) ** 2 > 2 * LEAST_AREA_MM2
        self._inverse_frames = np.zeros_like(frames)
        self._inverse_frames[usable] = np.linalg.inv(frames[usable])
        follows = (partner >= 0) & usable[partner]
        self._followers, self._partner = np.flatnonzero(follows), partner[follows]
        gradient, areas = gradient_operator(target)
        weighted = gradient.T @ sparse.diags(np.repeat(areas, 3))
        self._divergence = weighted.tocsr()[:, (3 * self._followers[:, None] + np.arange(3)).ravel()]
        matrix = (weighted @ gradient).tocsc()
        matrix.eliminate_zeros()  # a right angle couples nothing
        self._piece: IntArray | None = None
        self._free: IntArray = np.arange(n_vertices)
        self._masses: FloatArray = np.zeros(n_vertices)
        if places is None:
            self._piece = connected_components(matrix, directed=False)[1]
            first = np.unique(self._piece, return_index=True)[1]
            self._free = np.setdiff1d(np.arange(n_vertices), first)
            self._weight = vertex_areas(target, areas)
        else:
            self._masses = vertex_areas(target, areas) / reach**2
            # A vertex of no triangle is told its place by `places` alone.
            self._masses = np.where(self._masses > 0, self._masses, 1.0)
        system = (matrix + sparse.diags(self._masses)).tocsc()[self._free][:, self._free]
        self._solver = factorised(system) if len(self._free) else None

    def __call__(self, source_vertices: FloatArray) -> FloatArray:
        """(n_target_vertices, 3) float32, mm: the target, deformed as the source is.

        source_vertices : (n_source_vertices, 3) mm, the deformed source.
        """
        rest = self._source.vertices
        deformed = readonly(source_vertices, "source_vertices", rest.shape, np.float64)
        used = np.unique(self._partner)
        change = np.empty((len(self._source.triangles), 3, 3))
        change[used] = _frames(deformed, self._source.triangles[used]) @ self._inverse_frames[used] - np.eye(3)
        # Row 3 t + b of the gradient is the derivative along axis b in triangle t.
        right = self._divergence @ change[self._partner].transpose(0, 2, 1).reshape(-1, 3)
        if self._places is not None:
            right += self._masses[:, None] * embed(deformed - rest, self._source.triangles, self._places)
        offsets = np.zeros((len(self._target.vertices), 3))
        if self._solver is not None:
            offsets[self._free] = self._solver.solve(right[self._free])
        if self._piece is not None:
            total = np.maximum(np.bincount(self._piece, self._weight), 1e-300)
            for axis in range(3):
                mean = np.bincount(self._piece, self._weight * offsets[:, axis]) / total
                offsets[:, axis] -= mean[self._piece]
        moved: FloatArray = (self._target.vertices + offsets).astype(np.float32)
        return moved


def factorised(matrix: sparse.csc_matrix) -> SuperLU:
    """The factors of a symmetric positive definite matrix, in an order that keeps them sparse."""
    return splu(matrix.tocsc(), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})


def gradient_operator(mesh: Mesh) -> tuple[sparse.csr_matrix, FloatArray]:
    """(3 n_triangles, n_vertices): row 3 t + b gives the derivative along axis b of a function that is linear on
    triangle t from its values at the vertices; and (n_triangles,) areas, mm^2.

    Raises ShapeError for a triangle without area.
    """
    vertices = mesh.vertices.astype(np.float64)
    corners = vertices[mesh.triangles]
    normals = triangle_normals(vertices, mesh.triangles)
    doubled = np.linalg.norm(normals, axis=1)
    if doubled.min(initial=np.inf) < 2 * LEAST_AREA_MM2:
        raise ShapeError("target", "triangles with an area", f"triangle {int(doubled.argmin())} without")
    opposite = corners[:, [2, 0, 1]] - corners[:, [1, 2, 0]]
    slopes = np.cross(normals[:, None], opposite) / doubled[:, None, None] ** 2  # (n_triangles, corner, axis)
    n = len(mesh.triangles)
    rows: IntArray = np.broadcast_to(3 * np.arange(n)[:, None, None] + np.arange(3), (n, 3, 3))
    columns = np.broadcast_to(mesh.triangles[:, :, None], (n, 3, 3))
    operator = sparse.csr_matrix((slopes.ravel(), (rows.ravel(), columns.ravel())), shape=(3 * n, len(vertices)))
    return operator, 0.5 * doubled


def vertex_areas(mesh: Mesh, areas: FloatArray) -> FloatArray:
    """(n_vertices,) a third of the areas of the triangles around."""
    around = np.zeros(len(mesh.vertices))
    np.add.at(around, mesh.triangles.ravel(), np.repeat(areas / 3, 3))
    return around


def _frames(vertices: FloatArray, triangles: IntArray) -> FloatArray:
    """(n_triangles, 3, 3): columns are two edges and the normal as long as the root of the parallelogram's area
    (Sumner and Popovic 2004, eq. 1): so it grows with the triangle.
    """
    corners = vertices[triangles]
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    normal = np.cross(first, second)
    length = np.sqrt(np.linalg.norm(normal, axis=1, keepdims=True))
    return np.stack([first, second, normal / np.maximum(length, 1e-12)], axis=2)
