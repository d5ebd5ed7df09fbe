"""Valence and arousal from the classes of emotion, and the best that a judge of classes can give.

A judge that knows classes alone answers with their expected position: a mixture, which never leaves the convex hull of
the positions, and in the hull the low-arousal half is nearly empty. So a perfect editor does not reach a concordance of
1 before it, and what an editor reaches is reported as a share of that ceiling.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from synth_affect.affect import Emotion, parse_emotion, position
from synth_affect.arrays import FloatArray
from synth_affect.errors import InputError

SYNONYMS = {
    "angry": Emotion.ANGER,
    "disgusted": Emotion.DISGUST,
    "fearful": Emotion.FEAR,
    "happy": Emotion.HAPPINESS,
    "sad": Emotion.SADNESS,
    "surprised": Emotion.SURPRISE,
}
"""Names that databases have for the categories of `Emotion`."""


def parse_class(name: str) -> Emotion:
    """The category that a classifier's class is. Raises InputError naming the class."""
    try:
        return SYNONYMS.get(name.strip().lower()) or parse_emotion(name)
    except InputError:
        raise InputError("classes", f"{name!r} has no position on the plane") from None


def class_positions(names: Sequence[str]) -> tuple[tuple[float, float], ...]:
    """Where classes of those names stand. Raises InputError for a name without a place."""
    points = [position(parse_class(name)) for name in names]
    return tuple((point.valence, point.arousal) for point in points)


def expected_valence_arousal(probabilities: FloatArray, positions: npt.ArrayLike) -> tuple[float, float]:
    """The mean of `positions` (n, 2) under the class probabilities (n,), which need not sum to 1."""
    valence, arousal = probabilities @ np.asarray(positions, dtype=np.float64) / probabilities.sum()
    return float(valence), float(arousal)


def ceiling_readings(targets: FloatArray, positions: npt.ArrayLike) -> FloatArray:
    """(n, 2): the points nearest to `targets` (n, 2) that an expectation over classes at `positions` can reach.

    An editor whose every picture is read as these is perfect to this judge.
    """
    hull = _convex_hull(np.asarray(positions, dtype=np.float64))
    return np.array([_nearest_in_polygon(target, hull) for target in targets]).reshape(-1, 2)


def _convex_hull(points: FloatArray) -> FloatArray:
    """Corners of the hull in counter-clockwise order (Andrew's monotone chain)."""

    def chain(ordered: list[tuple[float, float]]) -> list[tuple[float, float]]:
        kept: list[tuple[float, float]] = []
        for point in ordered:
            while len(kept) > 1 and _turn(kept[-2], kept[-1], point) <= 0:
                kept.pop()
            kept.append(point)
        return kept[:-1]

    ordered = sorted({(float(x), float(y)) for x, y in points})
    if len(ordered) < 2:
        return np.array(ordered)
    return np.array(chain(ordered) + chain(ordered[::-1]))


def _turn(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _nearest_in_polygon(point: FloatArray, corners: FloatArray) -> FloatArray:
    edges = np.roll(corners, -1, axis=0) - corners
    offsets = point - corners
    # Two corners are a line, which has no inside.
    inside = len(corners) > 2 and (edges[:, 0] * offsets[:, 1] - edges[:, 1] * offsets[:, 0] >= 0).all()
    if inside:
        return point
    length = np.maximum(np.sum(edges * edges, axis=1), 1e-12)
    along = np.clip(np.sum(offsets * edges, axis=1) / length, 0, 1)
    feet = corners + along[:, np.newaxis] * edges
    return np.asarray(feet[np.argmin(np.sum((feet - point) ** 2, axis=1))])
