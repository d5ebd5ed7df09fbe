"""The part of a head that is compared with pixels, as tensors: made once a head and device."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synth_affect.arrays import FloatArray, IntArray
from synth_affect.fitting.photometric.device import EXTRA
from synth_affect.heads.model import HeadModel, region_triangles
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import Tensor

OCCLUDERS = ("skin", "lips", "lids", "eyeball", "iris", "ears", "neck", "scalp")
"""What may hide skin, or be seen in its place."""
COMPARED = ("skin", "lips")
"""Lids are half hidden by lashes and shades of the eye; teeth, tongue and eyes have colours of their own."""
N_BUMPS_A_SIDE = 28
BUMP_MM = 14.0
"""Standard deviation of the bumps of which an albedo consists."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceSurface:
    """Tensors of one head on one device. Only the vertices of its outer surface are kept: n_kept of n_vertices.

    vertex_of : (n_kept,) int array, index into the head's vertices.
    centre : (3,) float64 array, mm, head frame; points count from it.
    points : (n_kept, 3).  basis : (n_kept, 3, n_coefficients), identity then expression units.
    triangles : (n_triangles, 3) int64.  compared : (n_triangles,) bool.
    sides : (n_sides, 2) int64, of the compared triangles, each once.
    shaded : (n_shaded, 3) int64, the triangles that give the compared ones their normals.
    edges : two of (n_shaded, 3, n_coefficients), the basis along their edges from corner 0 to 1 and to 2.
    bumps : (n_kept, n_bumps), of which the albedo consists: smooth ones, then the lips.
    counterpart : (n_bumps,) int64, the bump on the other side.
    n_identity : the first of the coefficients.
    """

    vertex_of: IntArray
    centre: FloatArray
    points: Tensor
    basis: Tensor
    triangles: Tensor
    compared: Tensor
    sides: Tensor
    shaded: Tensor
    edges: tuple[Tensor, Tensor]
    bumps: Tensor
    counterpart: Tensor
    n_identity: int


def face_surface(head: HeadModel, centre: FloatArray, device: str, dtype: str = "float32") -> FaceSurface:
    """The surface of `head`. centre : (3,) mm, head frame.  dtype : of torch, by name."""
    torch = import_optional("torch", EXTRA)
    kept = region_triangles(head, *OCCLUDERS)
    vertex_of, triangles = np.unique(head.triangles[kept], return_inverse=True)
    triangles = triangles.reshape(-1, 3)
    compared = region_triangles(head, *COMPARED)[kept]
    basis = np.concatenate([head.identity_basis[:, vertex_of], head.expression_units[:, vertex_of]])
    bumps, counterpart = _bumps(head.mean[vertex_of], triangles, compared, region_triangles(head, "lips")[kept])

    def tensor(values: FloatArray) -> Tensor:
        made: Tensor = torch.tensor(values, dtype=getattr(torch, dtype), device=device)
        return made

    moved = tensor(np.ascontiguousarray(basis.transpose(1, 2, 0)))
    corners = torch.tensor(triangles, dtype=torch.int64, device=device)
    shaded = corners[np.isin(triangles, triangles[compared]).any(axis=1)]
    first = moved[shaded[:, 0]]
    return FaceSurface(
        vertex_of=vertex_of,
        centre=np.asarray(centre, dtype=np.float64),
        points=tensor(head.mean[vertex_of] - centre),
        basis=moved,
        triangles=corners,
        compared=torch.tensor(compared, device=device),
        sides=torch.tensor(_sides(triangles[compared]), dtype=torch.int64, device=device),
        shaded=shaded,
        edges=(moved[shaded[:, 1]] - first, moved[shaded[:, 2]] - first),
        bumps=tensor(bumps),
        counterpart=torch.tensor(counterpart, dtype=torch.int64, device=device),
        n_identity=len(head.identity_basis),
    )


def _sides(triangles: IntArray) -> IntArray:
    """(n_sides, 2), each side of `triangles` once."""
    sides = triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    return np.unique(np.sort(sides, axis=1), axis=0)


def _bumps(
    points: FloatArray, triangles: IntArray, compared: np.ndarray, lips: np.ndarray
) -> tuple[FloatArray, IntArray]:
    """Gaussian bumps in mirrored pairs, spread evenly over the compared surface, then the lips as one."""
    half = np.unique(triangles[compared])
    half = points[half[points[half, 0] > BUMP_MM / 3]]
    centres = half[[int(np.argmax(half[:, 2]))]]
    distance = np.linalg.norm(half - centres[0], axis=1)
    for _ in range(N_BUMPS_A_SIDE - 1):
        farthest = half[int(np.argmax(distance))]
        centres = np.concatenate([centres, farthest[None]])
        distance = np.minimum(distance, np.linalg.norm(half - farthest, axis=1))
    both = np.concatenate([centres, centres * [-1, 1, 1]])
    squared = ((points[:, None] - both) ** 2).sum(axis=2)
    on_lips = np.zeros((len(points), 1))
    on_lips[triangles[lips]] = 1.0
    counterpart = np.roll(np.arange(2 * N_BUMPS_A_SIDE), N_BUMPS_A_SIDE)
    bumps = np.concatenate([np.exp(-0.5 * squared / BUMP_MM**2), on_lips], axis=1)
    return bumps, np.append(counterpart, 2 * N_BUMPS_A_SIDE)
