"""Distances along the surface of a mesh, by the heat method (Crane, Weischedel, Wardetzky 2013) of potpourri3d."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from synth_affect.arrays import FloatArray, IntArray, readonly
from synth_affect.errors import ShapeError
from synth_affect.heads.mesh import Mesh
from synth_affect.optional import import_optional


class HeatGeodesics:
    """Distances from any vertex of one mesh; its two linear systems are factored once.

    geodesics = HeatGeodesics(mesh); geodesics(source) is (n_vertices,) float32, mm: 0 at the source, infinite where no
    path leads, so in other parts of the mesh and at vertices without a triangle.

    Raises ShapeError for a mesh without triangles or with indices that name no vertex, MissingDependencyError without
    the extra `gallery`.
    """

    def __init__(self, mesh: Mesh) -> None:
        potpourri3d = import_optional("potpourri3d", "gallery")
        n_vertices = len(mesh.vertices)
        if not len(mesh.triangles):
            raise ShapeError("triangles", "at least one", "none")
        if mesh.triangles.min() < 0 or mesh.triangles.max() >= n_vertices:
            expected = f"indices in [0, {n_vertices})"
            raise ShapeError("triangles", expected, f"{mesh.triangles.min()} to {mesh.triangles.max()}")
        self._part = _parts(mesh.triangles, n_vertices)
        # The solver wants every vertex in a triangle.
        self._used = np.unique(mesh.triangles)
        compact = np.full(n_vertices, -1, dtype=np.int32)
        compact[self._used] = np.arange(len(self._used), dtype=np.int32)
        self._compact = compact
        self._solver = potpourri3d.MeshHeatMethodDistanceSolver(
            mesh.vertices[self._used].astype(np.float64), compact[mesh.triangles]
        )

    @property
    def n_vertices(self) -> int:
        """Vertices of the mesh."""
        return len(self._part)

    def __call__(self, source: int) -> FloatArray:
        """(n_vertices,) float32, mm, read-only: distances from the vertex `source`.

        Raises ShapeError when there is no such vertex.
        """
        if not 0 <= source < self.n_vertices:
            raise ShapeError("source", f"a vertex in [0, {self.n_vertices})", str(source))
        distances = np.full(self.n_vertices, np.inf, dtype=np.float32)
        if self._compact[source] >= 0:
            near = self._solver.compute_distance(int(self._compact[source]))
            # The solution is smoothed near its source, where it is a little above 0 or below.
            distances[self._used] = np.maximum(near, 0)
            distances[self._part != self._part[source]] = np.inf
        distances[source] = 0
        return readonly(distances, "distances", (self.n_vertices,), np.float32, finite=False)


def _parts(triangles: IntArray, n_vertices: int) -> IntArray:
    """(n_vertices,) number of the connected part that each vertex belongs to."""
    start, end = triangles.ravel(), np.roll(triangles, 1, axis=1).ravel()
    edges = coo_array((np.ones(len(start), dtype=np.int8), (start, end)), shape=(n_vertices, n_vertices))
    parts: IntArray = connected_components(edges, directed=False)[1]
    return parts
