"""What a scanner would give of a head: a mesh with vertices of its own each time, with noise, holes and a pose.

The head's surface is charted by the directions from a point inside it, so that each direction holds the outermost
point, as seen from outside. Points are spread over the chart evenly in area, triangulated anew each time, and lifted
back: what lies behind another part, is seen at a grazing angle, or is a nostril or a hair is missing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from scipy.spatial import Delaunay

from synth_affect.arrays import BoolArray, FloatArray, IntArray, readonly
from synth_affect.blendshape.synthetic.contact import lip_contact
from synth_affect.blendshape.template import face_vertices
from synth_affect.errors import InputError
from synth_affect.heads.camera import ImageSize
from synth_affect.heads.mesh import Mesh, triangle_normals, vertex_normals
from synth_affect.heads.model import HeadModel, LandmarkEmbedding, embed, region_triangles, region_vertices
from synth_affect.render.rasterizer import interpolate, rasterize_projected

SCANNED_REGIONS = ("skin", "lips", "lids", "eyeball", "iris", "neck", "scalp", "ears")
"""Not the inside of the mouth, and no lashes."""

CENTRE_BEHIND_NOSE_MM = 105.0
"""How far behind the tip of the nose directions are taken from, at the height of the eyes: from there nearly all of a
face is outermost."""
FIELD_RAD = 1.95
"""Largest angle to straight ahead: face, ears, the front of the scalp and of the neck."""
CHART_PX = 1100
PX_PER_RAD = CHART_PX / 2 / FIELD_RAD
_FARTHEST_MM, _NEAREST_MM = 1_000.0, 50.0
"""No point of a head is further from, no point of a face nearer to where directions are taken from."""
LEAST_COSINE = 0.1
"""A surface steeper than this to its direction is not seen."""
LONGEST_EDGE = 4.0
"""Edges longer than this many times the mean spacing span a gap."""

NOSTRIL_LANDMARKS, BROW_LANDMARKS = (32, 34), tuple(range(17, 27))
NOSTRIL_MM, LIP_SLIT_MM = (2.0, 3.5), (0.2, 0.5)
BROW_SPOTS, BROW_SPOT_MM = (3, 9), (0.8, 2.2)
HAIR_SPOTS, HAIR_SPOT_MM = (6, 16), (1.5, 5.0)
SLIT_SHARE = 0.5
"""Of scans on which closed lips are parted by a gap."""

LEAST_VERTICES, MOST_VERTICES = 1_000, 200_000
LARGEST_NOISE_MM = 2.0


@dataclass(frozen=True, slots=True)
class ScanSettings:
    """n_vertices : of a scan, about.  noise_mm : standard deviation along the surface's normal.

    Raises InputError naming the option.
    """

    n_vertices: int = 40_000
    noise_mm: float = 0.2

    def __post_init__(self) -> None:
        if not LEAST_VERTICES <= self.n_vertices <= MOST_VERTICES:
            raise InputError("--vertices", f"{self.n_vertices} is not in [{LEAST_VERTICES}, {MOST_VERTICES}]")
        if not 0 <= self.noise_mm <= LARGEST_NOISE_MM:
            raise InputError("--noise", f"{self.noise_mm:g} is not in [0, {LARGEST_NOISE_MM:g}] mm")


@dataclass(frozen=True, slots=True, eq=False)
class ScannedSurface:
    """What of a head model a scanner sees, and where holes come to be.

    head_triangles : (n_triangles, 3) int32, of SCANNED_REGIONS, into all vertices of the head.
    template_vertices : those of the head that the template has.
    landmarks_68 : on the head.  lip_pairs : (n_pairs, 2), facing vertices.  hair : vertices of the scalp.
    """

    head_triangles: IntArray
    all_triangles: IntArray
    template_vertices: IntArray
    landmarks_68: LandmarkEmbedding
    lip_pairs: IntArray
    hair: IntArray


def scanned_surface(head: HeadModel) -> ScannedSurface:
    """The surface of a head model that has the regions of the packaged one."""
    lips = lip_contact(head)
    return ScannedSurface(
        head_triangles=head.triangles[region_triangles(head, *SCANNED_REGIONS)],
        all_triangles=head.triangles,
        template_vertices=face_vertices(head),
        landmarks_68=head.landmarks_68,
        lip_pairs=np.stack([lips.upper, lips.lower], axis=1),
        hair=region_vertices(head, "scalp"),
    )


@dataclass(frozen=True, slots=True, eq=False)
class RawScan:
    """One scan, and what is true of it.

    mesh : as scanned, mm, in the scanner's frame.
    true_vertices : (n_vertices, 3) float32, mm, where the vertices of `mesh` would be without noise.
    template_vertices : (n_template, 3) float32, mm, scanner's frame: where the vertices of the template truly are.
    rotation : (3, 3), translation : (3,) float64, mm; scanner = head @ rotation.T + translation.
    """

    mesh: Mesh
    true_vertices: FloatArray
    template_vertices: FloatArray
    rotation: FloatArray
    translation: FloatArray

    def __post_init__(self) -> None:
        n_vertices = len(self.mesh.vertices)
        for field, shape, dtype in (
            ("true_vertices", (n_vertices, 3), np.float32),
            ("template_vertices", ("n_template", 3), np.float32),
            ("rotation", (3, 3), np.float64),
            ("translation", (3,), np.float64),
        ):
            object.__setattr__(self, field, readonly(getattr(self, field), field, shape, dtype))


def raw_scan(
    surface: ScannedSurface,
    vertices_head: FloatArray,
    rng: np.random.Generator,
    settings: ScanSettings,
    *,
    rotation: FloatArray | None = None,
    translation: FloatArray | None = None,
) -> RawScan:
    """A scan of the head whose vertices are `vertices_head` (n_vertices of the head, 3) float32, mm, head frame.

    rotation, translation : the head's pose in the scanner's frame; none by default.
    """
    vertices = readonly(vertices_head, "vertices_head", ("n_vertices", 3), np.float32)
    landmarks = embed(vertices, surface.all_triangles, surface.landmarks_68)
    to_chart = _draw_chart(landmarks, rng)
    chart = to_chart(vertices)
    size = ImageSize(CHART_PX, CHART_PX)
    triangles = surface.head_triangles
    # A triangle that reaches round the back would cover the whole chart.
    triangles = triangles[(np.abs(chart[triangles, :2] - CHART_PX / 2) < 0.75 * CHART_PX).all(axis=(1, 2))]
    fragments = rasterize_projected(chart, triangles, size, cull_backfaces=True)
    points = interpolate(fragments, triangles, vertices)
    seen, area_mm2 = _seen(fragments.pix_to_face[0, :, :, 0], triangles, vertices, chart, to_chart.centre)
    for spot, radius_mm in _spots(surface, vertices, landmarks, rng):
        _cut(seen, points, to_chart, spot, radius_mm)

    density = np.where(seen, area_mm2, 0.0)
    total_mm2 = float(density.sum())
    density *= settings.n_vertices / total_mm2
    rows, columns = _diffused(np.minimum(density, 1.0), rng.random(density.shape, dtype=np.float32))
    order = rng.permutation(len(rows))
    rows, columns = rows[order], columns[order]
    true_head = points[rows, columns]
    corners = _triangulated(np.stack([columns, rows], axis=1) + rng.uniform(-0.3, 0.3, (len(rows), 2)), seen)
    longest = LONGEST_EDGE * np.sqrt(total_mm2 / settings.n_vertices)
    edges = true_head[corners] - true_head[np.roll(corners, 1, axis=1)]
    corners = corners[(np.linalg.norm(edges, axis=2) < longest).all(axis=1)]
    used, flat = np.unique(corners, return_inverse=True)
    true_head, corners = true_head[used], flat.reshape(-1, 3).astype(np.int32)

    normals = vertex_normals(true_head, corners)
    noisy = true_head + normals * (settings.noise_mm * rng.standard_normal((len(true_head), 1))).astype(np.float32)
    rotation = np.eye(3) if rotation is None else rotation
    translation = np.zeros(3) if translation is None else translation

    def posed(points_head: FloatArray) -> FloatArray:
        turned: FloatArray = (points_head @ rotation.T + translation).astype(np.float32)
        return turned

    return RawScan(
        mesh=Mesh(posed(noisy), corners),
        true_vertices=posed(true_head),
        template_vertices=posed(vertices[surface.template_vertices]),
        rotation=rotation,
        translation=translation,
    )


def draw_pose(time_s: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """(n_frames, 3, 3) rotations and (n_frames, 3) translations, mm, of a head that moves a little while recorded.

    A standing pose of a few degrees and centimetres, and slow turns of a few degrees and millimetres about it.
    """
    standing_rad, moving_rad = np.radians([8.0, 5.0, 3.0]), np.radians([3.0, 2.0, 1.5])
    frequency = rng.uniform(0.1, 0.5, (6, 2))
    phase = rng.uniform(0, 2 * np.pi, (6, 2))
    waves = np.sin(2 * np.pi * time_s[:, None, None] * frequency + phase).mean(axis=2)
    yaw, pitch, roll = (standing_rad * rng.uniform(-1, 1, 3) + moving_rad * waves[:, :3]).T
    translations = np.array([20.0, 20.0, 30.0]) * rng.uniform(-1, 1, 3) + 4.0 * waves[:, 3:]
    return _rotations(yaw, pitch, roll), translations


def _rotations(yaw: FloatArray, pitch: FloatArray, roll: FloatArray) -> FloatArray:
    """R_z(roll) @ R_y(yaw) @ R_x(pitch), as in `heads.camera`."""
    zero, one = np.zeros_like(yaw), np.ones_like(yaw)

    def stacked(rows: list[list[FloatArray]]) -> FloatArray:
        return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)

    about_x = stacked([[one, zero, zero], [zero, np.cos(pitch), -np.sin(pitch)], [zero, np.sin(pitch), np.cos(pitch)]])
    about_y = stacked([[np.cos(yaw), zero, np.sin(yaw)], [zero, one, zero], [-np.sin(yaw), zero, np.cos(yaw)]])
    about_z = stacked([[np.cos(roll), -np.sin(roll), zero], [np.sin(roll), np.cos(roll), zero], [zero, zero, one]])
    return about_z @ about_y @ about_x


@dataclass(frozen=True, slots=True, eq=False)
class _Chart:
    """Azimuthal equidistant about straight ahead, seen from outside.

    centre : (3,) mm.  turn : (2, 2) rotation in the chart.  shift : (2,) px.
    """

    centre: FloatArray
    turn: FloatArray
    shift: FloatArray

    def __call__(self, points: FloatArray) -> FloatArray:
        """(n, 3) float32: x px, y px, and a depth that is less for what is further out, of (n, 3) mm."""
        rays = points - self.centre
        across = np.hypot(rays[:, 0], rays[:, 1])
        radii_px = np.arctan2(across, rays[:, 2]) * PX_PER_RAD
        flat = rays[:, :2] * (radii_px / np.maximum(across, 1e-9))[:, None] @ self.turn.T
        depth = _FARTHEST_MM - np.linalg.norm(rays, axis=1)
        return np.column_stack([flat[:, 0] + self.shift[0], self.shift[1] - flat[:, 1], depth]).astype(np.float32)


def _draw_chart(landmarks: FloatArray, rng: np.random.Generator) -> _Chart:
    """A chart of the head with these 68 landmarks, turned and shifted at random: pixels never fall the same way."""
    eyes, nose_tip = landmarks[36:48].mean(axis=0), landmarks[30]
    turn = rng.uniform(0, 2 * np.pi)
    cos, sin = np.cos(turn), np.sin(turn)
    return _Chart(
        centre=np.array([eyes[0], eyes[1], nose_tip[2] - CENTRE_BEHIND_NOSE_MM], dtype=np.float64),
        turn=np.array([[cos, -sin], [sin, cos]]),
        shift=CHART_PX / 2 + rng.uniform(-0.5, 0.5, 2),
    )


def _seen(
    pix_to_face: IntArray, triangles: IntArray, vertices: FloatArray, chart: FloatArray, centre: FloatArray
) -> tuple[BoolArray, FloatArray]:
    """(height, width) which pixels a scanner sees, and the mm^2 of surface under each."""
    normals = triangle_normals(vertices, triangles).astype(np.float64)
    doubled = np.linalg.norm(normals, axis=1)
    rays = vertices[triangles].mean(axis=1) - centre
    cosine = (normals * rays).sum(axis=1) / np.maximum(doubled * np.linalg.norm(rays, axis=1), 1e-9)
    flat = chart[triangles, :2].astype(np.float64)
    one, other = flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0]
    area_px = np.abs(one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]) / 2
    mm2_per_px = doubled / 2 / np.maximum(area_px, 1e-6)
    hit = pix_to_face >= 0
    rows, columns = np.indices(pix_to_face.shape)
    hit &= np.hypot(rows - CHART_PX / 2, columns - CHART_PX / 2) < CHART_PX / 2
    seen = hit & (cosine > LEAST_COSINE)[pix_to_face]
    return seen, np.where(seen, mm2_per_px[pix_to_face], 0.0)


def _spots(
    surface: ScannedSurface, vertices: FloatArray, landmarks: FloatArray, rng: np.random.Generator
) -> list[tuple[FloatArray, float]]:
    """Centres, mm, and radii of what a scanner misses."""
    spots = [(landmarks[k], float(rng.uniform(*NOSTRIL_MM))) for k in NOSTRIL_LANDMARKS]
    for _ in range(rng.integers(*BROW_SPOTS)):
        brow = landmarks[rng.choice(BROW_LANDMARKS)] + rng.normal(0, 2.0, 3)
        spots.append((brow, float(rng.uniform(*BROW_SPOT_MM))))
    for vertex in rng.choice(surface.hair, int(rng.integers(*HAIR_SPOTS))):
        spots.append((vertices[vertex], float(rng.uniform(*HAIR_SPOT_MM))))
    if rng.random() < SLIT_SHARE:
        slit_mm = float(rng.uniform(*LIP_SLIT_MM))
        spots += [(middle, slit_mm) for middle in vertices[surface.lip_pairs].mean(axis=1)]
    return spots


def _cut(seen: BoolArray, points: FloatArray, chart: _Chart, spot: FloatArray, radius_mm: float) -> None:
    """Take the pixels within `radius_mm` of `spot` out of `seen`, in place."""
    column, row, _ = chart(spot[None])[0]
    reach_px = PX_PER_RAD * radius_mm / _NEAREST_MM + 1
    top, left = max(int(row - reach_px), 0), max(int(column - reach_px), 0)
    window = np.s_[top : max(int(row + reach_px) + 2, 0), left : max(int(column + reach_px) + 2, 0)]
    seen[window] &= ((points[window] - spot) ** 2).sum(axis=2) >= radius_mm**2


def _triangulated(places: FloatArray, seen: BoolArray) -> IntArray:
    """(n_triangles, 3) int32, counter-clockwise from outside: Delaunay's, but for those over what is not seen.

    places : (n, 2) x, y px, a little off the pixels: Qhull is slow where four points lie on one circle.
    """
    corners = Delaunay(places).simplices
    flat = places[corners]
    kept = np.ones(len(corners), dtype=np.bool_)
    for at in (flat.mean(axis=1), *((flat[:, k] + flat[:, k - 1]) / 2 for k in range(3))):
        column, row = np.rint(at).astype(np.int64).T
        kept &= seen[row, column]
    corners, flat = corners[kept], flat[kept]
    one, other = flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0]
    # Rows grow downwards.
    clockwise = one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0] > 0
    corners[clockwise] = corners[clockwise][:, ::-1]
    return corners.astype(np.int32)


@njit(cache=True)  # type: ignore[untyped-decorator]
def _diffused(density: FloatArray, threshold: FloatArray) -> tuple[IntArray, IntArray]:
    """Rows and columns of pixels that are chosen, `density` of them at each place, evenly and without a pattern.

    Floyd & Steinberg's error diffusion in serpentine order, with noise on the threshold.
    """
    height, width = density.shape
    rows, columns = [], []
    error = np.zeros((2, width + 2))
    for row in range(height):
        now, below = error[row % 2], error[(row + 1) % 2]
        below[:] = 0.0
        forward = row % 2 == 0
        step = 1 if forward else -1
        for k in range(width):
            column = k if forward else width - 1 - k
            if density[row, column] <= 0.0:
                continue
            value = density[row, column] + now[column + 1]
            chosen = value > 0.25 + 0.5 * threshold[row, column]
            if chosen:
                rows.append(row)
                columns.append(column)
                value -= 1.0
            now[column + 1 + step] += value * 7 / 16
            below[column + 1 - step] += value * 3 / 16
            below[column + 1] += value * 5 / 16
            below[column + 1 + step] += value * 1 / 16
    return np.array(rows), np.array(columns)
