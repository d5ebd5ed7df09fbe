"""ICT-FaceKit Light (Li et al. 2020, MIT) as a `HeadModel`: read from its packed arrays, in our units and names.

The packed file is one npz: `mean` (n, 3) float32, `polygons` (m, 4) int32 with -1 as the fourth corner of a triangle,
`identity` (n_identity, n, 3) and `expression` (53, n, 3) float16, all in centimetres; `expression_names` (53,);
`landmarks_68` (68,) vertices; `region_names` and `region_vertex_ranges` (k, 2), first and last vertex of each part.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from synth_affect.arrays import BoolArray, FloatArray, IntArray, readonly
from synth_affect.errors import InputError, ShapeError
from synth_affect.heads.archive import topology_id
from synth_affect.heads.model import HeadModel, LandmarkEmbedding

NAME = "ict"
LICENCE = "MIT"
SOURCE = "ICT-FaceKit Light, USC Institute for Creative Technologies"
MM_PER_CM = 10.0

REGIONS = (
    "skin", "lips", "lids", "eyeball", "iris", "lashes", "mouth_cavity", "teeth_upper", "teeth_lower", "gums", "tongue",
    "neck", "scalp", "ears",
)  # fmt: skip
PARTS = (
    "head_and_neck", "face", "narrow_face", "mouth_socket", "eye_socket_left", "eye_socket_right", "gums_and_tongue",
    "teeth", "eyeball_left", "eyeball_right", "lacrimal_left", "lacrimal_right", "eye_blend_left", "eye_blend_right",
    "eye_occlusion_left", "eye_occlusion_right", "eyelashes_left", "eyelashes_right",
)  # fmt: skip
"""The file's parts. A vertex belongs to the last that holds it (the narrow face lies in the face), a polygon to the
last of its corners'."""
NOT_DRAWN = (
    "eye_socket_left", "eye_socket_right", "lacrimal_left", "lacrimal_right", "eye_blend_left", "eye_blend_right",
    "eye_occlusion_left", "eye_occlusion_right",
)  # fmt: skip
"""Shells that imitate shadow and wetness of an eye, and what lies behind the eyeballs."""

OUTER_LIP, CHIN = tuple(range(48, 60)), 8
"""ibug's points: the border of the lips' red, the lowest of the chin."""
INNERMOST_LIP_RING = 3
"""Rows of polygons from the mouth's socket outwards; what lies further in is cavity."""
LID_RINGS = 6
"""Rows of polygons from an eye's socket: some 6 mm."""
THROAT_BELOW_CHIN_MM = 4.0
NECK_SLOPE = 0.25
"""The neck's upper border rises from the chin backwards, mm a mm."""
EAR_BELOW_MM, EAR_REACH_MM, EAR_OUTWARDS = 14.0, 36.0, 0.80
"""An ear's middle lies this far below the face's widest point; an ear reaches this far, and from the side inwards to
this share of the face's width."""
TONGUE_FROM_TEETH_MM = 4.0
"""What moves with the jaw this far from any tooth is tongue, or the floor around it."""
IRIS_RADIUS_MM = 5.9
"""Half of the visible iris of adults: 11.7 mm (Rüfer et al. 2005)."""
EYE_CAP_RAD = np.radians(85.0)
"""The back of the eyeballs is not drawn."""
LIPS_MEET = 0.025
"""Weight of mouthClose in our mean: ICT's lips stand half a millimetre apart at rest, over a strip of teeth."""
BLINK_TRAVEL = 1.15
"""ICT's eyeBlink leaves a gap that its shell over the eye hides; ours ends at the lower lid (tested)."""


@dataclass(frozen=True, slots=True, eq=False)
class IctArrays:
    """The file's content, checked; mm, head frame, the origin still the file's.

    mean : (n, 3) float32.  polygons : (m, 4) int32, the last -1 in a triangle.
    identity : (n_identity, n, 3) float32.  units : by ICT's name, (n, 3) float32.
    landmarks_68 : (68,) int32, vertices.  part : (n,) index into PARTS.
    """

    mean: FloatArray
    polygons: IntArray
    identity: FloatArray
    units: Mapping[str, FloatArray]
    landmarks_68: IntArray
    part: IntArray


