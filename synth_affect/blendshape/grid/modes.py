"""Candidates for the typical expression of a cell: where the faces of the cell, and of those around it, are alike.

Faces are scaled along their rays to the centre's distance from neutral. What they do is compared apart from how far
they move, as directions of their displacements: by distance alone faint faces would be the densest, since they differ
least. From faces that many others resemble the mean shift climbs to where likeness is highest. The expression is the
median of the faces around, weight by weight, with their full motion. Jaw and mouth move most and decide who is alike;
in brows and lids faces of a kind still differ, and a mean of some that raise their brows and some that do not shows
neither. A recording counts once, however long it holds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_affect.arrays import FloatArray, IntArray
from synth_affect.blendshape.grid.cells import CENTRES, RADII
from synth_affect.blendshape.grid.frames import LabelledFrames, evenly, weighted_quantile

REACH_ALONG, REACH_ACROSS = 0.2, 0.08
"""Standard deviations of the weight of frames around a cell, along its ray and across: along it they are alike."""
POOLED_WITHIN, LEAST_RADIUS = 0.4, 0.15
"""Frames further from a cell's centre, or nearer to neutral, are not looked at: there a label's error hides its
direction."""
MOST_POOLED = 600
"""Frames that are compared for a cell; of more, an even selection."""
AT_REST, MISLABELLED = 0.35, 2.5
"""A face that moves less than this share of what is usual around its place, for its distance from neutral, is at rest;
one that moves more than the second has a label that is not its own, such as that of a moment before."""
FAINTEST = 0.1
"""Where faces move no more than this share of what they do all over the plane, there is nothing to be seen."""
ALIKE = 0.04
"""Share of faces that counts as alike to a face: the median distance to the furthest of these is the bandwidth."""
STARTS, MOST_MODES = 40, 5


@dataclass(frozen=True, slots=True, eq=False)
class Mode:
    """A kind of expression. weights : (k,), the median of its faces.  direction : (k,), where they are densest, as a
    displacement in mm over its norm.  density : share of the faces that are alike.

    near : (m, k) weights of the faces of its kind.  near_shares : (m,) their shares.
    """

    weights: FloatArray
    direction: FloatArray
    density: float
    near: FloatArray
    near_shares: FloatArray


def candidates_of(frames: LabelledFrames, cell: int, metric: FloatArray, usual: float) -> list[Mode]:
    """Candidates for the typical expression of a cell, the densest first.

    usual : mm over the distance from neutral, of the whole plane, see `usual_motion`.
    """
    apart = frames.labels - CENTRES[cell]
    radius = np.hypot(*frames.labels.T)
    rows: IntArray = np.flatnonzero((np.square(apart).sum(axis=1) < POOLED_WITHIN**2) & (radius > LEAST_RADIUS))
    if len(rows) == 0:
        return []
    motion = np.linalg.norm(frames.weights[rows] @ metric, axis=1) / radius[rows]
    here = float(np.median(motion))
    if here <= FAINTEST * usual:
        return []
    rows = evenly(rows[(motion > AT_REST * here) & (motion < MISLABELLED * here)], MOST_POOLED)
    apart, radius = apart[rows], radius[rows]
    ray = CENTRES[cell] / RADII[cell]
    along, across = apart @ ray, apart @ [-ray[1], ray[0]]
    # Of a face near neutral an error of its label says most: its distance is what it is scaled by.
    near = radius * np.exp(-((along / REACH_ALONG) ** 2 + (across / REACH_ACROSS) ** 2) / 2)
    # A recording counts by how near it comes, not by how long it stays.
    shares = near**2 / np.bincount(frames.sequences[rows], near)[frames.sequences[rows]]
    weights = frames.weights[rows].astype(np.float64) * (RADII[cell] / radius)[:, None]
    return modes_of(weights, metric, shares / shares.sum())


def modes_of(weights: FloatArray, metric: FloatArray, shares: FloatArray) -> list[Mode]:
    """Of faces with weights (m, k) that all move, and their `shares` (m,) of 1: their kinds, the densest first."""
    places = weights @ metric
    directions = places / np.linalg.norm(places, axis=1, keepdims=True)
    squares = np.maximum(2 - 2 * directions @ directions.T, 0)
    bandwidth = _bandwidth(squares, shares)
    densities = np.exp(-squares / bandwidth) @ shares
    order = np.argsort(-densities, kind="stable")
    found: list[Mode] = []
    for start in order[:: max(1, len(order) // STARTS)]:
        # A place that was climbed from already, all but surely.
        if any(_square(directions[start], mode.direction) < 0.7 * bandwidth for mode in found):
            continue
        top, near = _climbed(directions, shares, directions[start], bandwidth)
        if any(_square(top, mode.direction) < 0.3 * bandwidth for mode in found):
            continue
        kind = np.square(directions - top).sum(axis=1) <= bandwidth
        if not kind.any():  # between faces, where there is none
            continue
        typical = weighted_quantile(weights[kind], shares[kind], 0.5)
        found.append(Mode(typical, top, float(near.sum()), weights[kind], shares[kind]))
        if len(found) == MOST_MODES:
            break
    return sorted(found, key=lambda mode: -mode.density)


def _bandwidth(squares: FloatArray, shares: FloatArray) -> float:
    """Squared: the median over faces of the squared distance within which ALIKE of the others lie."""
    order = squares.argsort(axis=1)
    reached = (shares[order].cumsum(axis=1) >= ALIKE).argmax(axis=1)
    each = np.arange(len(squares))
    return max(float(np.median(squares[each, order[each, reached]])), 1e-6)


def _climbed(
    directions: FloatArray, shares: FloatArray, start: FloatArray, bandwidth: float
) -> tuple[FloatArray, FloatArray]:
    """Mean shift on the sphere: where it ends (k,), and how much each face counts there (m,)."""
    top = start
    for _ in range(20):
        near = shares * np.exp(-np.square(directions - top).sum(axis=1) / bandwidth)
        middle = near @ directions
        middle = middle / np.linalg.norm(middle)
        change = _square(middle, top)
        top = middle
        if change < 1e-6:
            break
    return top, shares * np.exp(-np.square(directions - top).sum(axis=1) / bandwidth)


def _square(one: FloatArray, other: FloatArray) -> float:
    return float(np.square(one - other).sum())
