"""The frames that a grid is made of, as weights of its dictionary, and how far apart two of them are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_affect.arrays import FloatArray, IntArray
from synth_affect.blendshape.grid.cells import cell_of
from synth_affect.blendshape.sparse.components import SparseComponents


@dataclass(frozen=True, slots=True, eq=False)
class LabelledFrames:
    """weights : (n, k) float32.  labels : (n, 2) float64.  subjects, sequences : (n,) codes."""

    weights: FloatArray
    labels: FloatArray
    subjects: IntArray
    sequences: IntArray

    @property
    def cells(self) -> IntArray:
        return cell_of(self.labels[:, 0], self.labels[:, 1])


def metric_of(components: SparseComponents) -> FloatArray:
    """(k, k): weights times this are in mm, root mean square over the template."""
    flat = components.offsets.reshape(len(components.offsets), -1).astype(np.float64)
    gram = flat @ flat.T / components.offsets.shape[1]
    values, vectors = np.linalg.eigh(gram)
    root: FloatArray = vectors * np.sqrt(np.maximum(values, 0))
    return root


def usual_motion(frames: LabelledFrames, metric: FloatArray) -> float:
    """Median motion of frames, mm, over their distance from neutral; of those that are far from it."""
    radius = np.hypot(*frames.labels.T)
    far = radius >= min(0.5, float(np.quantile(radius, 0.75)))
    return float(np.median(np.linalg.norm(frames.weights[far] @ metric, axis=1) / radius[far]))


def evenly(rows: IntArray, most: int) -> IntArray:
    """At most so many of them, evenly spread."""
    return rows if len(rows) <= most else rows[np.arange(most) * len(rows) // most]


def n_different(codes: IntArray) -> int:
    return len(np.unique(codes))


def weighted_quantile(values: FloatArray, shares: FloatArray, quantile: float) -> FloatArray:
    """(k,) of values (m, k) that count by their `shares` (m,)."""
    order = values.argsort(axis=0, kind="stable")
    cumulated = shares[order].cumsum(axis=0)
    place = (cumulated >= quantile * cumulated[-1]).argmax(axis=0)
    column = np.arange(values.shape[1])
    found: FloatArray = values[order[place, column], column]
    return found