def load_ict(path: Path) -> HeadModel:
    """The head of a packed ICT-FaceKit file, without MediaPipe's landmarks (`landmarks_478` is empty).

    Its units carry ARKit's names: browInnerUp and cheekPuff, which ICT splits by side, are summed; tongueOut is absent.
    Raises InputError when the file is absent, damaged or something else.
    """
    arrays = read_arrays(path)
    try:
        return head_of(arrays)
    except ShapeError as error:
        raise InputError(path, f"not a packed ICT-FaceKit model ({error})") from error


def read_arrays(path: Path) -> IctArrays:
    """The file's arrays. Raises InputError as `load_ict`."""
    try:
        # As a file of its own: np.load leaves a damaged archive open.
        with path.open("rb") as file:
            if file.read(2) != b"PK":
                raise InputError(path, "not a packed ICT-FaceKit model (no npz archive)")
            file.seek(0)
            with np.load(file, allow_pickle=False) as arrays:
                return _checked({name: arrays[name] for name in _FIELDS})
    except FileNotFoundError:
        raise InputError(path, "no such file") from None
    except (KeyError, TypeError, ValueError, EOFError, MemoryError, zipfile.BadZipFile, zlib.error) as error:
        reason = str(error).strip("'\"").splitlines()[0] if str(error) else type(error).__name__
        raise InputError(path, f"not a packed ICT-FaceKit model ({reason})") from error
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror})") from error


_FIELDS = (
    "mean", "polygons", "identity", "expression", "expression_names", "landmarks_68", "region_names",
    "region_vertex_ranges",
)  # fmt: skip


def _checked(arrays: Mapping[str, FloatArray | IntArray]) -> IctArrays:
    mean = readonly(arrays["mean"] * np.float32(MM_PER_CM), "mean", ("n_vertices", 3), np.float32)
    n = len(mean)
    polygons = _indices(arrays["polygons"], "polygons", ("n_polygons", 4))
    if not len(polygons) or polygons[:, :3].min() < 0 or polygons.min() < -1 or polygons.max() >= n:
        raise ShapeError("polygons", f"indices of {n} vertices, with -1 in the fourth column only", "others")
    identity = readonly(arrays["identity"], "identity", ("n_identity", n, 3), np.float32)
    names = tuple(str(name) for name in arrays["expression_names"])
    expression = readonly(arrays["expression"], "expression", (len(names), n, 3), np.float32)
    units = dict(zip(names, expression * np.float32(MM_PER_CM), strict=True))
    missing = sorted({ict for parts in ARKIT_TO_ICT.values() for ict in parts} - set(units))
    if missing:
        raise ShapeError("expression_names", "ICT's 53", "none named " + ", ".join(missing))
    landmarks = _indices(arrays["landmarks_68"], "landmarks_68", (68,))
    if landmarks.min() < 0 or landmarks.max() >= n:
        raise ShapeError("landmarks_68", f"indices of {n} vertices", "others")
    ranges = _indices(arrays["region_vertex_ranges"], "region_vertex_ranges", (len(arrays["region_names"]), 2))
    part = np.full(n, -1, dtype=np.int32)
    by_name = {str(name): vertices for name, vertices in zip(arrays["region_names"], ranges, strict=True)}
    for index, name in enumerate(PARTS):
        if name not in by_name:
            raise ShapeError("region_names", "ICT's parts", f"none named {name}")
        first, last = by_name[name]
        if not 0 <= first <= last < n:
            raise ShapeError("region_vertex_ranges", f"vertices from 0 to {n - 1}", f"{first} to {last} ({name})")
        part[first : last + 1] = index
    if part.min() < 0:
        raise ShapeError("region_vertex_ranges", "a part for every vertex", f"none for {int((part < 0).sum())}")
    return IctArrays(mean, polygons, identity * np.float32(MM_PER_CM), units, landmarks, part)


def _indices(array: FloatArray | IntArray, name: str, shape: tuple[int | str, ...]) -> IntArray:
    if array.dtype.kind not in "iu":
        raise ShapeError(name, "whole numbers", str(array.dtype))
    return readonly(array, name, shape, np.int32)


