"""Points near a mesh, fixed to it."""

from __future__ import annotations

import numpy as np

from synth_affect.arrays import FloatArray, IntArray
from synth_affect.blendshape.registration.surface import SurfaceTree
from synth_affect.heads.model import LandmarkEmbedding


def embed_points(points: FloatArray, vertices: FloatArray, triangles: IntArray) -> tuple[LandmarkEmbedding, FloatArray]:
    """The places on the mesh nearest to `points` (n, 3), and the distances (n,), mm."""
    near = SurfaceTree(vertices, triangles).nearest(points)
    weights = _barycentric(near.points, np.asarray(vertices, dtype=np.float64)[triangles[near.triangles]])
    return LandmarkEmbedding(near.triangles, weights), near.distances


def _barycentric(points: FloatArray, corners: FloatArray) -> FloatArray:
    """(n, 3) weights of the corners (n, 3, 3) of triangles at points on them."""
    ab, ac, ap = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0], points - corners[:, 0]
    d00, d01, d11 = (ab * ab).sum(axis=1), (ab * ac).sum(axis=1), (ac * ac).sum(axis=1)
    d20, d21 = (ap * ab).sum(axis=1), (ap * ac).sum(axis=1)
    area = np.maximum(d00 * d11 - d01 * d01, 1e-300)
    v, w = (d11 * d20 - d01 * d21) / area, (d00 * d21 - d01 * d20) / area
    weights = np.clip(np.stack([1 - v - w, v, w], axis=1), 0, 1)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
