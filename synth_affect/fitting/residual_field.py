"""What a landmark fit leaves over, spread smoothly over the mesh, so that lips and lids lie where the picture has them.

A morphable model meets the landmarks within a few per cent of the inter-ocular distance. For drawing, that is too much:
the edge of a lip must be the edge of the lip. The field moves every vertex in the picture by a weighted mean of the
residuals of the landmarks around it, and repeats until the landmarks are met.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_affect.arrays import FloatArray, IntArray
from synth_affect.fitting.fit import FaceFit
from synth_affect.fitting.markup import Markup, markup_of
from synth_affect.heads.camera import project, to_camera
from synth_affect.heads.mesh import vertex_normals
from synth_affect.heads.model import HeadModel, LandmarkEmbedding, embed, head_vertices, region_triangles

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


class ResidualField:
    """Weights of one head model, worth keeping; `field(fit)` gives the offsets of one fit."""

    def __init__(self, head: HeadModel) -> None:
        self._head = head
        self._weights: dict[int, _Weights] = {}

    def __call__(self, fit: FaceFit) -> FloatArray:
        """(n_vertices, 2) float32, px: add to the projected vertices of the fit (and of every expression on it).

        Raises ShapeError when the fit is of landmarks that no markup has.
        """
        head, markup = self._head, markup_of(fit.landmarks_image)
        if markup.n_landmarks not in self._weights:  # most callers bring one kind of points
            self._weights[markup.n_landmarks] = _weights(head, markup)
        weights = self._weights[markup.n_landmarks]
        embedding = markup.embedding(head)
        vertices = head_vertices(head, fit.identity_coefficients, fit.expression_weights)
        projected = embed(project(fit.camera, vertices)[:, :2], head.triangles, embedding)
        residual = (fit.landmarks_image - projected).astype(np.float32)
        trust = _facing(head, embedding, fit, vertices)[weights.on_skin, None]
        surface = residual[weights.on_skin] * trust
        strength = np.zeros_like(surface)
        for _ in range(ROUNDS):
            strength += surface - trust * (weights.to_landmarks @ strength)
        offsets: FloatArray = np.einsum("vk,vkd->vd", weights.shares, strength[weights.neighbours]).astype(np.float32)
        for ball, around in weights.eyes:
            # An eyeball is rigid: it goes where its iris is seen, or else where its lids are.
            offsets[ball] = residual[around].mean(axis=0)
        return offsets


@dataclass(frozen=True, slots=True, eq=False)
class _Weights:
    """Of one markup on one head model.

    on_skin : (n_skin,) rows of the landmarks that move the skin.
    neighbours, shares : (n_vertices, N_NEIGHBOURS), which of them move each vertex, and by how much.
    to_landmarks : (n_skin, n_skin) float32, the same at the landmarks themselves.
    eyes : for either eye, the vertices of the ball and the landmarks that it follows.
    """

    on_skin: IntArray
    neighbours: IntArray
    shares: FloatArray
    to_landmarks: FloatArray
    eyes: list[tuple[IntArray, IntArray]]


def _weights(head: HeadModel, markup: Markup) -> _Weights:
    embedding = markup.embedding(head)
    on_skin = np.setdiff1d(np.arange(markup.n_landmarks), markup.irises)
    points = head.mean
    if "jawOpen" in head.unit_names:
        points = points + OPEN_JAW * head.expression_units[head.unit_names.index("jawOpen")]
    landmarks = embed(points, head.triangles, embedding)[on_skin]
    _, to_others = _nearest(landmarks, landmarks, 4)
    spacing = to_others.max(axis=1) * REACH
    neighbours, distance = _nearest(points, landmarks, N_NEIGHBOURS)
    shares = np.exp(-0.5 * (distance / spacing[neighbours]) ** 2)
    shares /= shares.sum(axis=1, keepdims=True) + BACKGROUND
    corners = head.triangles[embedding.triangles[on_skin]]
    to_landmarks = np.zeros((len(landmarks), len(landmarks)), dtype=np.float32)
    rows = np.broadcast_to(np.arange(len(landmarks))[:, None, None], (len(landmarks), 3, N_NEIGHBOURS))
    carried = embedding.barycentric[on_skin][:, :, None] * shares[corners]
    np.add.at(to_landmarks, (rows, neighbours[corners]), carried)
    return _Weights(on_skin, neighbours, shares, to_landmarks, _eyes(head, markup))


def _nearest(points: FloatArray, landmarks: FloatArray, count: int) -> tuple[IntArray, FloatArray]:
    """(n_points, count) indices of the nearest landmarks, and their distances in mm; not in order.

    All pairs at once: for some hundred landmarks that is quicker than to import a search tree.
    """
    squared = (points**2).sum(axis=1)[:, None] + (landmarks**2).sum(axis=1) - 2 * points @ landmarks.T
    nearest = np.argpartition(squared, count - 1, axis=1)[:, :count]
    distance = np.linalg.norm(points[:, None] - landmarks[nearest], axis=2)
    return nearest, distance


def _eyes(head: HeadModel, markup: Markup) -> list[tuple[IntArray, IntArray]]:
    """For both eyes: the vertices of the eyeball, and the landmarks that it follows."""
    ball = np.unique(head.triangles[region_triangles(head, "eyeball", "iris")])
    around = markup.irises if len(markup.irises) else markup.lids
    places = embed(head.mean, head.triangles, markup.embedding(head))[around]
    return [(ball[head.mean[ball, 0] * side > 0], around[places[:, 0] * side > 0]) for side in (-1, 1)]


def _facing(head: HeadModel, embedding: LandmarkEmbedding, fit: FaceFit, vertices: FloatArray) -> FloatArray:
    """(n_landmarks,) in [0, 1]: how far each landmark's surface is turned to the camera."""
    normals = embed(vertex_normals(vertices, head.triangles), head.triangles, embedding)
    places = to_camera(fit.camera, embed(vertices, head.triangles, embedding))
    rotation = fit.camera.rotation * np.array([[1.0], [-1.0], [-1.0]])
    towards = -(places * (normals @ rotation.T)).sum(axis=1)
    cosine = towards / (np.linalg.norm(places, axis=1) * np.linalg.norm(normals, axis=1) + 1e-9)
    facing: FloatArray = np.clip((cosine - FACING) / FACING, 0, 1).astype(np.float32)
    return facing
