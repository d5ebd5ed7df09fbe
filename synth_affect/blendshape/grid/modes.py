"""Candidates for the typical expression of a cell: where the faces of the cell, and of those around it, are dense.

Faces are scaled along their rays to the centre's distance from neutral and clustered; from each cluster the mean shift
climbs to where faces are densest. A recording counts once, however long it holds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_affect.arrays import FloatArray, IntArray
from synth_affect.blendshape.grid.affect_grid import CELL_WIDTH, CENTRES, RADII
from synth_affect.blendshape.grid.frames import LabelledFrames, evenly

REACH_ALONG, REACH_ACROSS = 0.2, 0.08
"""Standard deviations of the weight of frames around a cell, along its ray and across: along it they are alike."""
POOLED_WITHIN = 0.4
"""Frames further from a cell's centre than this are not looked at for it."""
MOST_POOLED = 3000
"""Frames that are clustered for a cell; of more, an even selection."""
N_CLUSTERS = 5
LIKE_TYPICAL = 1.5
"""Faces up to this many bandwidths from the typical one are its kind."""


@dataclass(frozen=True, slots=True, eq=False)
class Mode:
    """A place where faces are dense. weights : (k,).  place : (k,), the same in mm.  density : share of the cell.

    near : (m, k) weights of the faces of its kind.  near_shares : (m,) their weights in the cell.
    """

    weights: FloatArray
    place: FloatArray
    density: float
    near: FloatArray
    near_shares: FloatArray

    @property
    def size(self) -> float:
        return float(np.linalg.norm(self.place))


def candidates_of(frames: LabelledFrames, cell: int, metric: FloatArray) -> list[Mode]:
    """Candidates for the typical expression of a cell, the densest first."""
    apart = frames.labels - CENTRES[cell]
    radius = np.hypot(*frames.labels.T)
    rows: IntArray = np.flatnonzero((np.square(apart).sum(axis=1) < POOLED_WITHIN**2) & (radius > CELL_WIDTH / 2))
    if len(rows) == 0:
        return []
    rows = evenly(rows, MOST_POOLED)
    apart, radius = apart[rows], radius[rows]
    ray = CENTRES[cell] / RADII[cell]
    along, across = apart @ ray, apart @ [-ray[1], ray[0]]
    # Of a face near neutral an error of its label says most: its distance is what it is scaled by.
    near = radius * np.exp(-((along / REACH_ALONG) ** 2 + (across / REACH_ACROSS) ** 2) / 2)
    # A recording counts by how near it comes, not by how long it stays.
    shares = near**2 / np.bincount(frames.sequences[rows], near)[frames.sequences[rows]]
    weights = frames.weights[rows].astype(np.float64) * np.clip(RADII[cell] / radius, 0.5, 2.0)[:, None]
    return modes_of(weights, weights @ metric, shares / shares.sum())


def modes_of(weights: FloatArray, places: FloatArray, shares: FloatArray) -> list[Mode]:
    """Where `places` (m, k) are dense, from the densest on."""
    labels, centres = _clusters(places, shares)
    spread = np.square(places - centres[labels]).sum(axis=1)
    bandwidth = float(np.sqrt(shares @ spread))
    if bandwidth < 1e-6:
        bandwidth = 1e-6
    found: list[Mode] = []
    for centre in centres:
        place = centre
        for _ in range(30):
            near = shares * np.exp(-np.square(places - place).sum(axis=1) / (2 * bandwidth**2))
            moved = near @ places / near.sum()
            change = float(np.linalg.norm(moved - place))
            place = moved
            if change < 1e-3 * bandwidth:
                break
        if any(np.linalg.norm(place - other.place) < 0.5 * bandwidth for other in found):
            continue
        distance = np.linalg.norm(places - place, axis=1)
        near = shares * np.exp(-(distance**2) / (2 * bandwidth**2))
        kind = distance <= LIKE_TYPICAL * bandwidth
        found.append(Mode(near @ weights / near.sum(), place, float(near.sum()), weights[kind], shares[kind]))
    return sorted(found, key=lambda mode: -mode.density)


def _clusters(places: FloatArray, shares: FloatArray) -> tuple[IntArray, FloatArray]:
    """Weighted k-means from centres far apart; labels (m,) and centres (n, k)."""
    middle = shares @ places
    centres = [places[np.argmin(np.square(places - middle).sum(axis=1))]]
    for _ in range(N_CLUSTERS - 1):
        nearest = np.min([np.square(places - c).sum(axis=1) for c in centres], axis=0)
        if nearest.max() <= 1e-12:
            break
        centres.append(places[np.argmax(nearest * shares)])
    table = np.array(centres)
    labels = np.zeros(len(places), dtype=np.intp)
    for _ in range(25):
        distances = np.square(places).sum(axis=1)[:, None] - 2 * places @ table.T + np.square(table).sum(axis=1)
        nearest_one = distances.argmin(axis=1)
        totals = np.bincount(nearest_one, shares, minlength=len(table))
        for c in np.flatnonzero(totals > 0):
            of_cluster = nearest_one == c
            table[c] = shares[of_cluster] @ places[of_cluster] / totals[c]
        if np.array_equal(nearest_one, labels):
            break
        labels = nearest_one
    return labels, table