def _both(*stems: str) -> dict[str, tuple[str, ...]]:
    return {stem + side: (f"{stem}_{side[0]}",) for stem in stems for side in ("Left", "Right")}


ARKIT_TO_ICT: Mapping[str, tuple[str, ...]] = dict(
    sorted(
        {
            **_both(
                "browDown", "browOuterUp", "cheekSquint", "eyeBlink", "eyeLookDown", "eyeLookIn", "eyeLookOut",
                "eyeLookUp", "eyeSquint", "eyeWide", "mouthDimple", "mouthFrown", "mouthLowerDown", "mouthPress",
                "mouthSmile", "mouthStretch", "mouthUpperUp", "noseSneer",
            ),
            **{name: (f"{name}_L", f"{name}_R") for name in ("browInnerUp", "cheekPuff")},
            **{
                name: (name,)
                for name in (
                    "jawForward", "jawLeft", "jawOpen", "jawRight", "mouthClose", "mouthFunnel", "mouthLeft",
                    "mouthPucker", "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower",
                    "mouthShrugUpper",
                )
            },
        }.items()
    )
)  # fmt: skip
"""ARKit's units by name, and the shapes of ICT that add up to each; left and right are the subject's in both."""


def head_of(arrays: IctArrays) -> HeadModel:
    """The drawn parts as a `HeadModel`, with the origin midway between the eyeballs."""
    corners = _triangulated(arrays.mean, arrays.polygons)
    part = arrays.part[corners].max(axis=1)
    drawn = ~np.isin(part, [PARTS.index(name) for name in NOT_DRAWN])
    regions = np.full(len(corners), -1, dtype=np.int64)
    rings = _edge_graph(arrays.polygons, len(arrays.mean))
    _label_skin(regions, arrays, corners, part, rings)
    _label_mouth(regions, arrays, corners, part)
    eyes = [_Eye.of(arrays, corners, part, side) for side in ("right", "left")]
    for eye in eyes:
        drawn &= ~eye.hidden
        regions[eye.triangles] = np.where(eye.iris, REGIONS.index("iris"), REGIONS.index("eyeball"))
    regions[np.isin(part, [PARTS.index("eyelashes_left"), PARTS.index("eyelashes_right")])] = REGIONS.index("lashes")

    used, triangles = np.unique(corners[drawn], return_inverse=True)
    triangles = triangles.reshape(-1, 3).astype(np.int32)
    new_index = np.full(len(arrays.mean), -1, dtype=np.int64)
    new_index[used] = np.arange(len(used))
    centre = np.mean([arrays.mean[np.unique(corners[eye.triangles])].mean(axis=0) for eye in eyes], axis=0)
    units = {
        name: sum(arrays.units[ict][used] for ict in parts) * (BLINK_TRAVEL if name.startswith("eyeBlink") else 1)
        for name, parts in ARKIT_TO_ICT.items()
    }
    mean = (arrays.mean - centre * [0, 1, 1])[used].astype(np.float32) + np.float32(LIPS_MEET) * units["mouthClose"]
    if (new_index[arrays.landmarks_68] < 0).any():
        raise ShapeError("landmarks_68", "vertices of the skin", "others")
    uv, uv_triangles = _texture(mean, triangles, regions[drawn])
    for eye in eyes:
        uv[new_index[eye.vertices]] = eye.uv
    return HeadModel(
        name=NAME,
        licence=LICENCE,
        source=SOURCE,
        topology=topology_id(triangles),
        mean=mean,
        triangles=triangles,
        identity_basis=arrays.identity[:, used],
        expression_units=np.stack(list(units.values())),
        unit_names=tuple(units),
        triangle_regions=regions[drawn],
        region_names=REGIONS,
        uv=uv,
        uv_triangles=uv_triangles,
        mirror=_mirror(mean, arrays.part[used]),
        landmarks_478=LandmarkEmbedding(np.zeros(0, np.int32), np.zeros((0, 3), np.float32)),
        landmarks_68=_at_vertices(new_index[arrays.landmarks_68], triangles),
    )


