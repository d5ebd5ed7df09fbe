"""Geometry that the MakeHuman base mesh has only as coarse helpers: dental arches with single teeth and gums, eyeballs
with an iris. Every part is a linear operator on the base mesh's vertices plus a constant, so that identity and
expression targets move it as they move the helpers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.interpolate import CubicSpline


@dataclass(frozen=True)
class Part:
    """operator : (n, n_base) sparse.  constant : (n, 3) mm; vertices = operator @ base + constant, offsets without it.
    triangles : (m, 3), counter-clockwise from outside.  regions : (m,) region names.  uv : (n, 2) in [0, 1].
    """

    operator: sparse.csr_matrix
    constant: np.ndarray
    triangles: np.ndarray
    regions: np.ndarray
    uv: np.ndarray


def grid_triangles(n_rows: int, n_columns: int, wrap: bool = False) -> np.ndarray:
    """Two triangles a cell of a row-major vertex grid; `wrap` closes the columns to a ring."""
    last = n_columns if wrap else n_columns - 1
    row, column = np.meshgrid(np.arange(n_rows - 1), np.arange(last), indexing="ij")
    a = row * n_columns + column
    b = row * n_columns + (column + 1) % n_columns
    c, d = b + n_columns, a + n_columns
    return np.stack([np.stack([a, d, c], -1), np.stack([a, c, b], -1)], -2).reshape(-1, 3)


# Mesio-distal crown widths in mm from the midline outwards (central, lateral, canine, two premolars, two molars):
# means of Wheeler's Dental Anatomy, upper and lower; and how much shorter each crown is than the longest, in mm.
UPPER_WIDTHS = (8.5, 6.5, 7.5, 7.0, 7.0, 10.0, 9.0)
LOWER_WIDTHS = (5.0, 5.5, 7.0, 7.0, 7.0, 11.0, 10.5)
UPPER_SHORT = (0.0, 0.9, 0.1, 1.0, 1.3, 1.8, 2.2)
LOWER_SHORT = (0.5, 0.3, 0.0, 0.6, 1.0, 1.2, 1.5)
CROWN_MM = {"upper": 9.6, "lower": 8.8}
COLUMNS_PER_TOOTH = 6
GUM_ROWS, CROWN_ROWS, BACK_ROWS = 3, 6, 3


def _strip_rows(vertices: np.ndarray, quads: np.ndarray, start: tuple[int, int]) -> tuple[list[int], list[int]]:
    """Walk a strip of quads from the midline pair `start` to the subject's left (+x): the vertices of both its rows."""
    first, second = [start[0]], [start[1]]
    while True:
        a, b = first[-1], second[-1]
        step = None
        for quad in quads:
            if a in quad and b in quad:
                i, j = list(quad).index(a), list(quad).index(b)
                if (i - j) % 4 not in (1, 3):
                    continue
                c, d = (
                    (quad[(i + 1) % 4], quad[(j - 1) % 4])
                    if (j - i) % 4 == 3
                    else (quad[(i - 1) % 4], quad[(j + 1) % 4])
                )
                middle = vertices[[c, d]].mean(0)
                if c not in first and middle[0] > 1e-3:
                    step = (int(c), int(d))
        if step is None:
            return first, second
        first.append(step[0])
        second.append(step[1])


