"""What a landmark fit leaves over, spread smoothly over the mesh, so that lips and lids lie where the picture has them.

A morphable model meets the landmarks within a few per cent of the inter-ocular distance. For drawing, that is too much:
the edge of a lip must be the edge of the lip. The field moves every vertex in the picture by a weighted mean of the
residuals of the landmarks around it, and repeats until the landmarks are met.
"""

from __future__ import annotations

import numpy as np

from synth_affect.arrays import FloatArray, IntArray
from synth_affect.fitting.fit import FaceFit
from synth_affect.heads.camera import project, to_camera
from synth_affect.heads.mesh import vertex_normals
from synth_affect.heads.model import HeadModel, embed, head_vertices, region_triangles

N_NEIGHBOURS = 6
ROUNDS = 8
REACH = 1.5
"""Width of a landmark's influence, in distances to its third nearest neighbour."""
BACKGROUND = 0.02
"""Weight of "no offset": far from all landmarks the field fades to zero."""
OPEN_JAW = 0.6
"""Distances are measured on a face with its mouth open, or the lips would pull each other."""
FACING = 0.2
"""Landmarks whose surface turns further away from the camera (cosine) are not trusted: the far side of a turn."""
N_IRIS_POINTS = 10


class ResidualField:
    """Weights of one head model, worth keeping; `field(fit)` gives the offsets of one fit."""

    def __init__(self, head: HeadModel) -> None:
        from scipy import sparse
        from scipy.spatial import cKDTree

        self._head = head
        points = head.mean
        if "jawOpen" in head.unit_names:
            points = points + OPEN_JAW * head.expression_units[head.unit_names.index("jawOpen")]
        landmarks = embed(points, head.triangles, head.landmarks_478)[:-N_IRIS_POINTS]
        tree = cKDTree(landmarks)
        spacing = np.asarray(tree.query(landmarks, k=4)[0])[:, 3] * REACH
        distance, neighbour = tree.query(points, k=N_NEIGHBOURS)
        weight = np.exp(-0.5 * (distance / spacing[neighbour]) ** 2)
        weight /= weight.sum(axis=1, keepdims=True) + BACKGROUND
        rows = np.repeat(np.arange(len(points)), N_NEIGHBOURS)
        self._spread = sparse.csr_matrix(
            (weight.ravel().astype(np.float32), (rows, neighbour.ravel())), shape=(len(points), len(landmarks))
        )
        embedding = head.landmarks_478
        corners = head.triangles[embedding.triangles[:-N_IRIS_POINTS]]
        bary = embedding.barycentric[:-N_IRIS_POINTS]
        rows = np.repeat(np.arange(len(landmarks)), 3)
        read = sparse.csr_matrix((bary.ravel(), (rows, corners.ravel())), shape=(len(landmarks), len(points)))
        self._landmark_spread = (read @ self._spread).tocsr()
        self._eyes = _eyes(head)

    def __call__(self, fit: FaceFit) -> FloatArray:
        """(n_vertices, 2) float32, px: add to the projected vertices of the fit (and of every expression on it)."""
        head = self._head
        vertices = head_vertices(head, fit.identity_coefficients, fit.expression_weights)
        projected = embed(project(fit.camera, vertices)[:, :2], head.triangles, head.landmarks_478)
        residual = (fit.landmarks_image - projected).astype(np.float32)
        trust = _facing(head, fit, vertices)[:, None]
        surface = residual[:-N_IRIS_POINTS] * trust[:-N_IRIS_POINTS]
        strength = np.zeros_like(surface)
        for _ in range(ROUNDS):
            strength += surface - trust[:-N_IRIS_POINTS] * (self._landmark_spread @ strength)
        offsets: FloatArray = np.asarray(self._spread @ strength, dtype=np.float32)
        for eye_vertices, iris_points in self._eyes:
            # An eyeball is rigid: it goes where its iris is seen.
            offsets[eye_vertices] = residual[iris_points].mean(axis=0)
        return offsets


def _eyes(head: HeadModel) -> list[tuple[IntArray, IntArray]]:
    """For both eyes: the vertices of the eyeball, and the landmarks on its iris."""
    ball = np.unique(head.triangles[region_triangles(head, "eyeball", "iris")])
    iris = np.arange(len(head.landmarks_478.triangles))[-N_IRIS_POINTS:]
    places = embed(head.mean, head.triangles, head.landmarks_478)[iris]
    return [(ball[head.mean[ball, 0] * side > 0], iris[places[:, 0] * side > 0]) for side in (-1, 1)]


def _facing(head: HeadModel, fit: FaceFit, vertices: FloatArray) -> FloatArray:
    """(n_landmarks,) in [0, 1]: how far each landmark's surface is turned to the camera."""
    normals = embed(vertex_normals(vertices, head.triangles), head.triangles, head.landmarks_478)
    places = to_camera(fit.camera, embed(vertices, head.triangles, head.landmarks_478))
    rotation = fit.camera.rotation * np.array([[1.0], [-1.0], [-1.0]])
    towards = -(places * (normals @ rotation.T)).sum(axis=1)
    cosine = towards / (np.linalg.norm(places, axis=1) * np.linalg.norm(normals, axis=1) + 1e-9)
    facing: FloatArray = np.clip((cosine - FACING) / FACING, 0, 1).astype(np.float32)
    return facing
