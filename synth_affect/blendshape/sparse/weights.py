"""Weights of given components, frame by frame: block coordinate descent on the Gram matrices."""

from __future__ import annotations

import numpy as np
from numba import njit

from synth_affect.arrays import FloatArray


def update_weights(
    correlation: FloatArray, gram: FloatArray, weights: FloatArray, *, nonnegative: bool, n_sweeps: int
) -> None:
    """Bring `weights` (n_frames, n_components) float32 nearer to the least squares within [-1, 1], in place.

    Each frame x is explained as w C. One sweep sets every weight in turn to its best value while the others are held:
    the paper's block coordinate descent, for which C x and C C' are all that is needed.
    correlation : (n_frames, n_components) float32, the C x of every frame.
    gram : (n_components, n_components) float32, C C'; components with a zero there get weight 0.
    nonnegative : within [0, 1] instead.
    """
    _sweep(correlation, gram, weights, (np.float32(0 if nonnegative else -1), np.float32(1)), n_sweeps, np.float32(0))


def solve_weights(correlation: FloatArray, gram: FloatArray, *, nonnegative: bool) -> FloatArray:
    """(n_frames, n_components) float32: the least-squares weights, of any size; arguments as in `update_weights`.

    nonnegative : no weight below 0.
    Sweeps a frame until none of its weights moves by more than TOLERANCE, or MAX_SWEEPS times.
    """
    weights = np.zeros_like(correlation)
    within = (np.float32(0 if nonnegative else -np.inf), np.float32(np.inf))
    _sweep(correlation, gram, weights, within, MAX_SWEEPS, np.float32(TOLERANCE))
    return weights


MAX_SWEEPS = 2000
TOLERANCE = 1e-5
"""Of weights, whose scale is 1."""


@njit(cache=True)  # type: ignore[untyped-decorator]
def _sweep(
    correlation: FloatArray,
    gram: FloatArray,
    weights: FloatArray,
    within: tuple[float, float],
    n_sweeps: int,
    tolerance: float,
) -> None:
    n_frames, n_components = weights.shape
    # Below this square a component is as good as zero, and dividing by it would only raise noise.
    least = 0.0
    for k in range(n_components):
        least = max(least, gram[k, k])
    least *= 1e-10
    left = np.empty(n_components, dtype=np.float32)
    for f in range(n_frames):
        for k in range(n_components):
            left[k] = correlation[f, k]
        for j in range(n_components):
            if gram[j, j] <= least:
                weights[f, j] = 0
            elif weights[f, j] != 0:
                for k in range(n_components):
                    left[k] -= weights[f, j] * gram[j, k]
        for _ in range(n_sweeps):
            largest = np.float32(0)
            for k in range(n_components):
                if gram[k, k] <= least:
                    continue
                best = min(max(weights[f, k] + left[k] / gram[k, k], within[0]), within[1])
                change = best - weights[f, k]
                if change != 0:
                    for j in range(n_components):
                        left[j] -= change * gram[k, j]
                    weights[f, k] = best
                    largest = max(largest, abs(change))
            if largest <= tolerance:
                break
