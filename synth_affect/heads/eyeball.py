"""Of ICT-FaceKit's eyeballs, which are whole and have two shells, the part that is drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from synth_affect.arrays import BoolArray, FloatArray, IntArray
from synth_affect.errors import ShapeError
from synth_affect.heads.ict_file import PARTS, IctArrays
from synth_affect.heads.unrolled_uv import ATLAS_COLUMN

IRIS_RADIUS_MM = 5.9
"""Half of the visible iris of adults: 11.7 mm (Rüfer et al. 2005)."""
EYE_CAP_RAD = np.radians(85.0)
"""The back of the eyeballs is not drawn."""


@dataclass(frozen=True, slots=True, eq=False)
class Eyeball:
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
    def of(cls, arrays: IctArrays, corners: IntArray, part: IntArray, side: str) -> Eyeball:
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
        uv = (polar * 0.5 + 0.5) * [0.95 * ATLAS_COLUMN, 0.19] + [column * ATLAS_COLUMN, 0.0]
        return cls(triangles, from_pole < IRIS_RADIUS_MM, hidden, around[vertices], uv)