def dental_arch(vertices: np.ndarray, quads: np.ndarray, kind: str, lower_by_mm: float) -> Part:
    """Single teeth with gums along the helper strip `quads` of one jaw.

    kind : "upper" or "lower".  lower_by_mm : how far to move it down (the helper's upper edge hides behind the lip).
    """
    index = np.unique(quads)
    midline = index[np.abs(vertices[index, 0]) < 0.5]
    by_height = midline[np.argsort(vertices[midline, 1])]
    sign = 1.0 if kind == "upper" else -1.0  # +1: the gum is above the edge
    order = by_height[::-1] if kind == "upper" else by_height
    gum0 = order[0]
    edge0 = order[-1]
    front0 = max((int(v) for v in order[1:-1]), key=lambda v: vertices[v, 2])
    rows = {}
    rows["gum"], rows["front"] = _strip_rows(vertices, quads, (int(gum0), front0))
    _, rows["edge"] = _strip_rows(vertices, quads, (front0, int(edge0)))
    n_base = len(vertices)

    widths = np.array(UPPER_WIDTHS if kind == "upper" else LOWER_WIDTHS)
    shorter = np.array(UPPER_SHORT if kind == "upper" else LOWER_SHORT)
    edge_points = vertices[rows["edge"]]
    arc = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(edge_points, axis=0), axis=1))])
    widths = widths * min(1.0, (arc[-1] - 0.5) / widths.sum())
    # Columns of the subject's left half from the midline on; every tooth has its own columns, cut steep between teeth.
    inside = np.linspace(-0.5, 0.5, COLUMNS_PER_TOOTH + 1)
    inside = np.sign(inside) * 0.5 * (1 - (1 - 2 * np.abs(inside)) ** 1.6)  # denser towards the gaps
    starts = np.concatenate([[0], np.cumsum(widths)])[:-1]
    s = np.concatenate([start + (inside[:-1] + 0.5) * w for start, w in zip(starts, widths, strict=True)])
    tooth = np.repeat(np.arange(len(widths)), COLUMNS_PER_TOOTH)
    across = np.tile(inside[:-1], len(widths))
    s, tooth, across = np.append(s, widths.sum()), np.append(tooth, len(widths) - 1), np.append(across, 0.5)

    s = np.concatenate([-s[::-1][:-1], s])
    whole_arc = np.concatenate([-arc[::-1][:-1], arc])

    def along(name: str) -> tuple[sparse.csr_matrix, np.ndarray]:
        """Spline weights that read a row of the strip at s, from the subject's right to the left."""
        knots = [_mirror_vertex(vertices, v) for v in rows[name][:0:-1]] + rows[name]
        blank = sparse.lil_matrix((len(s), n_base))
        blank[:, knots] = CubicSpline(whole_arc, np.eye(len(whole_arc)), axis=0, bc_type="natural")(s)
        reader = blank.tocsr()
        return reader, reader @ vertices

    reads = {name: along(name) for name in rows}
    tooth = np.concatenate([tooth[::-1][:-1], tooth])
    across = np.concatenate([-across[::-1][:-1], across])
    gum, edge = reads["gum"][1], reads["edge"][1]
    height = np.linalg.norm(edge - gum, axis=1)
    tangent = np.gradient(edge, axis=0)
    outward = np.cross(tangent, (gum - edge) * sign)
    outward[:, 1] = 0
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    outward *= np.sign(outward[len(outward) // 2, 2])

    crown = np.minimum(CROWN_MM[kind] - shorter[tooth], 0.8 * height)
    gap = np.clip(1 - (2 * np.abs(across)) ** 4, 0, 1)  # 1 on the tooth, 0 between two
    t_end = 1 - (shorter[tooth] * 0.5 + 0.9 * (2 * np.abs(across)) ** 6) / height
    t_gum = 1 - crown / height + 0.10 * (2 * np.abs(across)) ** 2 * crown / height
    operators: list[sparse.csr_matrix] = []
    constants: list[np.ndarray] = []

    def add(weights: dict[str, np.ndarray], shift: np.ndarray) -> None:
        operators.append(sum(sparse.diags(w) @ reads[name][0] for name, w in weights.items()))
        constants.append(shift)

    def surface(t: np.ndarray) -> dict[str, np.ndarray]:
        """Quadratic through gum rim (t = 0), front (0.5) and edge (1)."""
        return {"gum": (1 - t) * (1 - 2 * t), "front": 4 * t * (1 - t), "edge": t * (2 * t - 1)}

    for k in range(GUM_ROWS):
        u = k / GUM_ROWS
        bulge = 0.4 + 0.7 * np.sin(np.pi * min(1.0, u + 0.15)) * (0.6 + 0.4 * gap)
        add(surface(u * t_gum), outward * bulge[:, None])
    for k in range(CROWN_ROWS):
        u = k / (CROWN_ROWS - 1)
        t = t_gum + u * (t_end - t_gum)
        # A crown is fullest in its lower third and falls back to the gap on both sides.
        bulge = -0.5 + gap * (0.9 + 0.9 * np.sin(np.pi * (0.15 + 0.65 * u))) - 0.9 * max(0.0, u - 0.8) / 0.2 * gap
        add(surface(t), outward * bulge[:, None])
    thickness = np.where(tooth < 3, 1.6, 4.5)
    for k in range(BACK_ROWS):
        u = (k + 1) / BACK_ROWS
        depth = thickness * min(1.0, 2 * u)
        t = t_end - max(0.0, u - 0.34) * 0.5
        add(surface(t), -outward * (depth * (0.5 + 0.5 * gap))[:, None])
    n_columns = len(s)
    constant = np.concatenate(constants) + np.array([0.0, -lower_by_mm, 0.0])
    n_rows = len(operators)
    triangles = grid_triangles(n_rows, n_columns)
    row_of = np.repeat(np.arange(n_rows - 1), 2 * (n_columns - 1))
    regions = np.where(row_of < GUM_ROWS, "gums", f"teeth_{kind}")
    operator = sparse.vstack(operators).tocsr()
    placed = operator @ vertices + constant
    middle = n_columns // 2
    normal = np.cross(
        placed[middle + n_columns] - placed[middle], placed[middle + 1] - placed[middle]
    )  # front of the gum, midline
    a, b, c = placed[triangles[0]]
    if np.dot(np.cross(b - a, c - a), normal * np.sign(normal[2])) < 0:
        triangles = triangles[:, ::-1]
    columns, rows_down = np.meshgrid(np.linspace(0, 1, n_columns), np.linspace(0, 1, n_rows))
    return Part(operator, constant, triangles, regions, np.stack([columns.ravel(), rows_down.ravel()], -1))


def _mirror_vertex(vertices: np.ndarray, vertex: int) -> int:
    return int(np.argmin(np.linalg.norm(vertices - vertices[vertex] * [-1, 1, 1], axis=1)))


IRIS_RADIUS_MM = 5.9  # visible iris, mean of adults (horizontal diameter 11.8 mm)
RING_DEGREES = (7, 14, None, 29, 36, 44, 53, 63, 75, 90)  # None: the rim of the iris
SECTORS = 32


def eyeball(vertices: np.ndarray, quads: np.ndarray, back_mm: float) -> Part:
    """A sphere with an iris in place of one helper eye, seen from the front; back_mm behind it, so that lids clear it.

    Every vertex reads the affine map that takes the helper to its target: turning (gaze), growing and moving all pass.
    """
    index = np.unique(quads)
    helper = vertices[index]
    # Sphere through the helper's vertices: |x - c|^2 = r^2 is linear in c and r^2 - |c|^2.
    solution = np.linalg.lstsq(np.c_[2 * helper, np.ones(len(helper))], (helper**2).sum(1), rcond=None)[0]
    centre, radius = solution[:3], float(np.sqrt(solution[3] + solution[:3] @ solution[:3]))
    iris = np.degrees(np.arcsin(IRIS_RADIUS_MM / radius))
    rings = np.radians([iris if d is None else d for d in RING_DEGREES])
    around = 2 * np.pi * np.arange(SECTORS) / SECTORS
    theta, phi = np.meshgrid(rings, around, indexing="ij")
    points = np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], -1).reshape(-1, 3)
    points = np.concatenate([[[0, 0, 1]], points]) * radius + centre
    homogeneous = np.c_[helper - centre, np.ones(len(helper))]
    weights = np.c_[points - centre, np.ones(len(points))] @ np.linalg.pinv(homogeneous)
    operator = sparse.lil_matrix((len(points), len(vertices)))
    operator[:, index] = weights
    body = grid_triangles(len(rings), SECTORS, wrap=True) + 1
    cap = np.stack([np.zeros(SECTORS, int), 1 + np.arange(SECTORS), 1 + (np.arange(SECTORS) + 1) % SECTORS], -1)
    triangles = np.concatenate([cap, body])
    ring_of = np.concatenate([np.zeros(SECTORS, int), np.repeat(np.arange(1, len(rings)), 2 * SECTORS)])
    regions = np.where(ring_of <= RING_DEGREES.index(None), "iris", "eyeball")
    polar = np.concatenate([[[0, 0]], np.stack([theta * np.cos(phi), theta * np.sin(phi)], -1).reshape(-1, 2)])
    uv = 0.5 + 0.5 * polar / rings[-1]
    part = Part(operator.tocsr(), np.tile([0.0, 0.0, -back_mm], (len(points), 1)), triangles, regions, uv)
    return _outward(part, vertices, centre)


def _outward(part: Part, vertices: np.ndarray, centre: np.ndarray) -> Part:
    placed = part.operator @ vertices
    a, b, c = (placed[part.triangles[:, k]] for k in range(3))
    wrong = np.einsum("td,td->t", np.cross(b - a, c - a), (a + b + c) / 3 - centre) < 0
    triangles = np.where(wrong[:, None], part.triangles[:, ::-1], part.triangles)
    return Part(part.operator, part.constant, triangles, part.regions, part.uv)
