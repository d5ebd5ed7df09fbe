"""Raw scans: checked, in millimetres, cleaned where it is certain how, with an account of what was done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import breadth_first_order, connected_components

from synth_affect.arrays import BoolArray, FloatArray, IntArray, readonly
from synth_affect.errors import InputError
from synth_affect.heads.mesh import triangle_normals

LengthUnit = Literal["mm", "cm", "m"]
MM_PER_UNIT: dict[LengthUnit, float] = {"mm": 1.0, "cm": 10.0, "m": 1000.0}

MIN_TRIANGLES = 100
"""Fewer cannot show a face."""
SIZES_MM = (90.0, 1500.0)
"""Diagonal that a scan with a face in it has: from a face without its sides to a person down to the hips. A factor of
ten lies between the units and more than that between these, so sizes of 150 to 900 have one meaning only; where two
fit, the one nearer to a head is taken."""
HEAD_SIZE_MM = 300.0
FLECK_SHARE = 0.002
"""A connected piece with less than this share of the scan's area, a fingertip's, is dropped. Larger ones belong to the
face where a scan was put together from views."""


@dataclass(frozen=True, slots=True)
class ScanRepairs:
    """What `prepare_scan` did to a raw mesh, and what it found and left; all zero for a clean one.

    turned : all triangles were wound inside out, and were turned.
    triangles_turned : single triangles wound against their neighbours, turned.
    vertices_merged : repeated positions (triangle soups, texture seams), made one.
    triangles_degenerate, triangles_duplicate : without area, or there before; dropped.
    flecks, fleck_triangles : small pieces off the surface, dropped.
    vertices_unused : vertices of no triangle left, dropped.
    edges_nonmanifold : edges of more than two triangles; left, they hurt nothing here.
    """

    turned: bool = False
    triangles_turned: int = 0
    vertices_merged: int = 0
    triangles_degenerate: int = 0
    triangles_duplicate: int = 0
    flecks: int = 0
    fleck_triangles: int = 0
    vertices_unused: int = 0
    edges_nonmanifold: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """A surface of any topology, in its own frame.

    name : how messages call it.
    vertices : (n_scan_vertices, 3) float32, mm.  triangles : (n_scan_triangles, 3) int32, counter-clockwise from
        outside; each vertex belongs to one.
    raw_vertex : (n_scan_vertices,) int32, index of the vertex in the raw mesh (the first of those merged).
    unit : of the raw mesh; points that belong to the scan (landmarks) are multiplied by MM_PER_UNIT[unit].
    repairs : what was done.
    """

    name: str
    vertices: FloatArray
    triangles: IntArray
    raw_vertex: IntArray
    unit: LengthUnit
    repairs: ScanRepairs

    def __post_init__(self) -> None:
        object.__setattr__(self, "vertices", readonly(self.vertices, "vertices", ("n_scan_vertices", 3), np.float32))
        object.__setattr__(self, "triangles", readonly(self.triangles, "triangles", ("n_scan_triangles", 3), np.int32))
        object.__setattr__(self, "raw_vertex", readonly(self.raw_vertex, "raw_vertex", (len(self.vertices),), np.int32))


def prepare_scan(vertices: npt.ArrayLike, triangles: npt.ArrayLike, *, name: str) -> Scan:
    """Check and clean a raw mesh of a face.

    vertices : (n, 3), in millimetres, centimetres or metres; told apart by the size of the middle 98 % of them.
    triangles : (m, 3) indices.
    Neighbours are wound alike, then each piece is turned so that most of its area faces away from its centre, which
    a head, and a face that is open behind, both do.
    Raises InputError(name, ...) for what is no surface of numbers, has fewer than 100 triangles, or no head's size.
    """
    points, corners = _checked(vertices, triangles, name)
    n_raw = len(points)
    unit = _unit(points[np.unique(corners)], name)
    points = points * MM_PER_UNIT[unit]

    same = _first_equal(points)
    corners = same[corners]
    vertices_merged = int((same != np.arange(n_raw)).sum())

    proper = (corners != np.roll(corners, 1, axis=1)).all(axis=1)
    proper &= (triangle_normals(points, corners) ** 2).sum(axis=1) > 0
    degenerate = int((~proper).sum())
    corners = corners[proper]
    kept = _first_equal(np.sort(corners, axis=1)) == np.arange(len(corners))
    duplicate = int((~kept).sum())
    corners = corners[kept]
    if len(corners) < MIN_TRIANGLES:
        raise InputError(name, f"has {len(corners)} triangles with an area, a face needs {MIN_TRIANGLES}")

    pairs, against, nonmanifold = _neighbours(corners)
    piece, flip = _orientation(pairs, against, len(corners))
    area = np.linalg.norm(triangle_normals(points, corners), axis=1) / 2
    piece_area = np.bincount(piece, area)
    fleck = piece_area < FLECK_SHARE * piece_area.sum()
    kept_triangles = ~fleck[piece]
    n_flecks, n_fleck_triangles = int(fleck.sum()), int((~kept_triangles).sum())
    corners, piece, flip = corners[kept_triangles], piece[kept_triangles], flip[kept_triangles]
    if len(corners) < MIN_TRIANGLES:
        raise InputError(name, "falls into small pieces that are not joined")

    corners = np.where(flip[:, None], corners[:, ::-1], corners)
    inside_out = _faces_inward(points, corners, piece, len(piece_area))[piece]
    corners = np.where(inside_out[:, None], corners[:, ::-1], corners)
    changed = flip ^ inside_out
    turned = 2 * changed.sum() > len(changed)
    used, compact = np.unique(corners, return_inverse=True)
    return Scan(
        name=name,
        vertices=points[used].astype(np.float32),
        triangles=compact.reshape(-1, 3).astype(np.int32),
        raw_vertex=used.astype(np.int32),
        unit=unit,
        repairs=ScanRepairs(
            turned=bool(turned),
            triangles_turned=int((changed ^ turned).sum()),
            vertices_merged=vertices_merged,
            triangles_degenerate=degenerate,
            triangles_duplicate=duplicate,
            flecks=n_flecks,
            fleck_triangles=n_fleck_triangles,
            vertices_unused=n_raw - vertices_merged - len(used),
            edges_nonmanifold=nonmanifold,
        ),
    )


def _checked(vertices: npt.ArrayLike, triangles: npt.ArrayLike, name: str) -> tuple[FloatArray, IntArray]:
    points = np.asarray(vertices)
    corners = np.asarray(triangles)
    if points.size == 0 or corners.size == 0:
        raise InputError(name, f"has no {'vertices' if points.size == 0 else 'triangles'}")
    if points.ndim != 2 or points.shape[1] != 3 or points.dtype.kind not in "fiu":
        raise InputError(name, f"has vertices of shape {points.shape}, expected (n, 3) numbers")
    if corners.ndim != 2 or corners.shape[1] != 3 or corners.dtype.kind not in "iu":
        raise InputError(name, f"has triangles of shape {corners.shape}, expected (n, 3) indices")
    points = points.astype(np.float64)
    bad = ~np.isfinite(points).all(axis=1)
    if bad.any():
        raise InputError(name, f"vertex {int(bad.argmax())} is NaN or infinite ({int(bad.sum())} of {len(bad)} are)")
    if int(corners.min()) < 0 or int(corners.max()) >= len(points):
        raise InputError(name, f"a triangle names a vertex outside 0 to {len(points) - 1}")
    if len(corners) < MIN_TRIANGLES:
        raise InputError(name, f"has {len(corners)} triangles, a face needs {MIN_TRIANGLES}")
    return points, corners.astype(np.int64)


def _unit(points: FloatArray, name: str) -> LengthUnit:
    low, high = np.percentile(points, [1, 99], axis=0)
    size = float(np.linalg.norm(high - low))
    fits: list[LengthUnit] = [u for u, mm in MM_PER_UNIT.items() if SIZES_MM[0] <= size * mm <= SIZES_MM[1]]
    if not fits:
        raise InputError(name, f"measures {size:.4g} across, which is no head in millimetres, centimetres or metres")
    return min(fits, key=lambda u: abs(np.log(size * MM_PER_UNIT[u] / HEAD_SIZE_MM)))


def _first_equal(rows: npt.NDArray[Any]) -> IntArray:
    """(n,) index of the first row that equals each row of (n, 3); what np.unique finds along an axis, but faster."""
    order = np.lexsort(rows.T)  # stable, so that of equal rows the first comes first
    new = np.ones(len(rows), dtype=bool)
    new[1:] = (rows[order[1:]] != rows[order[:-1]]).any(axis=1)
    first = np.empty(len(rows), dtype=np.int64)
    first[order] = order[new][np.cumsum(new) - 1]
    return first


def _neighbours(corners: IntArray) -> tuple[IntArray, BoolArray, int]:
    """Pairs of triangles that share an edge alone, whether they run along it in the same sense, which neighbours on an
    oriented surface do not, and the number of edges with more than two triangles.
    """
    ends = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]])
    n_vertices = int(corners.max()) + 1
    key = ends.min(axis=1) * n_vertices + ends.max(axis=1)
    order = np.argsort(key, kind="stable")
    _, start, count = np.unique(key[order], return_index=True, return_counts=True)
    two = start[count == 2]
    a, b = order[two], order[two + 1]
    forward = ends[:, 0] < ends[:, 1]
    pairs = np.stack([a % len(corners), b % len(corners)], axis=1)
    return pairs, forward[a] == forward[b], int((count > 2).sum())


def _orientation(pairs: IntArray, against: BoolArray, n_triangles: int) -> tuple[IntArray, BoolArray]:
    """The piece that each triangle belongs to, and which to turn so that those of a piece agree with its first one.

    On a surface that cannot be oriented (a Moebius band) they agree along a tree of neighbours only.
    """
    graph = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n_triangles, n_triangles)).tocsr()
    _, piece = connected_components(graph, directed=False)
    flip = np.zeros(n_triangles, dtype=bool)
    mixed = np.unique(piece[pairs[against, 0]])
    if len(mixed) == 0:
        return piece, flip
    low, high = pairs.min(axis=1), pairs.max(axis=1)
    differ = dict(zip((low * n_triangles + high).tolist(), against.tolist(), strict=True))
    for one in mixed:
        root = int((piece == one).argmax())
        order, parent = breadth_first_order(graph, root, directed=False)
        for triangle in order[1:].tolist():
            before = int(parent[triangle])
            flip[triangle] = flip[before] ^ differ[min(triangle, before) * n_triangles + max(triangle, before)]
    return piece, flip


def _faces_inward(points: FloatArray, corners: IntArray, piece: IntArray, n_pieces: int) -> BoolArray:
    """(n_pieces,) bool: more of the piece's area faces its centre than away from it."""
    normals = triangle_normals(points, corners)
    area = np.linalg.norm(normals, axis=1)
    middle = points[corners].mean(axis=1)
    total = np.maximum(np.bincount(piece, area, n_pieces), 1e-300)
    centre = np.stack([np.bincount(piece, area * middle[:, k], n_pieces) / total for k in range(3)], axis=1)
    outward = ((middle - centre[piece]) * normals).sum(axis=1)
    return np.bincount(piece, outward, n_pieces) < 0
