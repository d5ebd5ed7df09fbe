"""Nearest points on a triangle surface, exactly, and what a ray meets first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from synth_affect.arrays import BoolArray, FloatArray, IntArray, readonly
from synth_affect.heads.mesh import triangle_normals, vertex_normals

LEAF = 4
"""Triangles in a leaf of the tree."""
NOWHERE = -1


@dataclass(frozen=True, slots=True, eq=False)
class NearestPoints:
    """points : (n, 3) float64, mm, on the surface; NaN where nothing is in reach.
    normals : (n, 3) float64, unit, interpolated over the surface.
    distances : (n,) float64, mm; infinite where nothing is in reach.
    triangles : (n,) int32, where the points lie, or NOWHERE.
    on_boundary : (n,) bool, the point lies on an open edge of the surface, beyond which there may be more of the face.
    """

    points: FloatArray
    normals: FloatArray
    distances: FloatArray
    triangles: IntArray
    on_boundary: BoolArray


class SurfaceTree:
    """A tree of boxes over the triangles of a mesh.

    The triangles lie in Morton order and the boxes in an implicit binary tree over them, so that it is built by one
    sort, in milliseconds: every frame of a sequence has a tree of its own (source: Lauterbach et al. 2009).
    """

    def __init__(self, vertices: FloatArray, triangles: IntArray) -> None:
        self.vertices: FloatArray = readonly(vertices, "vertices", ("n_vertices", 3), np.float64)
        self.triangles: IntArray = readonly(triangles, "triangles", ("n_triangles", 3), np.int32)
        self.vertex_normals = vertex_normals(self.vertices, self.triangles)
        faces = triangle_normals(self.vertices, self.triangles)
        self._face_normals = faces / np.maximum(np.linalg.norm(faces, axis=1, keepdims=True), 1e-300)
        self._open_edges = _open_edges(self.triangles)
        ends = self.triangles[:, [[1, 2], [2, 0], [0, 1]]]
        self._open_vertices = np.zeros(len(self.vertices), dtype=np.bool_)
        self._open_vertices[ends[self._open_edges]] = True
        corners = self.vertices[self.triangles]
        self._order = np.argsort(_morton(corners.mean(axis=1))).astype(np.int32)
        n_leaves = 1 << max(0, int(np.ceil(np.log2(max(1, -(-len(triangles) // LEAF))))))
        self._boxes = np.empty((2 * n_leaves, 6))
        _fill_boxes(corners, self._order, n_leaves, self._boxes)

    def nearest(
        self,
        points: FloatArray,
        *,
        normals: FloatArray | None = None,
        min_cosine: float = -1.0,
        max_distance_mm: float = np.inf,
        guess: IntArray | None = None,
    ) -> NearestPoints:
        """The nearest point of the surface to each of `points`, (n, 3).

        normals : (n, 3) unit; only triangles whose normal has at least `min_cosine` with it count.
        guess : (n,) triangles that may be near, or NOWHERE, as an earlier call found them; they save time only.
        """
        queries = np.ascontiguousarray(points, dtype=np.float64)
        directions = np.zeros_like(queries) if normals is None else np.ascontiguousarray(normals, dtype=np.float64)
        cosine = -2.0 if normals is None else float(min_cosine)
        found = np.full((len(queries), 3), np.nan)
        barycentric = np.zeros((len(queries), 3))
        triangle = np.full(len(queries), NOWHERE, dtype=np.int32)
        first = triangle.copy() if guess is None else np.ascontiguousarray(guess, dtype=np.int32)
        distances = np.full(len(queries), np.inf)
        _nearest(
            queries, directions, cosine, float(max_distance_mm), first, self.vertices, self.triangles,
            self._face_normals, self._order, self._boxes, found, barycentric, triangle, distances,
        )  # fmt: skip
        hit = np.maximum(triangle, 0)
        smooth = np.einsum("nk,nkd->nd", barycentric, self.vertex_normals[self.triangles[hit]])
        length = np.linalg.norm(smooth, axis=1, keepdims=True)
        smooth = np.where(length > 1e-9, smooth / np.maximum(length, 1e-9), self._face_normals[hit])
        # The weight of corner k is zero on the edge from k + 1 to k + 2.
        open_edge = (self._open_edges[hit] & (barycentric < 1e-6)).any(axis=1)
        open_edge |= (self._open_vertices[self.triangles[hit]] & (barycentric > 1 - 1e-6)).any(axis=1)
        return NearestPoints(found, smooth, distances, triangle, open_edge & (triangle >= 0))

    def blocked(self, origins: FloatArray, direction: FloatArray, *, start_mm: float = 0.5) -> BoolArray:
        """(n,) bool: the ray from each of `origins`, (n, 3), along the unit `direction` meets a triangle at
        `start_mm` or further.
        """
        rays = np.ascontiguousarray(origins, dtype=np.float64)
        hit = np.zeros(len(rays), dtype=np.bool_)
        along = np.ascontiguousarray(direction, dtype=np.float64)
        _blocked(rays, along, float(start_mm), self.vertices, self.triangles, self._order, self._boxes, hit)
        return hit


def _open_edges(triangles: IntArray) -> BoolArray:
    """(n_triangles, 3) bool: edge k, opposite to corner k, belongs to this triangle alone."""
    ends = np.stack([triangles[:, [1, 2]], triangles[:, [2, 0]], triangles[:, [0, 1]]], axis=1).astype(np.int64)
    key = ends.min(axis=2) * (int(triangles.max()) + 1) + ends.max(axis=2)
    _, inverse, count = np.unique(key.ravel(), return_inverse=True, return_counts=True)
    alone: BoolArray = (count[inverse] == 1).reshape(-1, 3)
    return alone


def _morton(points: FloatArray) -> IntArray:
    """(n,) int64: 21 bits of each coordinate, interleaved."""
    low = points.min(axis=0)
    extent = max(float((points.max(axis=0) - low).max()), 1e-300)
    bits = ((points - low) / extent * (2**21 - 1)).astype(np.int64)
    for shift, mask in (
        (32, 0x1F00000000FFFF),
        (16, 0x1F0000FF0000FF),
        (8, 0x100F00F00F00F00F),
        (4, 0x10C30C30C30C30C3),
        (2, 0x1249249249249249),
    ):
        bits = (bits | (bits << shift)) & mask
    code: IntArray = bits[:, 0] | (bits[:, 1] << 1) | (bits[:, 2] << 2)
    return code


@njit(cache=True)  # type: ignore[untyped-decorator]
def _fill_boxes(corners: FloatArray, order: IntArray, n_leaves: int, boxes: FloatArray) -> None:
    """boxes[n_leaves + l] holds the triangles order[LEAF l : LEAF (l + 1)], boxes[i] those of 2 i and 2 i + 1."""
    for leaf in range(n_leaves):
        box = boxes[n_leaves + leaf]
        box[:3], box[3:] = np.inf, -np.inf
        for position in range(leaf * LEAF, min((leaf + 1) * LEAF, order.shape[0])):
            for corner in range(3):
                for axis in range(3):
                    value = corners[order[position], corner, axis]
                    box[axis] = min(box[axis], value)
                    box[3 + axis] = max(box[3 + axis], value)
    for node in range(n_leaves - 1, 0, -1):
        for axis in range(3):
            boxes[node, axis] = min(boxes[2 * node, axis], boxes[2 * node + 1, axis])
            boxes[node, 3 + axis] = max(boxes[2 * node, 3 + axis], boxes[2 * node + 1, 3 + axis])


@njit(cache=True)  # type: ignore[untyped-decorator]
def _box_distance(box: FloatArray, x: float, y: float, z: float) -> float:
    """Squared; infinite for a box that holds nothing."""
    dx = max(box[0] - x, 0.0, x - box[3])
    dy = max(box[1] - y, 0.0, y - box[4])
    dz = max(box[2] - z, 0.0, z - box[5])
    squared: float = dx * dx + dy * dy + dz * dz
    return squared


@njit(cache=True)  # type: ignore[untyped-decorator]
def _barycentric(p: FloatArray, a: FloatArray, b: FloatArray, c: FloatArray) -> tuple[float, float]:
    """Weights of b and c at the point of the triangle nearest to p. Source: Ericson 2005, section 5.1.5."""
    d1 = d2 = d3 = d4 = d5 = d6 = 0.0
    for k in range(3):
        ab, ac = b[k] - a[k], c[k] - a[k]
        d1 += ab * (p[k] - a[k])
        d2 += ac * (p[k] - a[k])
        d3 += ab * (p[k] - b[k])
        d4 += ac * (p[k] - b[k])
        d5 += ab * (p[k] - c[k])
        d6 += ac * (p[k] - c[k])
    if d1 <= 0 and d2 <= 0:
        return 0.0, 0.0
    if d3 >= 0 and d4 <= d3:
        return 1.0, 0.0
    if d6 >= 0 and d5 <= d6:
        return 0.0, 1.0
    vc = d1 * d4 - d3 * d2
    if vc <= 0 and d1 >= 0 and d3 <= 0:
        return d1 / (d1 - d3), 0.0
    vb = d5 * d2 - d1 * d6
    if vb <= 0 and d2 >= 0 and d6 <= 0:
        return 0.0, d2 / (d2 - d6)
    va = d3 * d6 - d5 * d4
    if va <= 0 and d4 >= d3 and d5 >= d6:
        w = (d4 - d3) / ((d4 - d3) + (d5 - d6))
        return 1.0 - w, w
    scale = 1.0 / (va + vb + vc)
    return vb * scale, vc * scale


@njit(cache=True)  # type: ignore[untyped-decorator]
def _try(
    candidate: int,
    p: FloatArray,
    direction: FloatArray,
    min_cosine: float,
    best: float,
    vertices: FloatArray,
    triangles: IntArray,
    face_normals: FloatArray,
    barycentric: FloatArray,
    triangle: IntArray,
) -> float:
    """The smaller of `best` and the squared distance to the candidate, which is noted where it is the smaller one."""
    cosine = 0.0
    for k in range(3):
        cosine += direction[k] * face_normals[candidate, k]
    if cosine < min_cosine:
        return best
    a, b, c = vertices[triangles[candidate, 0]], vertices[triangles[candidate, 1]], vertices[triangles[candidate, 2]]
    v, w = _barycentric(p, a, b, c)
    u = 1.0 - v - w
    squared = 0.0
    for k in range(3):
        step = u * a[k] + v * b[k] + w * c[k] - p[k]
        squared += step * step
    if squared >= best:
        return best
    triangle[0] = candidate
    barycentric[0], barycentric[1], barycentric[2] = u, v, w
    return squared


@njit(cache=True)  # type: ignore[untyped-decorator]
def _nearest(
    queries: FloatArray,
    directions: FloatArray,
    min_cosine: float,
    max_distance: float,
    guess: IntArray,
    vertices: FloatArray,
    triangles: IntArray,
    face_normals: FloatArray,
    order: IntArray,
    boxes: FloatArray,
    found: FloatArray,
    barycentric: FloatArray,
    triangle: IntArray,
    distances: FloatArray,
) -> None:
    n_leaves = boxes.shape[0] // 2
    stack = np.empty(64, dtype=np.int64)
    for query in range(queries.shape[0]):
        p = queries[query]
        best = max_distance * max_distance
        if guess[query] >= 0:
            best = _try(
                guess[query], p, directions[query], min_cosine, best, vertices, triangles, face_normals,
                barycentric[query], triangle[query : query + 1],
            )  # fmt: skip
        stack[0] = 1
        depth = 1
        while depth > 0:
            depth -= 1
            node = stack[depth]
            if _box_distance(boxes[node], p[0], p[1], p[2]) >= best:
                continue
            if node < n_leaves:
                left = _box_distance(boxes[2 * node], p[0], p[1], p[2])
                right = _box_distance(boxes[2 * node + 1], p[0], p[1], p[2])
                near = 2 * node if left <= right else 2 * node + 1
                # The far one waits below the near one.
                if max(left, right) < best:
                    stack[depth] = 4 * node + 1 - near
                    depth += 1
                if min(left, right) < best:
                    stack[depth] = near
                    depth += 1
                continue
            leaf = node - n_leaves
            for position in range(leaf * LEAF, min((leaf + 1) * LEAF, order.shape[0])):
                best = _try(
                    order[position], p, directions[query], min_cosine, best, vertices, triangles, face_normals,
                    barycentric[query], triangle[query : query + 1],
                )  # fmt: skip
        if triangle[query] >= 0:
            t = triangle[query]
            for k in range(3):
                found[query, k] = (
                    barycentric[query, 0] * vertices[triangles[t, 0], k]
                    + barycentric[query, 1] * vertices[triangles[t, 1], k]
                    + barycentric[query, 2] * vertices[triangles[t, 2], k]
                )
            distances[query] = np.sqrt(best)


@njit(cache=True)  # type: ignore[untyped-decorator]
def _blocked(
    origins: FloatArray,
    direction: FloatArray,
    start: float,
    vertices: FloatArray,
    triangles: IntArray,
    order: IntArray,
    boxes: FloatArray,
    hit: BoolArray,
) -> None:
    n_leaves = boxes.shape[0] // 2
    stack = np.empty(64, dtype=np.int64)
    for ray in range(origins.shape[0]):
        o = origins[ray]
        stack[0] = 1
        depth = 1
        while depth > 0 and not hit[ray]:
            depth -= 1
            node = stack[depth]
            enter, leave = start, np.inf
            for k in range(3):
                low, high = boxes[node, k] - o[k], boxes[node, 3 + k] - o[k]
                if abs(direction[k]) < 1e-12:
                    if low > 0 or high < 0:
                        leave = -1.0
                else:
                    first, last = low / direction[k], high / direction[k]
                    enter, leave = max(enter, min(first, last)), min(leave, max(first, last))
            if enter > leave:
                continue
            if node < n_leaves:
                stack[depth], stack[depth + 1] = 2 * node, 2 * node + 1
                depth += 2
                continue
            leaf = node - n_leaves
            for position in range(leaf * LEAF, min((leaf + 1) * LEAF, order.shape[0])):
                t = order[position]
                if _crosses(o, direction, start, vertices, triangles[t]):
                    hit[ray] = True
                    break


@njit(cache=True)  # type: ignore[untyped-decorator]
def _crosses(o: FloatArray, d: FloatArray, start: float, vertices: FloatArray, corner: IntArray) -> bool:
    """Source: Moeller and Trumbore 1997."""
    a, b, c = vertices[corner[0]], vertices[corner[1]], vertices[corner[2]]
    e1x, e1y, e1z = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    e2x, e2y, e2z = c[0] - a[0], c[1] - a[1], c[2] - a[2]
    px, py, pz = d[1] * e2z - d[2] * e2y, d[2] * e2x - d[0] * e2z, d[0] * e2y - d[1] * e2x
    det = e1x * px + e1y * py + e1z * pz
    if abs(det) < 1e-15:
        return False
    tx, ty, tz = o[0] - a[0], o[1] - a[1], o[2] - a[2]
    u = (tx * px + ty * py + tz * pz) / det
    if u < 0 or u > 1:
        return False
    qx, qy, qz = ty * e1z - tz * e1y, tz * e1x - tx * e1z, tx * e1y - ty * e1x
    v = (d[0] * qx + d[1] * qy + d[2] * qz) / det
    if v < 0 or u + v > 1:
        return False
    return bool((e2x * qx + e2y * qy + e2z * qz) / det >= start)
