"""Canonical correlation analysis with a ridge, chosen on groups that were left out.

The directions of the wider side are those of ridge regression on the other side, which span the same space as those of
the canonical ridge (Vinod 1976); plain correlation analysis, in closed form, then brings them to variance 1 and apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_affect.arrays import FloatArray, IntArray
from synth_affect.errors import FitError

LEAST = 1e-10
"""Share of the largest variance below which a direction says nothing, and is left out."""
RIDGES = (0.0, *(10.0 ** (exponent / 2) for exponent in range(-14, 0)))
"""Among which `choose_ridge` chooses, two a decade."""


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


def fit_cca(values: FloatArray, others: FloatArray, *, ridge: float = 0.0) -> CanonicalCorrelation:
    """As many pairs as the narrower side has directions; values (n, d), others (n, e).

    ridge : added to every variance of `values`, as a share of the sum of them all. Above 0, no more pairs than `others`
        has directions, and `values` the wider side.
    The sign of each variate is that in which its largest coefficient is positive.
    Raises FitError when a side is constant.
    """
    joint = _Moments.of(values, others)
    mean, covariance = joint.mean[: joint.width], joint.covariance
    own, cross, other = _parts(covariance, joint.width)
    slopes = np.eye(joint.width) if ridge == 0 else _ridge_slopes(own, cross, [ridge])[0]
    white = _whitening(slopes.T @ own @ slopes, "the components")
    other_white = _whitening(other, "the labels")
    u, correlations, _ = np.linalg.svd(white.T @ slopes.T @ cross @ other_white, full_matrices=False)
    directions = slopes @ white @ u
    largest = directions[np.abs(directions).argmax(axis=0), np.arange(directions.shape[1])]
    return CanonicalCorrelation(mean, directions * np.sign(largest), correlations)


def choose_ridge(values: FloatArray, others: FloatArray, groups: IntArray) -> float:
    """The one of RIDGES with which regression reads the columns of `others` best in groups that were left out in turn.

    values (n, d), others (n, e).  groups : (n,) a number for each row; of one group alone, none is chosen: 0.
    Best is the largest correlation, mean over columns and groups.
    """
    parts = [_Moments.of(values[groups == group], others[groups == group]) for group in np.unique(groups)]
    score = np.zeros(len(RIDGES))
    for left_out in parts if len(parts) > 1 else []:
        seen = _Moments.sum([part for part in parts if part is not left_out])
        own, cross, _ = _parts(seen.covariance, seen.width)
        own_out, cross_out, other_out = _parts(left_out.covariance, left_out.width)
        for place, slopes in enumerate(_ridge_slopes(own, cross, RIDGES)):
            spread = np.einsum("de,dc,ce->e", slopes, own_out, slopes, optimize=True) * np.diagonal(other_out)
            agreement = np.einsum("de,de->e", slopes, cross_out)
            score[place] += (agreement / np.sqrt(np.maximum(spread, 1e-30))).mean()
    return float(RIDGES[score.argmax()])


@dataclass(frozen=True, slots=True, eq=False)
class _Moments:
    """Of rows that hold both sides.  width : of the first.  total : (d + e,).  products : (d + e, d + e)."""

    n_rows: int
    width: int
    total: FloatArray
    products: FloatArray

    @staticmethod
    def of(values: FloatArray, others: FloatArray) -> _Moments:
        rows = np.hstack([values, others]).astype(np.float64)
        return _Moments(len(rows), values.shape[1], rows.sum(axis=0), rows.T @ rows)

    @staticmethod
    def sum(parts: list[_Moments]) -> _Moments:
        n_rows, total = sum(part.n_rows for part in parts), np.sum([part.total for part in parts], axis=0)
        return _Moments(n_rows, parts[0].width, total, np.sum([part.products for part in parts], axis=0))

    @property
    def mean(self) -> FloatArray:
        mean: FloatArray = self.total / self.n_rows
        return mean

    @property
    def covariance(self) -> FloatArray:
        covariance: FloatArray = self.products / self.n_rows - np.outer(self.mean, self.mean)
        return covariance


def _parts(covariance: FloatArray, width: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(d, d) of the first side, (d, e) between the sides, (e, e) of the other."""
    return covariance[:width, :width], covariance[:width, width:], covariance[width:, width:]


def _ridge_slopes(own: FloatArray, cross: FloatArray, ridges: list[float] | tuple[float, ...]) -> list[FloatArray]:
    """(d, e) for each ridge: slopes of the regression of the other side on the first."""
    variances, axes = np.linalg.eigh(own)
    kept = variances > LEAST * max(variances[-1], 1e-12)
    variances, axes = variances[kept], axes[:, kept]
    turned, total = axes.T @ cross, variances.sum()
    return [axes @ (turned / (variances + ridge * total)[:, None]) for ridge in ridges]


def _whitening(covariance: FloatArray, name: str) -> FloatArray:
    """(d, rank) that brings rows of that covariance to unit covariance."""
    variances, axes = np.linalg.eigh(covariance)
    kept = variances > LEAST * max(variances[-1], 1e-12)
    if not kept.any() or variances[-1] <= 1e-12:
        raise FitError(f"no canonical correlation: {name} are constant")
    white: FloatArray = axes[:, kept] / np.sqrt(variances[kept])
    return white
