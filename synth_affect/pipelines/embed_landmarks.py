"""Landmark embedding: render heads, detect landmarks on the renderings, read the surface point under each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from synth_affect.arrays import BoolArray, FloatArray, ImageArray, IntArray
from synth_affect.errors import FitError
from synth_affect.fitting.landmarks import LandmarkDetector
from synth_affect.heads.camera import Camera, ImageSize, project
from synth_affect.heads.mesh import vertex_normals
from synth_affect.heads.model import HeadModel, LandmarkEmbedding, embed, region_triangles, region_vertices
from synth_affect.render.fragments import Fragments
from synth_affect.render.rasterizer import interpolate, rasterize_projected

SIZE = ImageSize(720, 720)
DISTANCE_MM, FOCAL_PX = 900.0, 2100.0
N_HEADS, YAWS_DEG, SEED = 24, (-22.0, 0.0, 22.0), 7
ONE_LIP_MM = 8.0
"""An open jaw moves the lower lip's edge by 20 to 32 mm, the upper lip's by 0 to 7."""
FAR_PX = 6.0
"""A landmark so far from the surface that it should lie on is not read."""
N_POINTS = 478
IRIS_POINTS = tuple(range(468, 478))
COLOURS = {
    "skin": (203, 160, 136), "lips": (170, 92, 88), "lids": (190, 142, 122), "eyeball": (225, 220, 215),
    "iris": (84, 62, 44), "mouth_cavity": (60, 25, 25), "teeth_upper": (225, 220, 205), "teeth_lower": (215, 210, 195),
    "gums": (170, 90, 90), "tongue": (175, 95, 95), "neck": (195, 150, 128), "scalp": (70, 52, 42),
    "ears": (200, 150, 128),
}  # fmt: skip
BROWS = (70, 52, 42)
# ibug's 68 points among MediaPipe's 478: jaw line, brows, nose, eyes, outer and inner lips.
IBUG_68 = (
    162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389,
    71, 63, 105, 66, 107, 336, 296, 334, 293, 301,
    168, 197, 5, 4, 75, 97, 2, 326, 305,
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181,
    78, 82, 13, 312, 308, 317, 14, 87,
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Hit:
    """Where one rendering has a landmark.

    place : (3,) mm on the mean.  triangle : under it.  jaw_travel_mm : upwards, when the jaw opens all the way.
    """

    place: FloatArray
    triangle: int
    jaw_travel_mm: float


def paint(head: HeadModel) -> FloatArray:
    """(n_vertices, 3) colours, 0-255, that make a detector see a face: lips, irises, brows, hair."""
    colours = np.tile(np.array(COLOURS["skin"], dtype=np.float32), (len(head.mean), 1))
    for region, colour in COLOURS.items():
        colours[region_vertices(head, region)] = colour
    lids = region_vertices(head, "lids")
    for side in (-1, 1) if len(lids) else ():
        eye = head.mean[lids][head.mean[lids][:, 0] * side > 0].mean(0)
        skin = region_vertices(head, "skin")
        dx = (head.mean[skin, 0] - eye[0]) * side
        arch = eye[1] + 19 - 0.006 * (dx - 4) ** 2 + 0.05 * dx
        brow = (np.abs(head.mean[skin, 1] - arch) < 4.5) & (dx > -20) & (dx < 24) & (head.mean[skin, 2] > eye[2] - 20)
        colours[skin[brow]] = BROWS
    return colours


def picture(
    head: HeadModel, colours: FloatArray, vertices: FloatArray, camera: Camera
) -> tuple[ImageArray, Fragments, IntArray]:
    """(height, width, 3) uint8 rendering without lashes, its fragments, and the triangles that were drawn."""
    shown = head.triangles[~region_triangles(head, "lashes")]
    fragments = rasterize_projected(project(camera, vertices).astype(np.float32), shown, SIZE)
    normals = vertex_normals(vertices, shown) @ camera.rotation.T.astype(np.float32)
    light = np.array([0.25, 0.45, 0.86], dtype=np.float32)
    shade = 0.35 + 0.65 * np.clip(normals @ light, 0, None)
    image = interpolate(fragments, shown, np.ascontiguousarray(colours * shade[:, None], dtype=np.float32))
    covered = fragments.pix_to_face[0, :, :, 0] >= 0
    image = np.where(covered[..., None], image, 215)
    return np.clip(image, 0, 255).astype(np.uint8), fragments, shown


Progress = Callable[[Iterable[int], int], Iterable[int]]
"""Shows how far a loop is: given its items and their count, gives them back one by one."""


def embed_landmarks(
    head: HeadModel,
    detector: LandmarkDetector,
    progress: Progress = lambda items, count: items,
    n_heads: int | None = None,
) -> LandmarkEmbedding:
    """The embedding of MediaPipe's 478 points in a head model of which `landmarks_478` may still be empty.

    A bare surface will do: without jawOpen the mouth stays shut, and without eyeballs the irises' points lie on skin.
    n_heads : identities that are looked at; N_HEADS where None.

    Many identities with an opened mouth (upper and lower inner lip fall apart), three yaws; the median of the places on
    the mean surface, made symmetric, put back on the triangles that were hit.
    Raises FitError when the detector does not see the renderings as faces, or not all of a face.
    """
    rng = np.random.default_rng(SEED)
    n_heads = N_HEADS if n_heads is None else n_heads
    colours = paint(head)
    opens = "jawOpen" in head.unit_names
    jaw = head.expression_units[head.unit_names.index("jawOpen")] if opens else np.zeros_like(head.mean)
    allowed = np.zeros(len(head.triangles), dtype=bool)
    allowed[region_triangles(head, "skin", "lips", "lids", "ears", "neck", "scalp")] = True
    shown = ~region_triangles(head, "lashes")
    surface = allowed[shown]
    eye = region_triangles(head, "eyeball", "iris")[shown]
    # Where there are no eyes their points lie on what is next to them.
    irises = (eye, IRIS_POINTS, FAR_PX) if eye.any() else (surface, IRIS_POINTS, np.inf)
    searched = ((surface, range(IRIS_POINTS[0]), FAR_PX), irises)
    hits: list[list[Hit]] = [[] for _ in range(N_POINTS)]
    shown_index = np.flatnonzero(shown)
    for _ in progress(range(n_heads), n_heads):
        coefficients = rng.normal(0, 0.7, len(head.identity_basis)).astype(np.float32)
        vertices = head.mean + np.tensordot(coefficients, head.identity_basis, 1)
        vertices = (vertices + rng.uniform(0.1, 0.35) * jaw).astype(np.float32)
        for yaw in np.radians(YAWS_DEG):
            rotation = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
            centre = np.array([SIZE.width / 2, SIZE.height / 2])
            camera = Camera(rotation, np.array([0, 0, DISTANCE_MM]), FOCAL_PX, centre)
            image, fragments, triangles = picture(head, colours, vertices, camera)
            found = detector.detect(image)
            if not found:
                continue
            face = fragments.pix_to_face[0, :, :, 0]
            bary = fragments.bary_coords[0, :, :, 0]
            facing = vertex_normals(vertices, triangles) @ rotation.T[:, 2].astype(np.float32)
            for kind, points, far_px in searched:
                rows, cols = np.nonzero((face >= 0) & kind[face])
                tree = cKDTree(np.stack([cols + 0.5, rows + 0.5], 1))
                distance, nearest = tree.query(found[0].points_image[list(points), :2])
                for point, away, at in zip(points, np.asarray(distance), np.asarray(nearest), strict=True):
                    triangle = face[rows[at], cols[at]]
                    corners = triangles[triangle]
                    weights = bary[rows[at], cols[at]]
                    turned_away = facing[corners] @ weights < 0.35
                    if away > far_px or (turned_away and yaw != 0):
                        continue
                    place, jaw_travel = weights @ head.mean[corners], float(weights @ jaw[corners, 1])
                    hits[point].append(Hit(place, int(shown_index[triangle]), jaw_travel))
    if not all(hits):
        raise FitError(f"{sum(not of_point for of_point in hits)} landmarks of {head.name} were never seen")
    hits = [on_one_lip(of_point) for of_point in hits]
    middle = symmetric(np.array([np.median([hit.place for hit in of_point], axis=0) for of_point in hits]))
    near = _neighbourhoods(head, [{hit.triangle for hit in of_point} for of_point in hits], allowed)
    return _closest(head, middle, near)


def ibug_embedding(landmarks_478: LandmarkEmbedding) -> LandmarkEmbedding:
    """ibug's 68 points, taken from MediaPipe's: for a head that brings none of its own."""
    of_ibug = list(IBUG_68)
    return LandmarkEmbedding(landmarks_478.triangles[of_ibug], landmarks_478.barycentric[of_ibug])


def on_one_lip(hits: list[Hit]) -> list[Hit]:
    """The hits that the jaw moves like most of them: lips meet in the mean, so a stray hit on the other lip is not far
    away, and would be as good a place for the point.
    """
    travels = sorted(hit.jaw_travel_mm for hit in hits)
    usual = float(np.median(travels))
    if min(abs(travel - usual) for travel in travels) >= ONE_LIP_MM:
        usual = travels[(len(travels) - 1) // 2]  # half of them here, half there: the mean of both is neither
    return [hit for hit in hits if abs(hit.jaw_travel_mm - usual) < ONE_LIP_MM]


def symmetric(points: FloatArray) -> FloatArray:
    """Average each point with its counterpart's mirror image.

    points : (n, 3) mm, symmetric but for the detector's errors, which may be larger than the distance of two points: so
        counterparts are those that bring all points near to their own together, not each its nearest.
    """
    flipped = points * [-1, 1, 1]
    _, partner = linear_sum_assignment(cdist(flipped, points, "sqeuclidean"))
    mutual = partner[partner] == np.arange(len(points))
    result = points.copy()
    result[mutual] = 0.5 * (points[mutual] + flipped[partner[mutual]])
    return result


def asymmetry_mm(head: HeadModel, landmarks: LandmarkEmbedding) -> float:
    """How far a landmark's mirror image lies from its counterpart at most: errors of an embedding are rarely alike on
    both sides.
    """
    points = embed(head.mean, head.triangles, landmarks).astype(np.float64)
    distance = cdist(points * [-1, 1, 1], points)
    rows, partner = linear_sum_assignment(distance)
    return float(distance[rows, partner].max())


def _neighbourhoods(head: HeadModel, hits: list[set[int]], allowed: BoolArray) -> list[IntArray]:
    """The triangles hit and those that share a vertex with one: the layer on which the point lives."""
    by_vertex: list[list[int]] = [[] for _ in range(len(head.mean))]
    for t, corners in enumerate(head.triangles):
        for c in corners:
            by_vertex[c].append(t)
    regions = head.triangle_regions
    result = []
    for hit in hits:
        around = {n for t in hit for c in head.triangles[t] for n in by_vertex[c]}
        mirrored = {n for t in around for c in head.mirror[head.triangles[t]] for n in by_vertex[c]}
        kinds = {regions[t] for t in hit}
        both = np.array(sorted(t for t in around | mirrored if allowed[t] or regions[t] in kinds))
        result.append(both)
    return result


def _closest(head: HeadModel, points: FloatArray, candidates: list[IntArray]) -> LandmarkEmbedding:
    triangles, barycentric = [], []
    for point, candidate in zip(points, candidates, strict=True):
        corners = head.mean[head.triangles[candidate]].astype(np.float64)
        weights = closest_barycentric(point, corners)
        distance = np.linalg.norm(np.einsum("tk,tkd->td", weights, corners) - point, axis=1)
        best = int(distance.argmin())
        triangles.append(candidate[best])
        barycentric.append(weights[best])
    return LandmarkEmbedding(np.array(triangles), np.array(barycentric))


def closest_barycentric(point: FloatArray, corners: FloatArray) -> FloatArray:
    """(n, 3) barycentric coordinates of the closest point of each triangle (n, 3, 3) to `point`.

    The plane's foot point where it lies inside, else the best of the three edges.
    """
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    ab, ac, ap = b - a, c - a, point - a
    d00, d01, d11 = (ab * ab).sum(1), (ab * ac).sum(1), (ac * ac).sum(1)
    d20, d21 = (ap * ab).sum(1), (ap * ac).sum(1)
    det = d00 * d11 - d01 * d01
    has_area = det > 1e-12 * d00 * d11
    det = np.where(has_area, det, 1.0)
    v, w = (d11 * d20 - d01 * d21) / det, (d00 * d21 - d01 * d20) / det
    foot = np.stack([1 - v - w, v, w], 1)
    inside = has_area & (foot >= 0).all(1)
    best = np.where(inside[:, None], foot, 0.0)
    best_distance = np.where(inside, 0.0, np.inf)
    for i, j in ((0, 1), (1, 2), (2, 0)):
        edge = corners[:, j] - corners[:, i]
        along = np.clip(((point - corners[:, i]) * edge).sum(1) / np.maximum((edge**2).sum(1), 1e-18), 0, 1)
        distance = np.linalg.norm(corners[:, i] + along[:, None] * edge - point, axis=1)
        weights = np.zeros((len(corners), 3))
        weights[np.arange(len(corners)), i] = 1 - along
        weights[np.arange(len(corners)), j] = along
        better = distance < best_distance
        best[better], best_distance[better] = weights[better], distance[better]
    return best
