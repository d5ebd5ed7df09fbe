"""How the faces like a typical one differ from it: what unseen expressions are drawn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_affect.arrays import FloatArray
from synth_affect.blendshape.grid.frames import weighted_quantile
from synth_affect.blendshape.grid.modes import Mode

RANGE = (0.05, 0.95)
"""Quantiles of the weights among those: expressions drawn at random stay between them."""


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """Of the faces like a typical one. deviation, below, above : (k,) of their weights.
    scaled : (m, k), in deviations.  shares : (m,).
    """

    deviation: FloatArray
    below: FloatArray
    above: FloatArray
    scaled: FloatArray
    shares: FloatArray


def kind_of(mode: Mode) -> Kind:
    shares = mode.near_shares / mode.near_shares.sum()
    away = mode.near - mode.weights
    middle = shares @ away
    deviation = np.sqrt(shares @ np.square(away - middle))
    low, high = (weighted_quantile(away, shares, q) for q in RANGE)
    scaled = (away - middle) / np.where(deviation > 1e-9, deviation, 1)
    return Kind(deviation, np.minimum(low, 0), np.maximum(high, 0), scaled, shares)


def correlation_root(kinds: list[Kind], k: int) -> FloatArray:
    """(k, k): Cholesky root of how weights go together within a kind, pooled over cells."""
    pooled = sum((np.einsum("m,mi,mj->ij", s.shares, s.scaled, s.scaled) for s in kinds), np.zeros((k, k)))
    # Held away from singular: a component that nothing uses, or fewer faces than components.
    correlation = 0.98 * pooled / max(1, len(kinds)) + 0.02 * np.eye(k)
    root: FloatArray = np.linalg.cholesky(correlation).astype(np.float32)
    return root
