"""The head's topology: cut from the body, refined round mouth and eyes, joined with teeth, eyeballs, tongue, lashes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from tools.cc0_head.makehuman import BaseMesh, MakeHumanData
from tools.cc0_head.parts import Part, dental_arch, eyeball
from tools.cc0_head.subdivision import edge_table, loop_operator, refine

REGIONS = (
    "skin", "lips", "lids", "eyeball", "iris", "lashes", "mouth_cavity", "teeth_upper", "teeth_lower", "gums", "tongue",
    "neck", "scalp", "ears",
)  # fmt: skip
REFINE_MOUTH_MM = 7.0  # refine skin nearer than this to the lips
REFINE_EYES_MM = 6.0
UPPER_TEETH_DOWN_MM = 3.5  # the helper's edge hides behind the lip; at rest 2 mm of incisors show (Vig & Brundo 1978)
TONGUE_DOWN_MM, TONGUE_BACK_MM = 9.0, 3.0  # the helper's tongue fills an open mouth up to the palate
EYE_BACK_MM = 1.2  # a lid moves on the chord of the eyeball when a unit is half on; this clears it (tested)


@dataclass(frozen=True)
class Assembly:
    """operator : (n_vertices, n_base) sparse; constant : (n_vertices, 3) mm: mean = operator @ base + constant.
    triangles : (n_triangles, 3).  regions : (n_triangles,) index into REGIONS.
    uv : (n_uv, 2).  uv_triangles : (n_triangles, 3).  mirror : (n_vertices,).
    """

    operator: sparse.csr_matrix
    constant: np.ndarray
    triangles: np.ndarray
    regions: np.ndarray
    uv: np.ndarray
    uv_triangles: np.ndarray
    mirror: np.ndarray


def _triangulate(vertices: np.ndarray, quads: np.ndarray, quad_uv: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two triangles a quad along its shorter diagonal (so that mirrored quads are cut alike)."""
    first = np.linalg.norm(vertices[quads[:, 0]] - vertices[quads[:, 2]], axis=1)
    second = np.linalg.norm(vertices[quads[:, 1]] - vertices[quads[:, 3]], axis=1)
    cut_first = (first <= second + 1e-4)[:, None]

    def split(q: np.ndarray) -> np.ndarray:
        one = np.where(cut_first, q[:, [0, 1, 2]], q[:, [0, 1, 3]])
        two = np.where(cut_first, q[:, [0, 2, 3]], q[:, [1, 2, 3]])
        return np.stack([one, two], axis=1).reshape(-1, 3)

    return split(quads), split(quad_uv)


