"""Random fields over a face: smooth in space, so that parts that touch move alike, and mostly alike on both sides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_affect.arrays import FloatArray, IntArray, readonly

SPACING = 1.25
"""Distance of the centres of the bumps that fields are sums of, in the bumps' standard deviations."""

_MIDLINE_MM = 7.0
"""Both sides melt into each other within this distance of the midline."""


@dataclass(frozen=True, slots=True, eq=False)
class FieldModes:
    """Bumps that random fields are combined from; each row has unit length, so that fields have unit variance.

    symmetric : (n_vertices, n_modes) float32, the same on both sides.
    free : (n_vertices, n_modes) float32, each side its own.
    side : (n_vertices,) float32 in (-1, 1), sign of x, softened at the midline.
    """

    symmetric: FloatArray
    free: FloatArray
    side: FloatArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "symmetric", readonly(self.symmetric, "symmetric", ("n_vertices", "k"), np.float32))
        n_vertices = len(self.symmetric)
        object.__setattr__(self, "free", readonly(self.free, "free", (n_vertices, "k"), np.float32))
        object.__setattr__(self, "side", readonly(self.side, "side", (n_vertices,), np.float32))


def field_modes(points: FloatArray, at: FloatArray, width_mm: float) -> FieldModes:
    """Modes at `at` (n_vertices, 3) mm, with centres spread over `points` (n_points, 3) mm; head frame.

    width_mm : standard deviation of the bumps.
    """

    def bumps(centres_among: FloatArray, places: FloatArray) -> FloatArray:
        return _bumps(_spread(centres_among, SPACING * width_mm), places, width_mm)

    return FieldModes(
        symmetric=bumps(_folded(points), _folded(at)),
        free=bumps(points.astype(np.float64), at.astype(np.float64)),
        side=at[:, 0] / np.hypot(at[:, 0], _MIDLINE_MM),
    )


def draw_scalars(modes: FieldModes, rng: np.random.Generator, groups: IntArray, asymmetry: float) -> FloatArray:
    """(n_fields, n_vertices) float32 fields of unit variance.

    groups : (n_fields,) int from 0; fields of one group have the symmetric part in common.
    asymmetry : in [0, 1], share of the standard deviation that each field has for itself, and each side.
    """
    shared = rng.standard_normal((int(groups.max()) + 1, modes.symmetric.shape[1]))[groups]
    own = rng.standard_normal((len(groups), modes.free.shape[1]))
    fields = np.sqrt(1 - asymmetry**2) * shared.astype(np.float32) @ modes.symmetric.T
    fields += asymmetry * own.astype(np.float32) @ modes.free.T
    return np.asarray(fields, dtype=np.float32)


def draw_vectors(modes: FieldModes, rng: np.random.Generator, groups: IntArray, asymmetry: float) -> FloatArray:
    """(n_fields, n_vertices, 3) float32 fields, each component of unit variance; as `draw_scalars`.

    The symmetric part points outward on one side where it points outward on the other.
    """
    components = (3 * groups[:, None] + np.arange(3)).ravel()
    fields = draw_scalars(modes, rng, components, asymmetry).reshape(len(groups), 3, -1)
    fields[:, 0] *= modes.side
    return fields.transpose(0, 2, 1)


def _folded(points: FloatArray) -> FloatArray:
    folded = points.astype(np.float64)
    folded[:, 0] = np.hypot(folded[:, 0], _MIDLINE_MM)
    return folded


def _spread(points: FloatArray, spacing_mm: float) -> FloatArray:
    """Points chosen one after the other, each the farthest from those before, until all are within the spacing."""
    chosen = [int(np.argmax(points[:, 2]))]
    distance = np.linalg.norm(points - points[chosen[0]], axis=1)
    while distance.max() > spacing_mm:
        chosen.append(int(np.argmax(distance)))
        np.minimum(distance, np.linalg.norm(points - points[chosen[-1]], axis=1), out=distance)
    return points[chosen]


def _bumps(centres: FloatArray, at: FloatArray, width_mm: float) -> FloatArray:
    """(n_vertices, n_centres) float64, Gaussians about the centres; each row has unit length."""
    squared = ((at[:, None, :] - centres[None, :, :]) ** 2).sum(axis=2)
    # Far from all centres every bump is nearly 0; their ratios still say which is nearest.
    squared -= squared.min(axis=1, keepdims=True)
    bumps = np.exp(-squared / (2 * width_mm**2))
    normalised: FloatArray = bumps / np.linalg.norm(bumps, axis=1, keepdims=True)
    return normalised
