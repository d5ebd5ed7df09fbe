"""Neck, shoulders and what is worn on them, so that a head does not float: lofted from the neck's own outline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_affect.arrays import BoolArray, FloatArray, IntArray, readonly
from synth_affect.heads.model import HeadModel, embed, region_triangles, region_vertices
from synth_affect.render.portrait.person import Clothing

SECTORS = 96
CUT_BELOW_CHIN_MM, SLANT = 26.0, 0.24
"""The neck of the model is cut so far below the chin, lower in front than behind; what is below is not drawn."""
OVERLAP_MM = 10.0
"""The loft begins so far above the cut, within the neck, whose last triangles end anywhere between."""
OPEN_MM = 3.0
"""Higher, where a model's own neck ends before."""


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """vertices : (n, 3) float32, mm, head frame.  triangles : (m, 3) int32.  follows : (n,) float32 in [0, 1], 1 where
    the body turns with the head, 0 where it keeps facing forward.  cloth : (m,) bool, cloth or else skin.
    pivot : (3,) float32, mm, the base of the neck.  kept : (n_triangles of the head,) bool, those still drawn.
    """

    vertices: FloatArray
    triangles: IntArray
    follows: FloatArray
    cloth: BoolArray
    pivot: FloatArray
    canonical: FloatArray
    kept: BoolArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "vertices", readonly(self.vertices, "vertices", ("n", 3), np.float32))
        object.__setattr__(self, "triangles", readonly(self.triangles, "triangles", ("m", 3), np.int32))
        object.__setattr__(self, "follows", readonly(self.follows, "follows", (len(self.vertices),), np.float32))
        object.__setattr__(self, "cloth", readonly(self.cloth, "cloth", (len(self.triangles),), np.bool_))
        object.__setattr__(self, "pivot", readonly(self.pivot, "pivot", (3,), np.float32))
        canonical = readonly(self.canonical, "canonical", self.vertices.shape, np.float32)
        object.__setattr__(self, "canonical", canonical)
        object.__setattr__(self, "kept", readonly(self.kept, "kept", ("n_triangles",), np.bool_))


