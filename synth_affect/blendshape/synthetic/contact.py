"""Lips and lids that touch but do not pass through each other.

Units are added up, and sums of units push one lip into the other. Pairs of points that face each other are watched;
where a pair has come closer than it may, both sides are moved apart, with a falloff over the skin around.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from synth_affect.arrays import FloatArray, IntArray, readonly
from synth_affect.heads.mesh import vertex_normals
from synth_affect.heads.model import HeadModel, region_vertices

CLEARANCE_MM = 0.05
"""How close a pair may come that is further apart at rest."""

_PASSES = 4
_SPREAD_MM = 1.5
"""A vertex follows the mean of the pairs within about this distance of it ..."""
_REACH_MM = 4.0
"""... and less, the further it is from the nearest of them."""
_SLIDE_MM = 2.0
"""A pair that has slid apart sideways no longer faces each other."""
_LIP_PAIR_MM = 1.6
_LID_PAIR_MM = 0.8
_FACING = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class Contact:
    """Pairs of vertices that face each other along y, and how the skin follows when they are moved apart.

    upper, lower : (n_pairs,) int32 vertices.
    moved : (n_moved,) int32, vertices that follow.
    follow : (n_moved, n_pairs) float32, mm along y of each for 1 mm too close at each pair.
    """

    upper: IntArray
    lower: IntArray
    moved: IntArray
    follow: FloatArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "upper", readonly(self.upper, "upper", ("n_pairs",), np.int32))
        n_pairs = len(self.upper)
        object.__setattr__(self, "lower", readonly(self.lower, "lower", (n_pairs,), np.int32))
        object.__setattr__(self, "moved", readonly(self.moved, "moved", ("n_moved",), np.int32))
        object.__setattr__(self, "follow", readonly(self.follow, "follow", (len(self.moved), n_pairs), np.float32))


def lip_contact(head: HeadModel) -> Contact:
    """The lips of a head whose mean has its mouth closed; both lips give way."""
    lips = region_vertices(head, "lips")
    normals = vertex_normals(head.mean, head.triangles)[lips]
    upper, lower = _pairs(head.mean, lips[normals[:, 1] < -_FACING], lips[normals[:, 1] > _FACING], _LIP_PAIR_MM)
    above = head.mean[upper, 1] > head.mean[lower, 1]  # at the corners, some face each other from the wrong side
    upper, lower = upper[above], lower[above]
    return _contact(head.mean, upper, lower, region_vertices(head, "skin", "lips"), lower_share=0.5)


def lid_contact(head: HeadModel, blink: str) -> Contact:
    """The lids of one eye, found where the blink unit `blink` closes them; the upper lid gives way."""
    unit = head.expression_units[head.unit_names.index(blink)]
    lids = region_vertices(head, "lids")
    lids = lids[np.linalg.norm(unit[lids], axis=1) > 0.1]
    falls = unit[lids, 1]
    # The upper lid falls by up to 11 mm, the lower one rises a little.
    upper, lower = _pairs(head.mean + unit, lids[falls < -2.0], lids[falls > -1.0], _LID_PAIR_MM)
    return _contact(head.mean, upper, lower, region_vertices(head, "lids"), lower_share=0.0)


def gaps(contact: Contact, vertices: FloatArray) -> FloatArray:
    """(..., n_pairs) mm along y from lower to upper, of `vertices` (..., n_vertices, 3)."""
    between: FloatArray = vertices[..., contact.upper, 1] - vertices[..., contact.lower, 1]
    return between


def restricted(contact: Contact, vertex_of: IntArray, n_vertices: int) -> Contact:
    """`contact` on a mesh whose vertex k is vertex `vertex_of[k]` of the head; it must hold all pairs."""
    compact = np.full(n_vertices, -1, dtype=np.int32)
    compact[vertex_of] = np.arange(len(vertex_of), dtype=np.int32)
    kept = compact[contact.moved] >= 0
    return Contact(compact[contact.upper], compact[contact.lower], compact[contact.moved[kept]], contact.follow[kept])


def keep_apart(contact: Contact, neutral: FloatArray, offsets: FloatArray) -> None:
    """Change `offsets` (n_frames, n_vertices, 3) in place so that no pair on `neutral` (n_vertices, 3) crosses.

    A pair may come as close as it is at rest, or to CLEARANCE_MM.
    """
    rest = neutral[contact.upper] - neutral[contact.lower]
    least = np.minimum(rest[:, 1], CLEARANCE_MM)
    for _ in range(_PASSES):
        apart = rest + offsets[:, contact.upper] - offsets[:, contact.lower]
        faces = np.exp(-(apart[..., 0] ** 2 + apart[..., 2] ** 2) / (2 * _SLIDE_MM**2))
        too_close = np.maximum(least - apart[..., 1], 0) * faces
        frames = np.flatnonzero(too_close.any(axis=1))
        if not len(frames):
            return
        offsets[frames[:, None], contact.moved, 1] += too_close[frames] @ contact.follow.T


def _pairs(vertices: FloatArray, above: IntArray, below: IntArray, within_mm: float) -> tuple[IntArray, IntArray]:
    distance, nearest = _nearest(vertices[below], vertices[above])
    near = distance < within_mm
    return above[near], below[nearest[near]]


def _contact(
    vertices: FloatArray, upper: IntArray, lower: IntArray, around: IntArray, *, lower_share: float
) -> Contact:
    up, rows_up = _follow(vertices, upper, lower, around)
    down, rows_down = _follow(vertices, lower, upper, around)
    if lower_share == 0.0:
        return Contact(upper, lower, up, rows_up)
    follow = np.concatenate([(1 - lower_share) * rows_up, -lower_share * rows_down])
    return Contact(upper, lower, np.concatenate([up, down]), follow)


def _follow(vertices: FloatArray, side: IntArray, other: IntArray, around: IntArray) -> tuple[IntArray, FloatArray]:
    """Vertices of `around` that are nearer to `side` than to `other`, and how they follow the pairs' ends there."""
    points = vertices[around].astype(np.float64)
    to_side, to_other = _nearest(vertices[side], points)[0], _nearest(vertices[other], points)[0]
    reached = (to_side < to_other) & (to_side < 3 * _REACH_MM)
    points, to_side = points[reached], to_side[reached]
    squared = ((points[:, None, :] - vertices[side][None, :, :]) ** 2).sum(axis=2)
    weights = np.exp(-(squared - squared.min(axis=1, keepdims=True)) / (2 * _SPREAD_MM**2))
    weights /= weights.sum(axis=1, keepdims=True)
    return around[reached], weights * np.exp(-((to_side / _REACH_MM) ** 2))[:, None]


def _nearest(targets: FloatArray, points: FloatArray) -> tuple[FloatArray, IntArray]:
    """Of each point the distance to the nearest of `targets`, and its index."""
    distance, index = cKDTree(targets).query(points)
    return np.asarray(distance), np.asarray(index)
