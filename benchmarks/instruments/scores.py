"""Agreement of readings with what was asked for, and the best that a judge of seven classes can give."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from benchmarks.instruments.emotion import CLASS_VALENCE_AROUSAL

Array = npt.NDArray[np.float64]


def concordance(asked: Array, read: Array) -> float:
    """Lin's concordance correlation coefficient (CCC) of two sequences; NaN when both are constant and equal."""
    covariance = np.mean((asked - asked.mean()) * (read - read.mean()))
    spread = asked.var() + read.var() + (asked.mean() - read.mean()) ** 2
    return float(2 * covariance / spread) if spread > 0 else float("nan")


def ceiling_readings(targets: Array) -> Array:
    """(n, 2): the points nearest to `targets` (n, 2) that an expectation over the seven classes can reach.

    An editor whose every picture is read as these is perfect to this judge. The judge reaches only the convex hull of
    the classes' positions, in which the low-arousal half is nearly empty.
    """
    hull = _convex_hull(CLASS_VALENCE_AROUSAL)
    return np.array([_nearest_in_polygon(target, hull) for target in targets])


def _convex_hull(points: Array) -> Array:
    """Corners of the hull in counter-clockwise order (Andrew's monotone chain)."""

    def chain(ordered: list[tuple[float, float]]) -> list[tuple[float, float]]:
        kept: list[tuple[float, float]] = []
        for point in ordered:
            while len(kept) > 1 and _turn(kept[-2], kept[-1], point) <= 0:
                kept.pop()
            kept.append(point)
        return kept[:-1]

    ordered = sorted({(float(x), float(y)) for x, y in points})
    return np.array(chain(ordered) + chain(ordered[::-1]))


def _turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _nearest_in_polygon(point: Array, corners: Array) -> Array:
    edges = np.roll(corners, -1, axis=0) - corners
    offsets = point - corners
    if (edges[:, 0] * offsets[:, 1] - edges[:, 1] * offsets[:, 0] >= 0).all():
        return point
    along = np.clip(np.sum(offsets * edges, axis=1) / np.sum(edges * edges, axis=1), 0, 1)
    feet = corners + along[:, np.newaxis] * edges
    return np.asarray(feet[np.argmin(np.sum((feet - point) ** 2, axis=1))])