def make_body(head: HeadModel, neutral: FloatArray, clothing: Clothing, rng: np.random.Generator) -> Body:
    """A body under a head. neutral : (n_vertices, 3) mm, the person at rest."""
    neck = region_vertices(head, "neck", "scalp")
    chin = float(embed(neutral, head.triangles, head.landmarks_478)[152, 1])
    low = neck[neutral[neck, 1] < chin + 10]
    axis_z = float((neutral[low, 2].min() + neutral[low, 2].max()) / 2)
    height = _cut_height(head, neutral, chin, axis_z)

    def cut_at(z: FloatArray) -> FloatArray:
        return height - SLANT * (z - axis_z)

    above = neutral[:, 1] - cut_at(neutral[:, 2])
    ring = _crossing(head, neutral, above)
    axis_x = float((ring[:, 0].min() + ring[:, 0].max()) / 2)
    angle = np.arange(SECTORS) / SECTORS * 2 * np.pi
    radii = _outline(ring, axis_x, axis_z, angle)
    collar = _outline(_crossing(head, neutral, above - OVERLAP_MM), axis_x, axis_z, angle)
    cut = cut_at(axis_z + radii * np.cos(angle))
    width, depth = 1.0 + 0.06 * rng.standard_normal(), 1.0 + 0.06 * rng.standard_normal()
    skin, skin_follow = _loft(
        _torso(radii, collar - 0.8, angle, cut, width, depth, cloth=False), angle, axis_x, axis_z, height
    )
    cloth_rings = _torso(radii, collar, angle, cut, width, depth, cloth=True)
    cloth, cloth_follow = _loft(_collar(cloth_rings, clothing, angle), angle, axis_x, axis_z, height)
    skin_triangles, cloth_triangles = _strip(len(skin) // SECTORS), _strip(len(cloth) // SECTORS)
    kept: BoolArray = np.asarray((above[head.triangles] > 0).all(axis=1))
    return Body(
        vertices=np.concatenate([skin, cloth]),
        triangles=np.concatenate([skin_triangles, cloth_triangles + len(skin)]),
        follows=np.concatenate([skin_follow, cloth_follow]),
        cloth=np.repeat([False, True], [len(skin_triangles), len(cloth_triangles)]),
        pivot=np.array([axis_x, height - 40, axis_z]),
        canonical=np.concatenate([_straight(skin), _straight(cloth)]),
        kept=kept,
    )


def _cut_height(head: HeadModel, neutral: FloatArray, chin: float, axis_z: float) -> float:
    """Height of the cut at the neck's axis, above the rim at which the model's neck ends."""
    edges = np.sort(head.triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    pairs, count = np.unique(edges, axis=0, return_counts=True)
    rim = np.intersect1d(pairs[count == 1], region_vertices(head, "neck", "scalp"))
    rim = rim[neutral[rim, 1] < chin]
    lowest = neutral[rim, 1] + SLANT * (neutral[rim, 2] - axis_z) + OPEN_MM
    return max(chin - CUT_BELOW_CHIN_MM, float(lowest.max()) if len(rim) else -np.inf)


def _crossing(head: HeadModel, neutral: FloatArray, above: FloatArray) -> FloatArray:
    """(n, 3) mm: where edges of the neck cross the cut. above : (n_vertices,) mm over it."""
    neck = head.triangles[region_triangles(head, "neck", "scalp", "skin")]
    edges = np.unique(np.sort(neck[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1), axis=0)
    first, second = above[edges[:, 0]], above[edges[:, 1]]
    crosses = first * second < 0
    share = (first / np.where(crosses, first - second, 1))[crosses, None]
    a, b = edges[crosses].T
    points: FloatArray = neutral[a] + share * (neutral[b] - neutral[a])
    return points


def turned(body: Body, rotation: FloatArray) -> FloatArray:
    """(n, 3) float32: the body in the head frame when the head is turned by `rotation` (3, 3) against the camera.

    Shoulders keep half-way to the camera; the neck twists between.
    """
    from scipy.spatial.transform import Rotation

    away = Rotation.from_matrix(rotation.T).as_rotvec()
    steps = Rotation.from_rotvec((0.72 * (1 - body.follows))[:, None] * away)
    moved: FloatArray = steps.apply(body.vertices - body.pivot) + body.pivot
    return moved.astype(np.float32)


def _outline(ring: FloatArray, axis_x: float, axis_z: float, angle: FloatArray) -> FloatArray:
    """(SECTORS,) mm: how far the neck reaches in each direction."""
    x, z = ring[:, 0] - axis_x, ring[:, 2] - axis_z
    around, radius = np.arctan2(x, z) % (2 * np.pi), np.hypot(x, z)
    # The outermost point within about a sector of each direction.
    apart = np.abs((angle[:, None] - around + np.pi) % (2 * np.pi) - np.pi)
    wide = np.max(radius - 40.0 * np.maximum(apart - 0.04, 0), axis=1)
    kernel = np.exp(-((np.arange(-6, 7) / 3.0) ** 2) / 2)
    smooth: FloatArray = np.convolve(np.tile(wide, 3), kernel / kernel.sum(), "same")[SECTORS : 2 * SECTORS]
    return smooth


_DROPS = np.array([-OVERLAP_MM, 0, 6, 15, 26, 38, 52, 70, 95, 130, 175, 230, 300, 400], dtype=np.float64)
"""Heights of the rings below the cut, mm."""


def _torso(
    radii: FloatArray,
    collar: FloatArray,
    angle: FloatArray,
    cut: FloatArray,
    width: float,
    depth: float,
    *,
    cloth: bool,
) -> list[tuple[FloatArray, FloatArray]]:
    """Rings (radius by angle, y by angle) from the neck to below the picture."""
    rings = []
    side, front = np.abs(np.sin(angle)), np.cos(angle)
    for drop in _DROPS:
        d = max(drop, 0.0)
        t = 1 - np.exp(-((d / 44.0) ** 1.5))
        across = 196.0 * width * (1 - np.exp(-((d / 50.0) ** 1.15)))
        along = (62.0 + 0.42 * min(d, 160)) * depth * 1.13
        ellipse = 1 / np.sqrt((side / max(across, 1.0)) ** 2 + (np.maximum(np.abs(front), 1e-3) / along) ** 2)
        # Under cloth the skin keeps back.
        off = 2.0 + 3.0 * min(1, d / 60) if cloth else -6.0 * np.clip((d - 18) / 40, 0, 1)
        radius = np.maximum(radii * (1 + 0.001 * d) * (1 - t) + t * ellipse, radii * 0.98) + off
        if drop < 0:
            radius = collar
        # Shoulders slope down to the sides, the chest comes forward and lower.
        level = cut.mean() + (cut - cut.mean()) * np.exp(-((d / 70.0) ** 2))
        y = level - drop - 12 * t * np.exp(-d / 150) * side**2 - 10 * t * np.maximum(front, 0)
        rings.append((radius, y))
    return rings


def _collar(
    rings: list[tuple[FloatArray, FloatArray]],
    clothing: Clothing,
    angle: FloatArray,
) -> list[tuple[FloatArray, FloatArray]]:
    if clothing is Clothing.TURTLENECK:
        top = [(r + 4.5, y + 0) for r, y in rings[:3]]
        rolled = [(top[0][0] - 4, top[0][1] + 6 + 0 * angle), (top[0][0] + 1.5, top[0][1] + 8.5 + 0 * angle)]
        return [*rolled, *top, *((r + 3, y) for r, y in rings[3:])]
    # Lower than the rings of the skin, cloth would lie inside it.
    body = [(r + 1.0, y) for r, y in rings[4 if clothing is Clothing.CREW else 5 :]]
    r, y = body[0]
    # A hem as thick as a finger is wide.
    hem = [(r - 5.0, y - 3.0), (r - 3.0, y + 2.5), (r - 0.5, y + 3.0), (r + 1.0, y - 1.5), (r + 0.2, y - 3.5)]
    return [*hem, *body]


def _loft(
    rings: list[tuple[FloatArray, FloatArray]], angle: FloatArray, axis_x: float, axis_z: float, top: float
) -> tuple[FloatArray, FloatArray]:
    points = [
        np.stack([axis_x + r * np.sin(angle), y, axis_z - 0.02 * max(top - y.mean(), 0) + r * np.cos(angle)], axis=1)
        for r, y in rings
    ]
    below = np.array([np.clip((top - y.mean()) / 300.0, 0, 1) for _, y in rings])
    follow = np.repeat(1 - below**0.6, SECTORS)
    return np.concatenate(points).astype(np.float32), follow.astype(np.float32)


def _straight(points: FloatArray) -> FloatArray:
    """A loft's points with y so far below its first ring as the way along the surface is long."""
    rings = points.reshape(-1, SECTORS, 3)
    way = np.cumsum(np.linalg.norm(np.diff(rings, axis=0), axis=2), axis=0)
    straight = rings.copy()
    straight[1:, :, 1] = rings[:1, :, 1] - way
    return straight.reshape(-1, 3)


def _strip(n_rings: int) -> IntArray:
    k, j = np.meshgrid(np.arange(n_rings - 1), np.arange(SECTORS), indexing="ij")
    a, b = k * SECTORS + j, k * SECTORS + (j + 1) % SECTORS
    c, d = a + SECTORS, b + SECTORS
    # Counter-clockwise from outside: the angle grows to the right of one who looks from the front.
    return np.concatenate([np.stack([a, c, b], -1).reshape(-1, 3), np.stack([b, c, d], -1).reshape(-1, 3)]).astype(
        np.int32
    )
