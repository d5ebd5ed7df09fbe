"""Canonical correlation analysis in closed form: whiten both sides, then the SVD of their correlation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_affect.arrays import FloatArray
from synth_affect.errors import FitError

LEAST = 1e-10
"""Share of the largest variance below which a direction says nothing, and is left out."""


@dataclass(frozen=True, slots=True, eq=False)
class CanonicalCorrelation:
    """mean : (d,), directions : (d, n_pairs) float64, of the first side; its variates have variance 1.

    correlations : (n_pairs,) float64, falling, with the other side's variates.
    """

    mean: FloatArray
    directions: FloatArray
    correlations: FloatArray

    def transform(self, values: FloatArray) -> FloatArray:
        """(n, n_pairs) float64: variates of (n, d) values of the first side."""
        variates: FloatArray = (values - self.mean) @ self.directions
        return variates


def fit_cca(values: FloatArray, others: FloatArray) -> CanonicalCorrelation:
    """As many pairs as the narrower side has directions; values (n, d), others (n, e).

    The sign of each variate is that in which its largest coefficient is positive.
    Raises FitError when a side is constant.
    """
    mean, white = _whitening(values, "the components")
    other_mean, other_white = _whitening(others, "the labels")
    centred = values - mean
    cross = centred.T @ (others - other_mean) / len(values)
    u, correlations, _ = np.linalg.svd(white.T @ cross @ other_white, full_matrices=False)
    directions = white @ u
    largest = directions[np.abs(directions).argmax(axis=0), np.arange(directions.shape[1])]
    return CanonicalCorrelation(mean, directions * np.sign(largest), correlations)


def _whitening(values: FloatArray, name: str) -> tuple[FloatArray, FloatArray]:
    """The mean, and (d, rank) that brings centred rows to unit covariance."""
    mean = values.mean(axis=0, dtype=np.float64)
    centred = values - mean
    variances, axes = np.linalg.eigh(centred.T @ centred / len(values))
    kept = variances > LEAST * max(variances[-1], 1e-12)
    if not kept.any() or variances[-1] <= 1e-12:
        raise FitError(f"no canonical correlation: {name} are constant")
    return mean, axes[:, kept] / np.sqrt(variances[kept])
