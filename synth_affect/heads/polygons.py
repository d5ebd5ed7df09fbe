"""Meshes of quads and triangles: how they are cut, and what is next to what."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix

from synth_affect.arrays import FloatArray, IntArray


def triangulated(mean: FloatArray, polygons: IntArray) -> IntArray:
    """(n_triangles, 3) of `polygons` (n_polygons, 4), in which a triangle has -1 as its last corner.

    Quads are cut along their shorter diagonal, so that mirrored quads are cut alike.
    """
    quads = polygons[polygons[:, 3] >= 0]
    first = np.linalg.norm(mean[quads[:, 0]] - mean[quads[:, 2]], axis=1)
    second = np.linalg.norm(mean[quads[:, 1]] - mean[quads[:, 3]], axis=1)
    cut_first = (first <= second + 1e-3)[:, None]
    halves = (
        np.where(cut_first, quads[:, [0, 1, 2]], quads[:, [0, 1, 3]]),
        np.where(cut_first, quads[:, [0, 2, 3]], quads[:, [1, 2, 3]]),
    )
    return np.concatenate([*halves, polygons[polygons[:, 3] < 0, :3]])


def edge_graph(polygons: IntArray, n_vertices: int) -> coo_matrix:
    """Edges of the polygons (without the diagonals of quads), each once."""
    after = np.roll(polygons, -1, axis=1)
    after = np.where(after < 0, polygons[:, :1], after)
    real = polygons >= 0
    start, end = polygons[real], after[real]
    return coo_matrix((np.ones(len(start)), (start, end)), shape=(n_vertices, n_vertices))
