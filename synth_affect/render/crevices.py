"""Light lost in the narrow places of a mesh, such as between two teeth."""

from __future__ import annotations

import numpy as np

from synth_affect.arrays import FloatArray, IntArray

CREVICE_MM = 0.5
"""A vertex that lies this deep under its neighbours, as between two teeth, gets 1/e of the light."""


def crevices(vertices: FloatArray, normals: FloatArray, triangles: IntArray, where: IntArray) -> FloatArray:
    """(n_vertices,) float32 in (0, 1]: light that reaches a vertex from how deep it lies under its neighbours.

    where : (n,) vertices that are shaded so (teeth and gums); the others get 1.
    """
    n = len(vertices)
    summed = np.zeros((n, 3))
    count = np.zeros(n)
    for a, b in ((0, 1), (1, 2), (2, 0)):
        for start, end in ((triangles[:, a], triangles[:, b]), (triangles[:, b], triangles[:, a])):
            count += np.bincount(start, minlength=n)
            for axis in range(3):
                summed[:, axis] += np.bincount(start, vertices[end, axis], minlength=n)
    depth = ((summed / np.maximum(count, 1)[:, None] - vertices) * normals).sum(axis=1)
    light = np.ones(n, dtype=np.float32)
    light[where] = np.exp(-np.maximum(depth[where], 0) / CREVICE_MM)
    return light
