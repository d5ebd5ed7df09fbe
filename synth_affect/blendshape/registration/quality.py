"""How good a registration is, and when it is too bad for a gallery."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_affect.arrays import BoolArray, FloatArray, IntArray
from synth_affect.blendshape.registration.result import Registration
from synth_affect.blendshape.registration.scan import Scan
from synth_affect.blendshape.registration.surface import SurfaceTree
from synth_affect.blendshape.template import Template
from synth_affect.heads.mesh import triangle_normals, vertex_normals

REACH_MM = 3.0
"""A scan surface this near to a vertex, facing the same way, covers it."""
SAME_WAY_COSINE = 0.5
FOLD_COSINE = -0.2
"""Neighbours whose normals have less than this are folded over, unless they are so in the template."""


@dataclass(frozen=True, slots=True)
class RegistrationQuality:
    """mean_distance_mm, p95_distance_mm : from the matched vertices to the scan's surface.
    coverage : share of the template's vertices that have a scan surface, facing the same way, within 3 mm.
    fold_overs : pairs of neighbouring triangles folded over each other, which the template does not fold.
    stretch : 95th percentile of edge lengths over the template's, or of its inverse, whichever is larger.
    """

    mean_distance_mm: float
    p95_distance_mm: float
    coverage: float
    fold_overs: int
    stretch: float


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """Beyond any of these a mesh does not enter the gallery."""

    max_mean_distance_mm: float = 0.8
    max_p95_distance_mm: float = 2.5
    min_coverage: float = 0.5
    max_fold_overs: int = 150
    max_stretch: float = 2.5


def registration_quality(
    template: Template, scan: Scan, registration: Registration, *, tree: SurfaceTree | None = None
) -> RegistrationQuality:
    """Measure a registration against its scan. NaN distances where nothing matched.

    tree : of the scan's triangles, where the caller has it.
    """
    tree = SurfaceTree(scan.vertices, scan.triangles) if tree is None else tree
    vertices = registration.vertices.astype(np.float64)
    triangles = template.mesh.triangles
    normals = vertex_normals(vertices, triangles)
    facing = tree.nearest(vertices, normals=normals, min_cosine=SAME_WAY_COSINE, max_distance_mm=REACH_MM)
    distances = tree.nearest(vertices[registration.matched]).distances
    some = len(distances) > 0
    pairs = neighbour_triangles(triangles)
    folded = fold_overs(vertices, triangles, pairs) & ~fold_overs(template.mesh.vertices, triangles, pairs)
    edges = np.unique(np.sort(np.concatenate([triangles[:, :2], triangles[:, 1:]]), axis=1), axis=0)
    ratio = _lengths(vertices, edges) / np.maximum(_lengths(template.mesh.vertices, edges), 1e-6)
    return RegistrationQuality(
        mean_distance_mm=float(distances.mean()) if some else float("nan"),
        p95_distance_mm=float(np.percentile(distances, 95)) if some else float("nan"),
        coverage=float((np.isfinite(facing.distances) & ~facing.on_boundary).mean()),
        fold_overs=int(folded.sum()),
        stretch=float(np.percentile(np.maximum(ratio, 1 / np.maximum(ratio, 1e-6)), 95)),
    )


def reject_reason(quality: RegistrationQuality, limits: QualityLimits) -> str | None:
    """Why the mesh must not enter a gallery, in one clause; None where it may."""
    if not quality.mean_distance_mm <= limits.max_mean_distance_mm:
        mean, most = quality.mean_distance_mm, limits.max_mean_distance_mm
        return f"lies {mean:.2f} mm from the scan in the mean, at most {most:g} is allowed"
    if not quality.p95_distance_mm <= limits.max_p95_distance_mm:
        p95, most = quality.p95_distance_mm, limits.max_p95_distance_mm
        return f"lies more than {p95:.2f} mm from the scan at 5 % of its vertices, at most {most:g} is allowed"
    if quality.coverage < limits.min_coverage:
        return f"the scan covers {quality.coverage:.0%} of the face, {limits.min_coverage:.0%} is needed"
    if quality.fold_overs > limits.max_fold_overs:
        return f"folds over at {quality.fold_overs} places, at most {limits.max_fold_overs} are allowed"
    if quality.stretch > limits.max_stretch:
        return f"is stretched {quality.stretch:.1f} fold, at most {limits.max_stretch:g} is allowed"
    return None


def neighbour_triangles(triangles: IntArray) -> IntArray:
    """(n, 2) pairs of triangles that share an edge."""
    ends = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]).astype(np.int64)
    key = ends.min(axis=1) * (int(triangles.max()) + 1) + ends.max(axis=1)
    order = np.argsort(key, kind="stable")
    same = np.flatnonzero(key[order][1:] == key[order][:-1])
    return np.stack([order[same], order[same + 1]], axis=1) % len(triangles)


def fold_overs(vertices: FloatArray, triangles: IntArray, pairs: IntArray) -> BoolArray:
    """(n_pairs,) bool: the two triangles face opposite ways."""
    normals = triangle_normals(np.asarray(vertices, dtype=np.float64), triangles)
    normals = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    folded: BoolArray = (normals[pairs[:, 0]] * normals[pairs[:, 1]]).sum(axis=1) < FOLD_COSINE
    return folded


def _lengths(vertices: FloatArray, edges: IntArray) -> FloatArray:
    lengths: FloatArray = np.linalg.norm(vertices[edges[:, 0]] - vertices[edges[:, 1]], axis=1)
    return lengths
