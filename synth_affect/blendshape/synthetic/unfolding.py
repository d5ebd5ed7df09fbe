"""Skin that folds but is not turned over: what a style adds is held back where it would press the surface together.

A triangle's part of its area at rest, seen along its normal at rest, says how much it is pressed together or turned.
Where an addition takes too much of what the motion below it has left, it is scaled down there, and less and less
around, so that its end is no fold of its own. A continuous function of both motions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from synth_affect.arrays import FloatArray, IntArray, readonly
from synth_affect.heads.mesh import triangle_normals
from synth_affect.heads.model import HeadModel, region_triangles

LEAST_AREA = 0.35
"""Part of its area that a triangle keeps, or ..."""
LEAST_KEPT = 0.6
"""... this share of what is left of it without the addition, where that is less."""
_REACH_MM = 9.0
"""An addition grows from nothing to all of it over this distance at least."""
_PASSES = 3


@dataclass(frozen=True, slots=True, eq=False)
class Skin:
    """triangles : (n_triangles, 3) int32.

    starts : (n_vertices + 1,) int32, neighbours : (n_neighbours,) int32; those of vertex v are
        neighbours[starts[v] : starts[v + 1]].
    lengths_mm : (n_neighbours,) float32, how far each is.
    """

    triangles: IntArray
    starts: IntArray
    neighbours: IntArray
    lengths_mm: FloatArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "triangles", readonly(self.triangles, "triangles", ("n_triangles", 3), np.int32))
        object.__setattr__(self, "starts", readonly(self.starts, "starts", ("n_vertices + 1",), np.int32))
        object.__setattr__(self, "neighbours", readonly(self.neighbours, "neighbours", ("n_neighbours",), np.int32))
        n_neighbours = len(self.neighbours)
        object.__setattr__(self, "lengths_mm", readonly(self.lengths_mm, "lengths_mm", (n_neighbours,), np.float32))


def skin_of(head: HeadModel, vertex_of: IntArray) -> Skin:
    """The face without its lids, which are made to close, on a mesh whose vertex k is the head's `vertex_of[k]`.

    It must hold all of the face's vertices.
    """
    compact = np.full(len(head.mean), -1, dtype=np.int32)
    compact[vertex_of] = np.arange(len(vertex_of), dtype=np.int32)
    triangles = compact[head.triangles[region_triangles(head, "skin", "lips")]]
    edges = np.unique(np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1), axis=0)
    both = np.concatenate([edges, edges[:, ::-1]])
    both = both[np.lexsort(both.T[::-1])]
    mean = head.mean[vertex_of]
    return Skin(
        triangles=triangles,
        starts=np.searchsorted(both[:, 0], np.arange(len(vertex_of) + 1)).astype(np.int32),
        neighbours=np.ascontiguousarray(both[:, 1]),
        lengths_mm=np.linalg.norm(mean[both[:, 0]] - mean[both[:, 1]], axis=1).astype(np.float32),
    )


def add_unfolded(skin: Skin, neutral: FloatArray, offsets: FloatArray, addition: FloatArray) -> None:
    """Add to `offsets` (n_frames, n_vertices, 3), in place, as much of `addition` as folds no skin over.

    neutral : (n_vertices, 3) mm.  addition : as `offsets`, mm; scaled down in place to what is added.
    """
    normals = triangle_normals(neutral, skin.triangles)
    normals = normals / np.maximum((normals**2).sum(axis=1, keepdims=True), np.float32(1e-12))
    for below, above in zip(offsets, addition, strict=True):
        for _ in range(_PASSES):
            if not _hold_back(
                neutral, normals, skin.triangles, skin.starts, skin.neighbours, skin.lengths_mm, below, above
            ):
                break
        below += above


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _hold_back(
    neutral: FloatArray,
    normals: FloatArray,
    triangles: IntArray,
    starts: IntArray,
    neighbours: IntArray,
    lengths_mm: FloatArray,
    below: FloatArray,
    above: FloatArray,
) -> bool:
    """Scale `above` down in place where it presses too much; whether there was such a place."""
    n_vertices = len(neutral)
    share = np.ones(n_vertices, dtype=np.float32)
    # A ring of the vertices whose neighbours are to be looked at; none is in it twice.
    waiting, waits = np.empty(n_vertices, dtype=np.int32), np.zeros(n_vertices, dtype=np.bool_)
    head = n_waiting = 0
    first = neutral + below
    whole = first + above
    for t in range(len(triangles)):
        a, b, c = np.uint32(triangles[t, 0]), np.uint32(triangles[t, 1]), np.uint32(triangles[t, 2])
        area = _area(whole, a, b, c, normals, t)
        if area >= LEAST_AREA:
            continue
        before = _area(first, a, b, c, normals, t)
        least = min(np.float32(LEAST_AREA), np.float32(LEAST_KEPT) * before)
        if area >= least:
            continue
        # Areas are close to linear in the share while little is lost; the next pass sees to the rest.
        kept = (before - least) / (before - area) if before > 0 else np.float32(0)
        for corner in (a, b, c):
            share[corner] = min(share[corner], kept)
            if not waits[corner]:
                waits[corner] = True
                waiting[n_waiting] = corner
                n_waiting += 1
    if n_waiting == 0:
        return False
    while n_waiting > 0:
        v = waiting[head]
        head = (head + 1) % n_vertices
        n_waiting -= 1
        waits[v] = False
        for k in range(starts[v], starts[v + 1]):
            reached, neighbour = share[v] + lengths_mm[k] / np.float32(_REACH_MM), neighbours[k]
            if reached < share[neighbour]:
                share[neighbour] = reached
                if not waits[neighbour]:
                    waits[neighbour] = True
                    waiting[(head + n_waiting) % n_vertices] = neighbour
                    n_waiting += 1
    for v in range(len(share)):
        if share[v] < 1:
            for k in range(3):
                above[v, k] *= share[v]
    return True


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _area(points: FloatArray, a: int, b: int, c: int, normals: FloatArray, t: int) -> float:
    """Of triangle `t` along its row of `normals`, the length of which is one over its area."""
    x, y, z = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1], points[b, 2] - points[a, 2]
    u, v, w = points[c, 0] - points[a, 0], points[c, 1] - points[a, 1], points[c, 2] - points[a, 2]
    area: float = (y * w - z * v) * normals[t, 0] + (z * u - x * w) * normals[t, 1] + (x * v - y * u) * normals[t, 2]
    return area
