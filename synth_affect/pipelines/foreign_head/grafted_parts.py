"""Eyes and mouth of the packaged head, set into the face of a model that has none of its own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import RBFInterpolator

from synth_affect.arrays import FloatArray, IntArray
from synth_affect.heads.mesh import Mesh
from synth_affect.heads.model import HeadModel, region_triangles

EYES, MOUTH, HARD = ("eyeball", "iris"), ("mouth_cavity", "teeth_upper", "teeth_lower", "gums", "tongue"), (
    "teeth_upper", "teeth_lower", "gums", "tongue",
)  # fmt: skip
LID_GAP_MM = 0.3
"""The lids' edges stand so far before the eyeballs."""
NEAR_EYE_MM = 16.0
TOUCHING_SHARE = 0.15
"""Share of the lids' edges that may lie within the gap: a coarse mesh has edges that leave the lid."""
CAVITY_BEHIND_MM = 1.0
"""The cavity's rim hangs so far behind the lips', which are not where the warp puts them to the millimetre."""


@dataclass(frozen=True, slots=True, eq=False)
class Graft:
    """Parts of the packaged head, placed.

    vertices : (n,) indices into the packaged head's.  triangles : (m,) likewise.
    mean : (n, 3) mm.  identity : (n_identity, n, 3) mm, how they follow the face.  scale : of their movements.
    """

    vertices: IntArray
    triangles: IntArray
    mean: FloatArray
    identity: FloatArray
    scale: float


def graft_parts(
    packaged: HeadModel,
    warped: FloatArray,
    scale: float,
    eyes: tuple[FloatArray, FloatArray],
    lips: tuple[FloatArray, FloatArray],
    rims: FloatArray,
    face: tuple[FloatArray, FloatArray],
) -> Graft:
    """Eyeballs between the lids, the teeth behind the lips, and the cavity around them.

    warped : (n, 3) mm, the packaged head's vertices, brought onto the face smoothly.  scale : of the face against it.
    eyes : (2, k, 3) mm, points round each eye, the right one first, on the packaged head and on the face.
    lips : (k, 3) mm, points round the lips on both.  rims : (k, 3) mm, the edges of the face's lids.
    face : (k, 3) mm points of the face, and (n_identity, k, 3) mm how they vary.
    """
    triangles = np.flatnonzero(region_triangles(packaged, *EYES, *MOUTH))
    vertices = np.unique(packaged.triangles[triangles])
    mean = warped[vertices].astype(np.float64)
    mean[:, 2] -= CAVITY_BEHIND_MM
    points, variation = face
    # |r| is the biharmonic kernel of space: of all fields that meet the points it bends least.
    field = RBFInterpolator(
        points, np.moveaxis(variation, 0, 1).reshape(len(points), -1), kernel="linear", smoothing=1.0
    )
    identity = np.moveaxis(field(mean).reshape(len(mean), -1, 3), 1, 0).astype(np.float32)

    def place(regions: tuple[str, ...], side: int, source: FloatArray, target: FloatArray) -> IntArray:
        """Rigidly, as the points of `source` come to those of `target`; the rows of `mean` that were placed."""
        mine = np.unique(packaged.triangles[region_triangles(packaged, *regions)])
        mine = mine[packaged.mean[mine, 0] * side >= 0]
        rows: IntArray = np.searchsorted(vertices, mine)
        mean[rows] = scale * (packaged.mean[mine] - source.mean(axis=0)) + target.mean(axis=0)
        near = np.argsort(np.linalg.norm(points - target.mean(axis=0), axis=1))[: len(target)]
        identity[:, rows] = variation[:, near].mean(axis=1)[:, None]
        return rows

    for side in (-1, 1):
        index = (side + 1) // 2
        rows = place(EYES, side, eyes[0][index], eyes[1][index])
        mean[rows, 2] -= _too_far_out(mean[rows], rims)
    place(HARD, 0, *lips)
    return Graft(vertices, triangles, mean.astype(np.float32), identity, scale)


def graft_mesh(packaged: HeadModel, graft: Graft) -> Mesh:
    """The parts alone."""
    return Mesh(graft.mean, np.searchsorted(graft.vertices, packaged.triangles[graft.triangles]))


def _too_far_out(ball: FloatArray, rims: FloatArray) -> float:
    """mm that an eyeball has to go back for the lids' edges to stand before it; negative for forwards."""
    system = np.column_stack([2 * ball, np.ones(len(ball))])
    solution = np.linalg.lstsq(system, (ball**2).sum(axis=1), rcond=None)[0]
    centre = solution[:3]
    radius = float(np.sqrt(solution[3] + centre @ centre)) + LID_GAP_MM
    across = ((rims - centre)[:, :2] ** 2).sum(axis=1)
    near = (across < min(NEAR_EYE_MM, radius) ** 2) & (np.abs(rims[:, 2] - centre[2] - radius) < NEAR_EYE_MM)
    if not near.any():
        return 0.0
    # The ball's front under each point of the edge.
    front = centre[2] + np.sqrt(np.maximum(radius**2 - across[near], 0))
    return float(np.quantile(front - rims[near, 2], 1 - TOUCHING_SHARE))
