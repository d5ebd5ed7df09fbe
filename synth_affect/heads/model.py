"""`HeadModel`: the one value behind every 3D morphable model, and the meshes it makes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_affect.arrays import BoolArray, FloatArray, IntArray, readonly
from synth_affect.errors import ShapeError


@dataclass(frozen=True, slots=True, eq=False)
class LandmarkEmbedding:
    """Points on a mesh's surface, fixed to its triangles.

    triangles : (n_landmarks,) int32, index of the triangle that holds each point.
    barycentric : (n_landmarks, 3) float32, weights of its corners, each row sums to 1.
    """

    triangles: IntArray
    barycentric: FloatArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "triangles", readonly(self.triangles, "triangles", ("n_landmarks",), np.int32))
        object.__setattr__(
            self, "barycentric", readonly(self.barycentric, "barycentric", (len(self.triangles), 3), np.float32)
        )


@dataclass(frozen=True, slots=True, eq=False)
class HeadModel:
    """A linear head: vertices = mean + identity_coefficients . identity_basis + expression_weights . expression_units.

    name, licence, source : what it is, under which terms, from where.
    topology : id of the triangle list; whatever is stored per vertex belongs to one topology.
    mean : (n_vertices, 3) float32, mm, head frame (x right of the viewer's picture, y up, z to the viewer).
    triangles : (n_triangles, 3) int32, counter-clockwise from outside.
    identity_basis : (n_identity, n_vertices, 3) float32, mm for one standard deviation.
    expression_units : (n_units, n_vertices, 3) float32, mm at weight 1.  unit_names : their ARKit names.
    triangle_regions : (n_triangles,) uint8, index into region_names.
    uv : (n_uv, 2) float32 in [0, 1], v up.  uv_triangles : (n_triangles, 3) int32, index into uv.
    mirror : (n_vertices,) int32, each vertex's counterpart on the other side (itself on the midline).
    landmarks_478 : MediaPipe's face mesh with irises.  landmarks_68 : ibug's markup, from 0.
    """

    name: str
    licence: str
    source: str
    topology: str
    mean: FloatArray
    triangles: IntArray
    identity_basis: FloatArray
    expression_units: FloatArray
    unit_names: tuple[str, ...]
    triangle_regions: IntArray
    region_names: tuple[str, ...]
    uv: FloatArray
    uv_triangles: IntArray
    mirror: IntArray
    landmarks_478: LandmarkEmbedding
    landmarks_68: LandmarkEmbedding

    def __post_init__(self) -> None:
        def check(field: str, shape: tuple[int | str, ...], dtype: type) -> None:
            object.__setattr__(self, field, readonly(getattr(self, field), field, shape, dtype))

        check("mean", ("n_vertices", 3), np.float32)
        n_vertices = len(self.mean)
        check("triangles", ("n_triangles", 3), np.int32)
        n_triangles = len(self.triangles)
        check("identity_basis", ("n_identity", n_vertices, 3), np.float32)
        check("expression_units", (len(self.unit_names), n_vertices, 3), np.float32)
        check("triangle_regions", (n_triangles,), np.uint8)
        check("uv", ("n_uv", 2), np.float32)
        check("uv_triangles", (n_triangles, 3), np.int32)
        check("mirror", (n_vertices,), np.int32)
        if self.triangles.max() >= n_vertices or self.triangles.min() < 0:
            raise ShapeError("triangles", f"indices below {n_vertices}", str(self.triangles.max()))
        if self.triangle_regions.max() >= len(self.region_names):
            raise ShapeError("triangle_regions", f"indices below {len(self.region_names)}", "a larger one")


def head_vertices(head: HeadModel, identity_coefficients: FloatArray, expression_weights: FloatArray) -> FloatArray:
    """(n_vertices, 3) float32, mm, head frame.

    identity_coefficients : (n_identity,) standard deviations.  expression_weights : (n_units,) in [0, 1].
    """
    n_identity, n_units = len(head.identity_basis), len(head.expression_units)
    identity = readonly(identity_coefficients, "identity_coefficients", (n_identity,), np.float32)
    expression = readonly(expression_weights, "expression_weights", (n_units,), np.float32)
    offsets = identity @ head.identity_basis.reshape(n_identity, -1)
    offsets = offsets + expression @ head.expression_units.reshape(n_units, -1)
    vertices: FloatArray = head.mean + offsets.reshape(-1, 3)
    return vertices


def embed(points: FloatArray, triangles: IntArray, embedding: LandmarkEmbedding) -> FloatArray:
    """(n_landmarks, d) values at the embedded points of `points` (n_vertices, d), one row a vertex."""
    corners = points[triangles[embedding.triangles]]
    embedded: FloatArray = np.einsum("lk,lkd->ld", embedding.barycentric.astype(points.dtype), corners)
    return embedded


def region_triangles(head: HeadModel, *names: str) -> BoolArray:
    """(n_triangles,) bool: which triangles belong to the named regions. Raises ShapeError for an unknown name."""
    for name in names:
        if name not in head.region_names:
            raise ShapeError("region", "one of " + ", ".join(head.region_names), name)
    wanted = [head.region_names.index(name) for name in names]
    return np.isin(head.triangle_regions, wanted)


def region_vertices(head: HeadModel, *names: str) -> IntArray:
    """Sorted indices of the vertices that the triangles of the named regions touch."""
    return np.unique(head.triangles[region_triangles(head, *names)])