def _triangulated(mean: FloatArray, polygons: IntArray) -> IntArray:
    """(n_triangles, 3): quads cut along their shorter diagonal, so that mirrored quads are cut alike."""
    quads = polygons[polygons[:, 3] >= 0]
    first = np.linalg.norm(mean[quads[:, 0]] - mean[quads[:, 2]], axis=1)
    second = np.linalg.norm(mean[quads[:, 1]] - mean[quads[:, 3]], axis=1)
    cut_first = (first <= second + 1e-3)[:, None]
    halves = (
        np.where(cut_first, quads[:, [0, 1, 2]], quads[:, [0, 1, 3]]),
        np.where(cut_first, quads[:, [0, 2, 3]], quads[:, [1, 2, 3]]),
    )
    return np.concatenate([*halves, polygons[polygons[:, 3] < 0, :3]])


def _edge_graph(polygons: IntArray, n_vertices: int) -> coo_matrix:
    """Edges of the polygons (without the diagonals of quads), each once."""
    after = np.roll(polygons, -1, axis=1)
    after = np.where(after < 0, polygons[:, :1], after)
    real = polygons >= 0
    start, end = polygons[real], after[real]
    return coo_matrix((np.ones(len(start)), (start, end)), shape=(n_vertices, n_vertices))


def _rings_from(socket: str, arrays: IctArrays, graph: coo_matrix) -> FloatArray:
    """(n,) edges from where the face ends at a socket; infinite inside other parts that are not connected."""
    start, end = arrays.part[graph.row], arrays.part[graph.col]
    inside, face = PARTS.index(socket), PARTS.index("narrow_face")
    rim = np.concatenate([graph.row[(start == face) & (end == inside)], graph.col[(end == face) & (start == inside)]])
    if not len(rim):
        raise ShapeError("polygons", f"some between face and {socket}", "none")
    rings: FloatArray = dijkstra(graph, directed=False, indices=np.unique(rim), unweighted=True, min_only=True)
    return rings


def _label_skin(regions: IntArray, arrays: IctArrays, corners: IntArray, part: IntArray, graph: coo_matrix) -> None:
    """Write the regions of all outer skin and of the mouth's socket into `regions`."""
    centre = arrays.mean[corners].mean(axis=1)
    chin = arrays.mean[arrays.landmarks_68[CHIN]]
    face = arrays.mean[np.isin(arrays.part, [PARTS.index("face"), PARTS.index("narrow_face")])]
    around = np.isin(part, [PARTS.index("face"), PARTS.index("head_and_neck")])
    regions[around] = REGIONS.index("scalp")
    regions[around & (centre[:, 1] < chin[1] + NECK_SLOPE * (chin[2] - centre[:, 2]))] = REGIONS.index("neck")
    for widest in (face[np.argmin(face[:, 0])], face[np.argmax(face[:, 0])]):
        near = np.linalg.norm(centre - widest + [0, EAR_BELOW_MM, 0], axis=1) < EAR_REACH_MM
        outwards = centre[:, 0] * np.sign(widest[0]) > EAR_OUTWARDS * abs(widest[0])
        regions[around & near & outwards] = REGIONS.index("ears")
    narrow = part == PARTS.index("narrow_face")
    regions[narrow] = REGIONS.index("skin")
    regions[narrow & (centre[:, 1] < chin[1] - THROAT_BELOW_CHIN_MM)] = REGIONS.index("neck")
    lip = _rings_from("mouth_socket", arrays, graph)[corners].max(axis=1)
    border = arrays.landmarks_68[list(OUTER_LIP)]
    width = _rings_from("mouth_socket", arrays, graph)[border]
    regions[narrow & (lip <= width[_nearest(centre, arrays.mean[border])])] = REGIONS.index("lips")
    regions[narrow & (lip <= INNERMOST_LIP_RING)] = REGIONS.index("mouth_cavity")
    for side in ("left", "right"):
        lid = _rings_from(f"eye_socket_{side}", arrays, graph)[corners].max(axis=1)
        regions[narrow & (lid <= LID_RINGS)] = REGIONS.index("lids")
    regions[part == PARTS.index("mouth_socket")] = REGIONS.index("mouth_cavity")


