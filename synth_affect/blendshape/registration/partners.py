"""The points of a scan that the vertices of a template are drawn to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_affect.arrays import BoolArray, FloatArray, IntArray
from synth_affect.blendshape.registration.nonrigid_icp_settings import Level
from synth_affect.blendshape.registration.surface import NOWHERE, SurfaceTree
from synth_affect.blendshape.registration.visibility import visible_vertices
from synth_affect.heads.mesh import vertex_normals


@dataclass(frozen=True, slots=True, eq=False)
class Pull:
    """Where each vertex is drawn to: points, (n, 3); planes' normals, (n, 3) unit; weights, (n,), 0 without partner;
    distances, (n,) mm.
    """

    points: FloatArray
    normals: FloatArray
    weights: FloatArray
    distances: FloatArray


class Partners:
    """The scan's points that the vertices go to, and what was found so far."""

    def __init__(self, tree: SurfaceTree, triangles: IntArray, seen: BoolArray | None) -> None:
        self._tree = tree
        self._triangles = triangles
        self._rest_seen = seen
        self._seen: IntArray = np.empty(0, dtype=np.int64)
        self._guess: IntArray = np.empty(0, dtype=np.int32)  # the triangles found last

    def look(self, shape: FloatArray) -> None:
        """Only what can be seen on `shape` has partners from now on; on the template at rest that is known."""
        seen = visible_vertices(shape, self._triangles) if self._rest_seen is None else self._rest_seen
        self._rest_seen = None
        self._seen = np.flatnonzero(seen)
        if len(self._guess) == 0:
            self._guess = np.full(len(shape), NOWHERE, dtype=np.int32)

    def pull(self, shape: FloatArray, level: Level, weights: FloatArray, least_scale_mm: float = 0.3) -> Pull:
        """What draws `shape` now. weights : (n,), of vertices that lie on their partners; the further, the less.

        How far is far: one and a half times the median distance, and at least `least_scale_mm`.
        """
        own_normals = vertex_normals(shape, self._triangles)
        seen = self._seen
        near = self._tree.nearest(
            shape[seen],
            normals=own_normals[seen],
            min_cosine=level.min_cosine,
            max_distance_mm=level.reach_mm,
            guess=self._guess[seen],
        )
        self._guess[seen] = near.triangles
        accepted = (near.triangles != NOWHERE) & ~near.on_boundary
        vertex = seen[accepted]
        points, normals = shape.copy(), own_normals.copy()
        distances, robust = np.full(len(shape), np.inf), np.zeros(len(shape))
        points[vertex] = near.points[accepted]
        # The plane lies between the two surfaces (symmetric ICP, Rusinkiewicz 2019); the scan's noise counts half.
        between = near.normals[accepted] + own_normals[vertex]
        normals[vertex] = between / np.maximum(np.linalg.norm(between, axis=1, keepdims=True), 1e-9)
        distances[vertex] = near.distances[accepted]
        if len(vertex) > 0:
            scale = max(1.5 * float(np.median(distances[vertex])), least_scale_mm)
            robust[vertex] = weights[vertex] / (1 + (distances[vertex] / scale) ** 2) ** 2
        return Pull(points, normals, robust, distances)
