"""Triangle meshes: the value that passes between rooms, and its normals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_affect.arrays import FloatArray, IntArray, readonly


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """vertices : (n_vertices, 3) float32, mm, head frame.  triangles : (n_triangles, 3) int32, counter-clockwise
    when seen from outside.
    """

    vertices: FloatArray
    triangles: IntArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "vertices", readonly(self.vertices, "vertices", ("n_vertices", 3), np.float32))
        object.__setattr__(self, "triangles", readonly(self.triangles, "triangles", ("n_triangles", 3), np.int32))


def triangle_normals(vertices: FloatArray, triangles: IntArray) -> FloatArray:
    """(n_triangles, 3) cross products of the edges: outward, their length twice the triangle's area (mm^2)."""
    corners = vertices[triangles]
    return np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])


def vertex_normals(vertices: FloatArray, triangles: IntArray) -> FloatArray:
    """(n_vertices, 3) unit normals, the area-weighted mean of the triangles around; zero where there is none."""
    faces = triangle_normals(vertices, triangles)
    summed = np.empty((len(vertices), 3), dtype=np.float64)
    corner = triangles.ravel()
    for axis in range(3):
        summed[:, axis] = np.bincount(corner, np.repeat(faces[:, axis], 3), minlength=len(vertices))
    length = np.linalg.norm(summed, axis=1, keepdims=True)
    return (summed / np.where(length > 0, length, 1)).astype(vertices.dtype)