def _label_mouth(regions: IntArray, arrays: IctArrays, corners: IntArray, part: IntArray) -> None:
    """Write the regions of teeth, gums and tongue into `regions`: what the jaw carries is lower."""
    travel = np.linalg.norm(arrays.units["jawOpen"], axis=1)
    carried = travel[corners].min(axis=1) > 0.25 * travel.max()
    teeth, soft = part == PARTS.index("teeth"), part == PARTS.index("gums_and_tongue")
    if not teeth.any() or not soft.any():
        raise ShapeError("region_vertex_ranges", "teeth and gums", "empty ones")
    regions[teeth] = np.where(carried[teeth], REGIONS.index("teeth_lower"), REGIONS.index("teeth_upper"))
    from_teeth, _ = cKDTree(arrays.mean[np.unique(corners[teeth])]).query(arrays.mean[corners[soft]].mean(axis=1))
    tongue = carried[soft] & (from_teeth > TONGUE_FROM_TEETH_MM)
    regions[soft] = np.where(tongue, REGIONS.index("tongue"), REGIONS.index("gums"))


@dataclass(frozen=True, slots=True, eq=False)
class _Eye:
    """One eyeball: of its two nested shells the outer one, in front.

    triangles : (k,) indices that are drawn.  iris : (k,) bool.  hidden : (n_triangles,) bool, those of this eye that
    are not drawn.  vertices : of the drawn triangles.  uv : theirs, polar about the iris.
    """

    triangles: IntArray
    iris: BoolArray
    hidden: BoolArray
    vertices: IntArray
    uv: FloatArray

    @classmethod
    def of(cls, arrays: IctArrays, corners: IntArray, part: IntArray, side: str) -> _Eye:
        mine = np.flatnonzero(part == PARTS.index(f"eyeball_{side}"))
        if not len(mine):
            raise ShapeError("region_vertex_ranges", "two eyeballs", f"none on the {side}")
        around, local = np.unique(corners[mine], return_inverse=True)
        local = local.reshape(-1, 3)
        links = coo_matrix(
            (np.ones(local.size), (local.ravel(), np.roll(local, 1, axis=1).ravel())), shape=(len(around),) * 2
        )
        _, shell = connected_components(links, directed=False)
        outer = shell == shell[np.argmax(arrays.mean[around, 2])]
        points = arrays.mean[around[outer]]
        centre = 0.5 * (points.min(axis=0) + points.max(axis=0))
        from_centre = points - centre
        # The cornea bulges, so the points that lie furthest from the centre are in the middle of the iris.
        radius = np.linalg.norm(from_centre, axis=1)
        pole = from_centre[radius > np.quantile(radius, 0.95)].mean(axis=0)
        pole /= np.linalg.norm(pole)
        angle = np.full(len(around), np.inf)
        angle[outer] = np.arccos(np.clip(from_centre @ pole / np.maximum(radius, 1e-6), -1, 1))
        drawn = (outer[local] & (angle[local] < EYE_CAP_RAD)).all(axis=1)
        if not drawn.any():
            raise ShapeError("mean", f"a {side} eyeball with a front", "none")
        triangles = mine[drawn]
        middle = arrays.mean[corners[triangles]].mean(axis=1) - centre
        from_pole = np.linalg.norm(middle - (middle @ pole)[:, None] * pole, axis=1)
        hidden = np.zeros(len(corners), dtype=bool)
        hidden[mine[~drawn]] = True
        vertices = np.unique(local[drawn])
        across = np.cross([0.0, 1.0, 0.0], pole)
        across /= np.linalg.norm(across)
        offset = arrays.mean[around[vertices]] - centre
        direction = np.stack([offset @ across, offset @ np.cross(pole, across)], axis=1)
        direction /= np.maximum(np.linalg.norm(direction, axis=1, keepdims=True), 1e-9)
        polar = direction * (angle[vertices] / angle[vertices].max())[:, None]
        column = {"right": 0, "left": 1}[side]
        uv = (polar * 0.5 + 0.5) * [0.95 * _ATLAS_COLUMN, 0.19] + [column * _ATLAS_COLUMN, 0.0]
        return cls(triangles, from_pole < IRIS_RADIUS_MM, hidden, around[vertices], uv)


