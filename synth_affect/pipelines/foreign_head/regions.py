"""Regions and an opening jaw for a bare face surface: the packaged head's, from the place that corresponds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import dijkstra

from synth_affect.arrays import BoolArray, FloatArray, IntArray
from synth_affect.blendshape.registration.surface import SurfaceTree
from synth_affect.blendshape.transfer.correspondence import LEAST_COSINE, barycentric
from synth_affect.heads.mesh import triangle_normals, vertex_normals
from synth_affect.heads.model import HeadModel, region_triangles

OUTSIDE = ("skin", "lips", "lids", "neck", "scalp", "ears", "mouth_cavity")
UPPER_LIP = (185, 40, 39, 37, 0, 267, 269, 270, 409)
LOWER_LIP = (146, 91, 181, 84, 17, 314, 405, 321, 375)
"""MediaPipe's points on the outer border of the lips, corners left out."""
EYE_CONTOURS = (
    (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246),
    (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466),
)
"""MediaPipe's points between the lids, in order: the subject's right and left eye."""
EYE_DEPTH_MM = 14.0
"""What lies between the lids' edges within this depth is the eye, or the socket behind it."""


FURTHEST_SNAP_MM = 4.0
"""A coarse mesh's edges run so far beside the lids' at most; what lies further off is not their rim."""


@dataclass(frozen=True, slots=True, eq=False)
class CarriedRegions:
    """regions : (n_triangles,) index into the packaged head's region_names.
    between_lids : (n_triangles,) bool, a surface that closes the eyes' openings.
    jaw_open : (n_vertices, 3) mm, the packaged head's unit.
    """

    regions: IntArray
    between_lids: BoolArray
    jaw_open: FloatArray


def carry_regions(
    packaged: HeadModel, warped: FloatArray, contours: FloatArray, vertices: FloatArray, triangles: IntArray,
    lips: tuple[IntArray, IntArray],
) -> CarriedRegions:  # fmt: skip
    """Of the packaged head to a face surface that it has been warped onto.

    warped : (n, 3) mm, the packaged head's vertices.  contours : (2, 16, 3) mm, EYE_CONTOURS on it.
    vertices, triangles : the surface.  lips : its vertices under UPPER_LIP and LOWER_LIP.
    """
    jaw = packaged.expression_units[packaged.unit_names.index("jawOpen")]
    travel = jaw[packaged.triangles, 1].mean(axis=1)
    mouth = region_triangles(packaged, "lips", "mouth_cavity")
    lower = mouth & (travel < 0.5 * travel[region_triangles(packaged, "lips")].min())
    outside = region_triangles(packaged, *OUTSIDE)
    below = _nearer_below(vertices, triangles, lips)
    centres = vertices[triangles].mean(axis=1)
    faces = triangle_normals(vertices, triangles)
    faces = faces / np.maximum(np.linalg.norm(faces, axis=1, keepdims=True), 1e-12)
    normals = vertex_normals(vertices, triangles)
    regions = np.empty(len(triangles), dtype=np.int64)
    jaw_open = np.empty(vertices.shape)
    # Lips touch, so that each is looked for without the other.
    for of_lower in (False, True):
        kept = np.flatnonzero(outside & ~(mouth & (lower != of_lower)))
        tree = SurfaceTree(warped, packaged.triangles[kept])
        mine = below[triangles].all(axis=1) == of_lower
        regions[mine] = packaged.triangle_regions[kept[_nearest(tree, centres[mine], faces[mine])[0]]]
        here = below == of_lower
        found, points = _nearest(tree, vertices[here], normals[here])
        weights = barycentric(points, warped[tree.triangles[found]])
        jaw_open[here] = np.einsum("nk,nkd->nd", weights, jaw[tree.triangles[found]])
    between = np.zeros(len(triangles), dtype=bool)
    for contour in contours:
        near = np.abs(centres[:, 2] - contour[:, 2].mean()) < EYE_DEPTH_MM
        between |= near & _inside(centres[:, :2], contour[:, :2])
    return CarriedRegions(regions, between, jaw_open)


def _nearest(tree: SurfaceTree, points: FloatArray, normals: FloatArray) -> tuple[IntArray, FloatArray]:
    """Triangle and point of each; without regard to normals where none fits."""
    found = tree.nearest(points, normals=normals, min_cosine=LEAST_COSINE)
    triangles, places = found.triangles.copy(), found.points.copy()
    lost = triangles < 0
    if lost.any():
        anywhere = tree.nearest(points[lost])
        triangles[lost], places[lost] = anywhere.triangles, anywhere.points
    return triangles, places


def _nearer_below(vertices: FloatArray, triangles: IntArray, lips: tuple[IntArray, IntArray]) -> BoolArray:
    """(n,) bool: along the surface, which does not lead from lip to lip, the lower one is nearer."""
    start, end = triangles.ravel(), np.roll(triangles, -1, axis=1).ravel()
    length = np.linalg.norm(vertices[start] - vertices[end], axis=1)
    graph = coo_matrix((length, (start, end)), shape=(len(vertices),) * 2).tocsr()
    up, down = (dijkstra(graph, directed=False, indices=np.unique(lip), min_only=True) for lip in lips)
    below: BoolArray = down < up
    return below


def _inside(points: FloatArray, polygon: FloatArray) -> BoolArray:
    """(n,) bool: whether points (n, 2) lie in a polygon (m, 2), by the edges that a ray to the right crosses."""
    x, y = points[:, :1], points[:, 1:]
    x0, y0 = polygon.T
    x1, y1 = np.roll(polygon, -1, axis=0).T
    spans = (y0 > y) != (y1 > y)
    crossing = x0 + (y - y0) * (x1 - x0) / np.where(y1 == y0, 1, y1 - y0)
    inside: BoolArray = (spans & (x < crossing)).sum(axis=1) % 2 == 1
    return inside


def onto_contours(points: FloatArray, contours: FloatArray, surface: SurfaceTree) -> FloatArray:
    """(n, 3) mm: edges of the lids, `points` (n, 3), slid over the `surface` onto the contours (2, 16, 3)."""
    start = contours.reshape(-1, 3)[:, :2]
    along = np.roll(contours, -1, axis=1).reshape(-1, 3)[:, :2] - start
    share = ((points[:, None, :2] - start) * along).sum(axis=2) / np.maximum((along**2).sum(axis=1), 1e-9)
    feet = start + np.clip(share, 0, 1)[..., None] * along
    distance = np.linalg.norm(feet - points[:, None, :2], axis=2)
    nearest = distance.argmin(axis=1)
    rows = np.arange(len(points))
    slid = points.copy()
    near = distance[rows, nearest] < FURTHEST_SNAP_MM
    slid[near, :2] = feet[rows, nearest][near]
    slid[near] = surface.nearest(slid[near]).points
    return slid
