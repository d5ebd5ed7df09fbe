"""Random fields over a face: smooth in space, so that parts that touch move alike, and mostly alike on both sides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_affect.arrays import FloatArray, readonly

CENTRE_SPACING_MM = 24.0
WIDTH_MM = 20.0
"""Standard deviation of the bumps that fields are sums of: about half the height of a cheek."""

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


def field_modes(points: FloatArray, at: FloatArray) -> FieldModes:
    """Modes at `at` (n_vertices, 3) mm, with centres spread over `points` (n_points, 3) mm; head frame."""
    folded_points, folded_at = _folded(points), _folded(at)
    return FieldModes(
        symmetric=_bumps(_spread(folded_points), folded_at),
        free=_bumps(_spread(points.astype(np.float64)), at.astype(np.float64)),
        side=at[:, 0] / np.hypot(at[:, 0], _MIDLINE_MM),
    )


def draw_scalars(modes: FieldModes, shared: FloatArray, own: FloatArray, asymmetry: float) -> FloatArray:
    """(n_fields, n_vertices) float32 fields of unit variance.

    shared : (n_fields, n_modes) standard normal, for the symmetric part.  own : likewise, for the free part.
    asymmetry : in [0, 1], share of the standard deviation that each side has for itself.
    """
    fields: FloatArray = np.sqrt(1 - asymmetry**2) * (shared @ modes.symmetric.T) + asymmetry * (own @ modes.free.T)
    return fields.astype(np.float32)


def _folded(points: FloatArray) -> FloatArray:
    folded = points.astype(np.float64)
    folded[:, 0] = np.hypot(folded[:, 0], _MIDLINE_MM)
    return folded


def _spread(points: FloatArray) -> FloatArray:
    """Points chosen one after the other, each the farthest from those before, until all are within the spacing."""
    chosen = [int(np.argmax(points[:, 2]))]
    distance = np.linalg.norm(points - points[chosen[0]], axis=1)
    while distance.max() > CENTRE_SPACING_MM:
        chosen.append(int(np.argmax(distance)))
        np.minimum(distance, np.linalg.norm(points - points[chosen[-1]], axis=1), out=distance)
    return points[chosen]


def _bumps(centres: FloatArray, at: FloatArray) -> FloatArray:
    squared = ((at[:, None, :] - centres[None, :, :]) ** 2).sum(axis=2)
    # Far from all centres every bump is nearly 0; their ratios still say which is nearest.
    squared -= squared.min(axis=1, keepdims=True)
    bumps = np.exp(-squared / (2 * WIDTH_MM**2))
    normalised: FloatArray = bumps / np.linalg.norm(bumps, axis=1, keepdims=True)
    return normalised