_ATLAS_COLUMN = 0.25
_SKIN_ROW = 0.2


def _texture(mean: FloatArray, triangles: IntArray, regions: IntArray) -> tuple[FloatArray, IntArray]:
    """Texture coordinates and their triangles: outer skin unrolled round the vertical above v = 0.2, mouth and lashes
    seen from the front below. The eyes' places there are left to be written. ICT's own layout is not in the file.

    The first n_vertices rows are those of the vertices; more follow for those that the seam at the back doubles.
    """
    skin = np.isin(regions, [REGIONS.index(name) for name in ("skin", "lips", "lids", "neck", "scalp", "ears")])
    outer = np.unique(triangles[skin])
    uv = np.zeros((len(mean), 2))
    inner = np.unique(triangles[~skin])
    low, high = mean[inner].min(axis=0), mean[inner].max(axis=0)
    uv[inner] = ((mean[inner] - low) / np.maximum(high - low, 1e-6))[:, :2] * [_ATLAS_COLUMN, 0.19]
    uv[inner, 0] += 2 * _ATLAS_COLUMN
    low, high = mean[outer].min(axis=0), mean[outer].max(axis=0)
    turn = np.arctan2(mean[outer, 0], mean[outer, 2] - 0.5 * (low[2] + high[2])) / (2 * np.pi) + 0.5
    uv[outer, 0] = turn
    uv[outer, 1] = _SKIN_ROW + (1 - _SKIN_ROW) * (mean[outer, 1] - low[1]) / (high[1] - low[1])
    uv_triangles = triangles.copy()
    across = skin & (np.ptp(uv[triangles, 0], axis=1) > 0.5)
    seam = across[:, None] & (uv[triangles, 0] < 0.5)
    doubled, place = np.unique(triangles[seam], return_inverse=True)
    uv_triangles[seam] = len(mean) + place.ravel()
    uv = np.concatenate([uv, uv[doubled] + [1.0, 0.0]])
    rolled = np.concatenate([outer, np.arange(len(mean), len(uv))])
    uv[rolled, 0] /= max(1.0, float(uv[rolled, 0].max()))
    return uv, uv_triangles


def _mirror(mean: FloatArray, part: IntArray) -> IntArray:
    """(n,) each vertex's counterpart in its own part or in that of the other side; itself where there is no clear one.

    Nearest to its mirror image, where that holds both ways. Lashes are layers that share places: what is left over
    there is paired so that all come near to their own together.
    """
    mirror = np.arange(len(mean))
    flipped = mean * [-1, 1, 1]
    for index, name in enumerate(PARTS):
        mine, other = np.flatnonzero(part == index), np.flatnonzero(part == PARTS.index(name.replace("left", "right")))
        if name.endswith("right") or not len(mine) or not len(other):
            continue
        there, back = _nearest(flipped[mine], mean[other]), _nearest(flipped[other], mean[mine])
        clear = back[there] == np.arange(len(mine))
        mirror[mine[clear]], mirror[other[there[clear]]] = other[there[clear]], mine[clear]
        ours, theirs = np.setdiff1d(mine, mine[clear]), np.setdiff1d(other, other[there[clear]])
        rows, columns = linear_sum_assignment(cdist(flipped[ours], mean[theirs]))
        if name.endswith("left") or (columns[columns] == rows).all():
            mirror[ours[rows]], mirror[theirs[columns]] = theirs[columns], ours[rows]
    return mirror


def _nearest(points: FloatArray, among: FloatArray) -> IntArray:
    nearest: IntArray = np.asarray(cKDTree(among).query(points)[1])
    return nearest


def _at_vertices(vertices: IntArray, triangles: IntArray) -> LandmarkEmbedding:
    """Landmarks on vertices: each on the first triangle that has it as a corner."""
    order = np.argsort(triangles.ravel(), kind="stable")
    first = order[np.searchsorted(triangles.ravel()[order], vertices)]
    barycentric = np.zeros((len(vertices), 3), dtype=np.float32)
    barycentric[np.arange(len(vertices)), first % 3] = 1
    return LandmarkEmbedding(first // 3, barycentric)
