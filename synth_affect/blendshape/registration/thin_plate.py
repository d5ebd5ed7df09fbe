"""The energies of a displacement field on a mesh: bent like a thin plate, stretched like a membrane."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix, csr_matrix, diags

from synth_affect.arrays import FloatArray, IntArray
from synth_affect.heads.mesh import triangle_normals

COTANGENT_LIMITS = (-1.0, 5.0)
EDGE_LIMITS = (0.05, 5.0)
"""Slivers (a template has them at lips and lids) would make the operator indefinite or stiff without bounds."""
MIN_AREA_MM2 = 0.02


def membrane_matrix(vertices: FloatArray, triangles: IntArray) -> csr_matrix:
    """(n_vertices, n_vertices), symmetric: f . M f is the field's squared gradient, integrated over the surface.

    Source: Pinkall and Polthier 1993 (cotangent weights), bounded.
    """
    n = len(vertices)
    rows, columns, values = [], [], []
    for k in range(3):
        at, i, j = triangles[:, k], triangles[:, (k + 1) % 3], triangles[:, (k + 2) % 3]
        a, b = vertices[i] - vertices[at], vertices[j] - vertices[at]
        twice_area = np.linalg.norm(np.cross(a, b), axis=1)
        cotangent = np.clip((a * b).sum(axis=1) / np.maximum(twice_area, 1e-9), *COTANGENT_LIMITS)
        rows += [i, j]
        columns += [j, i]
        values += [cotangent / 2, cotangent / 2]
    edges = coo_matrix((np.concatenate(values), (np.concatenate(rows), np.concatenate(columns))), shape=(n, n)).tocsr()
    edges.data = np.clip(edges.data, *EDGE_LIMITS)
    matrix: csr_matrix = (diags(np.asarray(edges.sum(axis=1)).ravel()) - edges).tocsr()
    return matrix


def plate_matrix(vertices: FloatArray, triangles: IntArray, stiffness: FloatArray) -> csr_matrix:
    """(n_vertices, n_vertices), symmetric: f . P f is the field's squared Laplacian times `stiffness`, integrated.

    The open edges of the mesh do not count, so the field runs on straight over them instead of levelling off.
    """
    laplacian = membrane_matrix(vertices, triangles)
    inside = np.ones(len(vertices))
    inside[boundary_vertices(triangles)] = 0
    weight = inside * stiffness / np.maximum(vertex_areas(vertices, triangles), MIN_AREA_MM2)
    matrix: csr_matrix = (laplacian.T @ diags(weight) @ laplacian).tocsr()
    return matrix


def boundary_vertices(triangles: IntArray) -> IntArray:
    """Sorted indices of the vertices on edges of one triangle alone."""
    ends = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
    edges, count = np.unique(ends, axis=0, return_counts=True)
    return np.unique(edges[count == 1])


def vertex_areas(vertices: FloatArray, triangles: IntArray) -> FloatArray:
    """(n_vertices,) mm^2: a third of the triangles around."""
    third = np.linalg.norm(triangle_normals(vertices, triangles), axis=1) / 6
    return np.bincount(triangles.ravel(), np.repeat(third, 3), minlength=len(vertices)).astype(np.float64)
