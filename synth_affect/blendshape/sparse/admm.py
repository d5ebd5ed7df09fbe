"""Components of given weights: ADMM for least squares with a group-sparse penalty (Neumann et al. 2013, section 3.3).

Minimises 1/2 |X - W C|^2 + sum over components k and vertices v of thresholds[k, v] |C[k, v]|.
Only W'X and W'W are needed; and since no vertex knows of another, blocks of vertices that fit into a processor's cache
go through all iterations one after the other.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from synth_affect.arrays import FloatArray

BLOCK_VERTICES = 128


def update_components(
    components: FloatArray,
    duals: FloatArray,
    weights_frames: FloatArray,
    weights_gram: FloatArray,
    thresholds: FloatArray,
    *,
    rho: float,
    n_steps: int,
) -> None:
    """Take `n_steps` of ADMM from `components` and the scaled `duals`, both of which are overwritten.

    components, duals, weights_frames : (n_components, 3 n_vertices) float32; the last is W'X.
    weights_gram : (n_components, n_components), W'W.
    thresholds : (n_components, n_vertices) float32, >= 0.
    rho : weight of the augmentation, > 0.
    The components that are left are the split variable, of which thresholds have made vertices exactly zero.
    """
    n_components, n_coordinates = components.shape
    # rho keeps it well conditioned, so the inverse, applied by one product, is as good as two triangular solutions.
    system = weights_gram.astype(np.float64) + rho * np.eye(n_components)
    inverse = np.linalg.inv(system).astype(np.float32)
    shrinkage = thresholds / np.float32(rho)
    for first in range(0, n_coordinates, 3 * BLOCK_VERTICES):
        at = slice(first, first + 3 * BLOCK_VERTICES)
        fixed = np.ascontiguousarray(weights_frames[:, at])
        split, dual = np.ascontiguousarray(components[:, at]), np.ascontiguousarray(duals[:, at])
        right = fixed + np.float32(rho) * (split - dual)
        near = np.ascontiguousarray(shrinkage[:, first // 3 : first // 3 + BLOCK_VERTICES])
        solution = np.empty_like(right)
        for _ in range(n_steps):
            np.matmul(inverse, right, out=solution)
            _shrink(solution, near, np.float32(rho), fixed, split, dual, right)
        components[:, at], duals[:, at] = split, dual


@njit(cache=True)  # type: ignore[untyped-decorator]
def _shrink(
    solution: FloatArray,
    shrinkage: FloatArray,
    rho: float,
    fixed: FloatArray,
    split: FloatArray,
    dual: FloatArray,
    right: FloatArray,
) -> None:
    """The proximal step of every vertex's vector, the dual's step, and the right-hand side that follows."""
    n_components, n_vertices = shrinkage.shape
    for k in range(n_components):
        for v in range(n_vertices):
            i = 3 * v
            x, y, z = (
                solution[k, i] + dual[k, i],
                solution[k, i + 1] + dual[k, i + 1],
                solution[k, i + 2] + dual[k, i + 2],
            )
            length = np.sqrt(x * x + y * y + z * z)
            kept = np.float32(0)
            if length > shrinkage[k, v]:
                kept = np.float32(1) - shrinkage[k, v] / length
            rest = np.float32(1) - kept
            split[k, i], split[k, i + 1], split[k, i + 2] = kept * x, kept * y, kept * z
            dual[k, i], dual[k, i + 1], dual[k, i + 2] = rest * x, rest * y, rest * z
            turn = rho * (kept - rest)
            right[k, i] = fixed[k, i] + turn * x
            right[k, i + 1] = fixed[k, i + 1] + turn * y
            right[k, i + 2] = fixed[k, i + 2] + turn * z
