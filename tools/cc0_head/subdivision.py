"""Loop subdivision (Loop 1987) of a part of a triangle mesh, as a linear operator on its vertices."""

from __future__ import annotations

import numpy as np
from scipy import sparse


def edge_table(triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n_edges, 2) sorted vertex pairs, and (n_triangles, 3) edge of corners (0,1), (1,2), (2,0)."""
    pairs = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    edges, index = np.unique(pairs, axis=0, return_inverse=True)
    return edges, index.reshape(-1, 3)


def refine(
    triangles: np.ndarray, edges: np.ndarray, tri_edges: np.ndarray, split: np.ndarray, n: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Split the marked edges. Returns triangles and each one's parent; edge e's midpoint gets index n + rank of e."""
    midpoint = np.full(len(edges), -1)
    midpoint[split] = n + np.arange(split.sum())
    out, parent = [], []
    for t, (corner, edge) in enumerate(zip(triangles, tri_edges, strict=True)):
        mids = midpoint[edge]
        cut = mids >= 0
        if cut.sum() == 0:
            parts = [tuple(corner)]
        elif cut.sum() == 1:
            k = int(np.argmax(cut))
            a, b, c = np.roll(corner, -k)
            parts = [(a, mids[k], c), (mids[k], b, c)]
        elif cut.sum() == 2:
            k = int(np.argmin(cut))  # the edge that stays; the corner opposite is cut off
            a, b, c = np.roll(corner, -k)
            m_bc, m_ca = mids[(k + 1) % 3], mids[(k + 2) % 3]
            parts = [(a, b, m_bc), (a, m_bc, m_ca), (m_ca, m_bc, c)]
        else:
            a, b, c = corner
            ab, bc, ca = mids
            parts = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
        out.extend(parts)
        parent.extend([t] * len(parts))
    return np.array(out), np.array(parent), midpoint


def loop_operator(
    triangles: np.ndarray, edges: np.ndarray, tri_edges: np.ndarray, split: np.ndarray, refined: np.ndarray, n: int
) -> sparse.csr_matrix:
    """(n + n_split, n): Loop's weights where all triangles around are refined, midpoints and old places elsewhere.

    refined : (n_triangles,) bool.  On the mesh's border the crease rule (1/8, 3/4, 1/8; 1/2, 1/2) holds.
    """
    n_edges = len(edges)
    opposite: list[list[int]] = [[] for _ in range(n_edges)]
    around = np.ones(n_edges, dtype=bool)  # every triangle at the edge is refined
    for corner, edge, inside in zip(triangles, tri_edges, refined, strict=True):
        for k in range(3):
            opposite[edge[k]].append(int(corner[(k + 2) % 3]))
            around[edge[k]] &= inside
    border = np.array([len(o) == 1 for o in opposite])
    vertex_inside = np.ones(n, dtype=bool)
    vertex_inside[np.unique(triangles[~refined])] = False
    neighbours: list[set[int]] = [set() for _ in range(n)]
    border_neighbours: list[set[int]] = [set() for _ in range(n)]
    for (a, b), rim in zip(edges, border, strict=True):
        for x, y in ((a, b), (b, a)):
            neighbours[x].add(int(y))
            if rim:
                border_neighbours[x].add(int(y))
    rows, cols, values = [], [], []

    def put(row: int, weights: dict[int, float]) -> None:
        for col, value in weights.items():
            rows.append(row)
            cols.append(col)
            values.append(value)

    for v in range(n):
        ring = sorted(neighbours[v])
        if not vertex_inside[v] or not ring or len(border_neighbours[v]) not in (0, 2):
            put(v, {v: 1.0})
        elif border_neighbours[v]:
            put(v, {v: 0.75} | dict.fromkeys(sorted(border_neighbours[v]), 0.125))
        else:
            valence = len(ring)
            beta = (5 / 8 - (3 / 8 + np.cos(2 * np.pi / valence) / 4) ** 2) / valence
            put(v, {v: 1 - valence * beta} | dict.fromkeys(ring, beta))
    for rank, e in enumerate(np.flatnonzero(split)):
        a, b = (int(x) for x in edges[e])
        if around[e] and not border[e] and len(opposite[e]) == 2:
            put(n + rank, {a: 3 / 8, b: 3 / 8, opposite[e][0]: 1 / 8, opposite[e][1]: 1 / 8})
        else:
            put(n + rank, {a: 0.5, b: 0.5})
    return sparse.csr_matrix((values, (rows, cols)), shape=(n + int(split.sum()), n))
