"""Lids that slide over the eyeball instead of through it."""

from __future__ import annotations

import numpy as np
from scipy.spatial import cKDTree

from synth_affect.arrays import FloatArray
from synth_affect.blendshape.template import face_vertices
from synth_affect.heads.model import HeadModel, region_vertices

CLEARANCE_MM = 0.8
"""Between the vertices of a lid and the eyeball: its triangles are chords. Less where the lid is nearer at rest."""
AROUND_EYE_MM = 24.0
"""From the middle of an eyeball; skin further away never comes near it."""


class LidClearance:
    """Pushes the face's vertices out of the eyeballs; made once a subject, called once a deformation.

    vertices : (n_vertices, 3) mm, the subject's neutral head.
    """

    def __init__(self, head: HeadModel, vertices: FloatArray) -> None:
        face = face_vertices(head)
        ball = region_vertices(head, "eyeball", "iris")
        self._eyes = []
        for side in (-1, 1):
            points = vertices[ball[head.mean[ball, 0] * side > 0]].astype(np.float64)
            # The drawn part is a cap or more; its sphere's middle is where the front's normals meet.
            system = np.column_stack([2 * points, np.ones(len(points))])
            centre = np.linalg.lstsq(system, (points**2).sum(axis=1), rcond=None)[0][:3]
            offset = points - centre
            radius = np.linalg.norm(offset, axis=1)
            rest = vertices[face].astype(np.float64) - centre
            near = np.flatnonzero(np.linalg.norm(rest, axis=1) < AROUND_EYE_MM)
            eye = _Eyeball(centre, cKDTree(offset / radius[:, None]), radius)
            gap = eye.heights(rest[near])
            self._eyes.append((eye, near, np.minimum(gap, CLEARANCE_MM)))

    def __call__(self, face: FloatArray) -> FloatArray:
        """(n_face_vertices, 3) mm: `face`, where lids had gone into an eyeball moved outwards from its middle."""
        result = face.copy()
        for eye, near, least in self._eyes:
            offset = face[near].astype(np.float64) - eye.centre
            short = np.maximum(least - eye.heights(offset), 0)
            outwards = offset / np.maximum(np.linalg.norm(offset, axis=1, keepdims=True), 1e-9)
            result[near] += (short[:, None] * outwards).astype(result.dtype)
        return result


class _Eyeball:
    """centre : (3,) mm.  directions : tree of the unit directions from it to the ball's vertices.
    radius : (n,) mm, how far each of these is.
    """

    def __init__(self, centre: FloatArray, directions: cKDTree, radius: FloatArray) -> None:
        self.centre, self._directions, self._radius = centre, directions, radius

    def heights(self, offset: FloatArray) -> FloatArray:
        """(n,) mm over the ball, of points given from its centre; far above where they are not in front of it."""
        length = np.linalg.norm(offset, axis=1)
        apart, nearest = map(np.asarray, self._directions.query(offset / np.maximum(length, 1e-9)[:, None], k=3))
        share = 1 / np.maximum(apart, 1e-6)
        radius = (self._radius[nearest] * share).sum(axis=1) / share.sum(axis=1)
        height: FloatArray = np.where(apart[:, 0] < 0.3, length - radius, np.inf)
        return height
