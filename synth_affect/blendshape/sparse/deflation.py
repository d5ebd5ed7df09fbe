"""First guess of sparse localized components, one after the other (Neumann et al. 2013, section 3.4).

Each component explains the vertex that moves most in what the earlier ones leave over. What is left over is never
written down: its parts are computed where they are needed, from the frames and the components so far.
"""

from __future__ import annotations

import numpy as np

from synth_affect.arrays import FloatArray
from synth_affect.blendshape.sparse.support_maps import SupportMaps

EXHAUSTED = 1e-8
"""Share of the strongest vertex's energy below which nothing is left to explain."""


def deflate(
    frames: FloatArray, n_components: int, support_maps: SupportMaps, *, nonnegative: bool
) -> tuple[FloatArray, FloatArray]:
    """Components (n_components, 3 n_vertices) and weights (n_frames, n_components), both float32.

    frames : (n_frames, 3 n_vertices) float32, mm.
    nonnegative : weights within [0, 1], else within [-1, 1]; their largest magnitude is 1.
    Components that nothing is left for are zero, with their weights.
    """
    n_frames, n_coordinates = frames.shape
    components = np.zeros((n_components, n_coordinates), dtype=np.float32)
    weights = np.zeros((n_frames, n_components), dtype=np.float32)
    energy = np.einsum("fd,fd->d", frames, frames, dtype=np.float64).reshape(-1, 3).sum(axis=1)
    least = EXHAUSTED * energy.max()
    for k in range(n_components):
        while True:
            centre = int(np.argmax(energy))
            if energy[centre] <= least:
                return components, weights
            at = slice(3 * centre, 3 * centre + 3)
            motion = frames[:, at] - weights[:, :k] @ components[:k, at]
            # What rounding has added to a vertex that is explained already must not make it a centre again.
            energy[centre] = np.square(motion, dtype=np.float64).sum()
            if energy[centre] >= energy.max():
                break
        weight = _one_sided(_principal(motion)) if nonnegative else _principal(motion)
        weight /= np.abs(weight).max()
        weights[:, k] = weight
        correlation = weight @ frames - (weight @ weights[:, :k]) @ components[:k]
        near = 1 - support_maps(centre)
        square = float(weight @ weight)
        fitted = correlation.reshape(-1, 3) / square
        components[k] = (near[:, None] * fitted).ravel()
        # |R - w (s c)|^2 = |R|^2 - (2 s - s^2) |w|^2 |c|^2 for c = R'w / |w|^2
        explained = (2 * near - near**2) * square * np.einsum("nd,nd->n", fitted, fitted, dtype=np.float64)
        np.maximum(energy - explained, 0, out=energy)
    return components, weights


def _principal(motion: FloatArray) -> FloatArray:
    """(n_frames,) float32, along the direction in which the (n_frames, 3) motion is strongest; not zero."""
    direction = np.linalg.eigh(motion.astype(np.float64).T @ motion)[1][:, -1]
    direction *= np.sign(direction[np.argmax(np.abs(direction))])
    along: FloatArray = motion @ direction.astype(np.float32)
    return along


def _one_sided(weight: FloatArray) -> FloatArray:
    """The half of `weight` that keeps more after both are scaled to a largest value of 1, made positive."""
    halves = [np.maximum(weight, 0), np.maximum(-weight, 0)]
    norms = [np.linalg.norm(half) / max(float(half.max()), 1e-30) for half in halves]
    return halves[int(norms[1] > norms[0])]
