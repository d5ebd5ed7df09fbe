"""Which place of one face is which place of another, though their meshes have nothing in common."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import RBFInterpolator

from synth_affect.arrays import FloatArray, IntArray, readonly
from synth_affect.blendshape.registration.surface import SurfaceTree
from synth_affect.blendshape.template import Template, face_template, face_vertices
from synth_affect.errors import ShapeError
from synth_affect.heads.mesh import triangle_normals, vertex_normals
from synth_affect.heads.model import HeadModel, LandmarkEmbedding, embed

NOWHERE = -1
N_SKIN_LANDMARKS = 468
"""MediaPipe's points on the skin; after them come the irises, which are not on the template."""
OPEN_JAW_MM = 20.0
"""Both mouths are opened so far first, or the lips would be taken for each other where they touch."""
CHIN = 152
SMOOTHING_MM = 1.0
"""Landmarks of two heads lie this far beside each other's places: the detector's error on a rendering."""
LEAST_COSINE = 0.3
"""Between the normals of places that correspond: lids and lips have an outside and an inside."""
OUTSIDE_MM = 4.0
"""What lies this far past the other face's rim has no counterpart there."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceCorrespondence:
    """From the template of a target head to that of a source head.

    source_topology, target_topology : of both templates.
    triangles : (n_target_triangles,) int32, the source's triangle that each lies on; NOWHERE where there is none.
    places : where on the source each target vertex lies; past its rim, the nearest place of the rim.
    """

    source_topology: str
    target_topology: str
    triangles: IntArray
    places: LandmarkEmbedding

    def __post_init__(self) -> None:
        object.__setattr__(self, "triangles", readonly(self.triangles, "triangles", ("n_triangles",), np.int32))


def face_correspondence(source: HeadModel, target: HeadModel) -> FaceCorrespondence:
    """Found by a smooth warp that brings the target's landmarks onto the source's, then by nearest points.

    Raises ShapeError when a head has no landmarks or no jaw to open.
    """
    there, here = face_template(source), face_template(target)
    if there.topology == here.topology:
        return _identical(there)
    opened = [_opened(head) for head in (source, target)]
    landmarks = [
        embed(vertices.astype(np.float64), head.triangles, head.landmarks_478)[:N_SKIN_LANDMARKS]
        for head, vertices in zip((source, target), opened, strict=True)
    ]
    # |r| is the biharmonic kernel of space: of all warps that meet the landmarks it bends least.
    warp = RBFInterpolator(landmarks[1], landmarks[0], kernel="linear", smoothing=SMOOTHING_MM, degree=1)
    warped = warp(opened[1][face_vertices(target)].astype(np.float64))
    tree = SurfaceTree(opened[0][face_vertices(source)], there.mesh.triangles)
    triangles = here.mesh.triangles
    faces = triangle_normals(warped, triangles)
    faces = faces / np.maximum(np.linalg.norm(faces, axis=1, keepdims=True), 1e-12)
    of_faces = tree.nearest(warped[triangles].mean(axis=1), normals=faces, min_cosine=LEAST_COSINE)
    past_rim = of_faces.on_boundary & (of_faces.distances > OUTSIDE_MM)
    of_vertices = tree.nearest(warped, normals=vertex_normals(warped, triangles), min_cosine=LEAST_COSINE)
    places, points = of_vertices.triangles.copy(), of_vertices.points.copy()
    lost = places < 0
    if lost.any():
        anywhere = tree.nearest(warped[lost])
        places[lost], points[lost] = anywhere.triangles, anywhere.points
    corners = tree.vertices[tree.triangles[places]]
    return FaceCorrespondence(
        source_topology=there.topology,
        target_topology=here.topology,
        triangles=np.where(past_rim, NOWHERE, of_faces.triangles),
        places=LandmarkEmbedding(places, barycentric(points, corners)),
    )


def _identical(template: Template) -> FaceCorrespondence:
    triangles = template.mesh.triangles
    order = np.argsort(triangles.ravel(), kind="stable")
    first = order[np.searchsorted(triangles.ravel()[order], np.arange(len(template.mesh.vertices)))]
    barycentric = np.eye(3, dtype=np.float32)[first % 3]
    everyone = np.arange(len(triangles))
    return FaceCorrespondence(
        template.topology, template.topology, everyone, LandmarkEmbedding(first // 3, barycentric)
    )


def _opened(head: HeadModel) -> FloatArray:
    """(n_vertices, 3) mm: the mean with the chin OPEN_JAW_MM lower."""
    if len(head.landmarks_478.triangles) <= N_SKIN_LANDMARKS - 1:
        raise ShapeError("landmarks_478", "MediaPipe's points", f"{len(head.landmarks_478.triangles)} points")
    if "jawOpen" not in head.unit_names:
        raise ShapeError("unit_names", "jawOpen among them", "none of that name")
    jaw = head.expression_units[head.unit_names.index("jawOpen")]
    travel = -float(embed(jaw, head.triangles, head.landmarks_478)[CHIN, 1])
    opened: FloatArray = head.mean + np.float32(OPEN_JAW_MM / max(travel, 1.0)) * jaw
    return opened


def barycentric(points: FloatArray, corners: FloatArray) -> FloatArray:
    """(n, 3) weights of the corners (n, 3, 3) for points (n, 3) on their triangles."""
    first, second, along = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0], points - corners[:, 0]
    d11, d12, d22 = (first * first).sum(axis=1), (first * second).sum(axis=1), (second * second).sum(axis=1)
    p1, p2 = (along * first).sum(axis=1), (along * second).sum(axis=1)
    determinant = np.maximum(d11 * d22 - d12 * d12, 1e-30)
    v, w = (d22 * p1 - d12 * p2) / determinant, (d11 * p2 - d12 * p1) / determinant
    weights = np.clip(np.stack([1 - v - w, v, w], axis=1), 0, 1)
    barycentric: FloatArray = weights / weights.sum(axis=1, keepdims=True)
    return barycentric