def _compact(triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    used, compact = np.unique(triangles, return_inverse=True)
    return used, compact.reshape(-1, 3)


def _sample(mask: np.ndarray, uv: np.ndarray) -> np.ndarray:
    height, width = mask.shape
    row = np.clip(((1 - uv[:, 1]) * height).astype(int), 0, height - 1)
    return mask[row, np.clip((uv[:, 0] * width).astype(int), 0, width - 1)]


def _above_neck(points: np.ndarray) -> np.ndarray:
    """Above a plane that runs from under the chin down the throat to the nape."""
    return points[:, 1] > 592 + 0.30 * np.maximum(60 - points[:, 2], 0)


def _skin_part(data: MakeHumanData, base: BaseMesh) -> tuple[Part, np.ndarray]:
    """The body's head, refined. Returns the part (uv of its corners) and its uv triangles."""
    body = base.groups == "body"
    centre = base.vertices[base.quads].mean(1)
    keep = body & _above_neck(centre)
    n = len(base.vertices)
    quads = base.quads[keep]
    links = sparse.coo_matrix((np.ones(quads.size), (quads.ravel(), np.roll(quads, 1, axis=1).ravel())), shape=(n, n))
    _, component = connected_components(links, directed=False)
    largest = np.bincount(component[quads[:, 0]]).argmax()
    keep[np.flatnonzero(keep)[component[quads[:, 0]] != largest]] = False
    triangles, uv_triangles = _triangulate(base.vertices, base.quads[keep], base.quad_uv[keep])
    used, triangles = _compact(triangles)
    uv_used, uv_triangles = _compact(uv_triangles)
    vertices, uv = base.vertices[used], base.uv[uv_used]

    corner_uv = uv[uv_triangles].mean(1)
    lips = np.unique(triangles[_sample(data.mask("lips"), corner_uv) > 0.4])
    lids = np.unique(triangles[_sample(data.mask("eyelids"), corner_uv) > 0.4])
    near_mouth = cKDTree(vertices[lips]).query(vertices)[0] < REFINE_MOUTH_MM
    near_eyes = cKDTree(vertices[lids]).query(vertices)[0] < REFINE_EYES_MM
    in_front = vertices[:, 2] > 70
    refined = ((near_mouth | near_eyes) & in_front)[triangles].all(1)
    edges, tri_edges = edge_table(triangles)
    split = np.zeros(len(edges), dtype=bool)
    split[np.unique(tri_edges[refined])] = True
    operator = _interpolating(loop_operator(triangles, edges, tri_edges, split, refined, len(vertices)))
    new_triangles, _, _ = refine(triangles, edges, tri_edges, split, len(vertices))
    # UV seams have their own topology: the same edges split, midpoints plain.
    uv_edges, uv_tri_edges = edge_table(uv_triangles)
    uv_split = np.zeros(len(uv_edges), dtype=bool)
    uv_split[uv_tri_edges[split[tri_edges]]] = True
    new_uv_triangles, _, _ = refine(uv_triangles, uv_edges, uv_tri_edges, uv_split, len(uv))
    new_uv = np.concatenate([uv, uv[uv_edges[uv_split]].mean(1)])

    select = sparse.csr_matrix((np.ones(len(used)), (np.arange(len(used)), used)), shape=(len(used), n))
    regions = _skin_regions(data, operator @ vertices, new_triangles, new_uv[new_uv_triangles].mean(1))
    part = Part((operator @ select).tocsr(), np.zeros((operator.shape[0], 3)), new_triangles, regions, new_uv)
    return part, new_uv_triangles


def _interpolating(operator: sparse.csr_matrix) -> sparse.csr_matrix:
    """Loop's operator after a correction of the control points, so that the refined surface keeps the places of the
    vertices that it had (lips that touch would part, lids would sink into the eye).

    The first n rows R move the old vertices; R^-1 = I + E + E^2 + ... with E = I - R, cut after two terms.
    """
    n = operator.shape[1]
    error = sparse.identity(n, format="csr") - operator[:n]
    return (operator @ (sparse.identity(n, format="csr") + error + error @ error)).tocsr()


def _skin_regions(data: MakeHumanData, vertices: np.ndarray, triangles: np.ndarray, uv: np.ndarray) -> np.ndarray:
    centre = vertices[triangles].mean(1)
    regions = np.full(len(triangles), "skin", dtype="<U12")
    face = _sample(data.mask("face"), uv) > 0.4
    outside = ~face & (_sample(data.mask("inside-mouth"), uv) <= 0.4)
    regions[outside] = "scalp"
    # Below a plane from the chin to the nape it is neck.
    regions[outside & (centre[:, 1] < 640 + 0.25 * (60 - centre[:, 2]))] = "neck"
    for region, mask in (("ears", "ears"), ("lids", "eyelids"), ("lips", "lips"), ("mouth_cavity", "inside-mouth")):
        regions[_sample(data.mask(mask), uv) > 0.4] = region
    return regions


def _helper_part(base: BaseMesh, groups: tuple[str, ...], region: str) -> tuple[Part, np.ndarray]:
    """Helper quads taken as they are."""
    keep = np.isin(base.groups, groups)
    triangles, uv_triangles = _triangulate(base.vertices, base.quads[keep], base.quad_uv[keep])
    used, triangles = _compact(triangles)
    uv_used, uv_triangles = _compact(uv_triangles)
    select = sparse.csr_matrix(
        (np.ones(len(used)), (np.arange(len(used)), used)), shape=(len(used), len(base.vertices))
    )
    part = Part(select, np.zeros((len(used), 3)), triangles, np.full(len(triangles), region), base.uv[uv_used])
    return part, uv_triangles


def assemble(data: MakeHumanData, base: BaseMesh) -> Assembly:
    """Join all parts; skin first. The UV atlas: skin in its own layout above v = 0.2, the parts in a row below."""

    def quads(group: str) -> np.ndarray:
        return base.quads[base.groups == group]

    skin, skin_uv = _skin_part(data, base)
    tongue, tongue_uv = _helper_part(base, ("helper-tongue",), "tongue")
    tongue = replace(tongue, constant=tongue.constant - np.array([0.0, TONGUE_DOWN_MM, TONGUE_BACK_MM]))
    lashes, lashes_uv = _helper_part(
        base, tuple(f"helper-{side}-eyelashes-{k}" for side in "lr" for k in (1, 2)), "lashes"
    )
    own = [
        eyeball(base.vertices, quads("helper-l-eye"), EYE_BACK_MM),
        eyeball(base.vertices, quads("helper-r-eye"), EYE_BACK_MM),
        dental_arch(base.vertices, quads("helper-upper-teeth"), "upper", UPPER_TEETH_DOWN_MM),
        dental_arch(base.vertices, quads("helper-lower-teeth"), "lower", 0.0),
    ]
    parts = [skin, tongue, lashes, *own]
    uv_triangles = [skin_uv, tongue_uv, lashes_uv, *(p.triangles for p in own)]
    n_vertices = np.cumsum([0] + [p.operator.shape[0] for p in parts])
    n_uv = np.cumsum([0] + [len(p.uv) for p in parts])
    atlas = []
    for k, part in enumerate(parts):
        low, high = part.uv.min(0), part.uv.max(0)
        unit = (part.uv - low) / (high - low)
        if k == 0:
            atlas.append(unit * [1.0, 0.8] + [0.0, 0.2])
        else:
            width = 1 / (len(parts) - 1)
            atlas.append(unit * [0.95 * width, 0.19] + [(k - 1) * width, 0.0])
    operator = sparse.vstack([p.operator for p in parts]).tocsr()
    constant = np.concatenate([p.constant for p in parts])
    triangles = np.concatenate([p.triangles + n for p, n in zip(parts, n_vertices[:-1], strict=True)])
    names = np.concatenate([p.regions for p in parts])
    vertices = operator @ base.vertices + constant
    return Assembly(
        operator,
        constant,
        triangles,
        np.array([REGIONS.index(name) for name in names]),
        np.concatenate(atlas),
        np.concatenate([t + n for t, n in zip(uv_triangles, n_uv[:-1], strict=True)]),
        _mirror(vertices, n_vertices, operator.shape[0]),
    )


def mirrored(values: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    """Points or offsets (n_vertices, 3) of the mirror image."""
    flipped: np.ndarray = values[mirror] * [-1.0, 1.0, 1.0]
    return flipped


def _mirror(vertices: np.ndarray, starts: np.ndarray, n: int) -> np.ndarray:
    """Nearest vertex to each one's mirror image, within its own part (eyes: in the other's)."""
    mirror = np.arange(n)
    partner = {3: 4, 4: 3}
    for k in range(len(starts) - 1):
        mine = np.arange(starts[k], starts[k + 1])
        other = np.arange(starts[partner.get(k, k)], starts[partner.get(k, k) + 1])
        _, found = cKDTree(vertices[other]).query(vertices[mine] * [-1, 1, 1])
        mirror[mine] = other[found]
    return mirror
