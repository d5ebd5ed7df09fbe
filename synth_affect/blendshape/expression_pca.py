"""Principal components of expressions, from displacements that need not fit into memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_affect.arrays import FloatArray, readonly
from synth_affect.blendshape.displacement_blocks import DisplacementBlocks, Frames, look_through
from synth_affect.errors import FitError, InputError

SPARE = 16
"""Directions beyond those asked for, which make the last of them exact, too."""
PASSES = 4
"""Over the frames, each of which brings the subspace nearer to the principal one."""


@dataclass(frozen=True, slots=True, eq=False)
class ExpressionPca:
    """mean : (3 n_vertices,) float32, mm.  orthonormal_basis : (n_components, 3 n_vertices) float32, falling variance.

    variances : (n_components,) float64, mm^2.  total_variance : of all directions, mm^2.
    """

    mean: FloatArray
    orthonormal_basis: FloatArray
    variances: FloatArray
    total_variance: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", readonly(self.mean, "mean", ("d",), np.float32))
        shape = ("n_components", len(self.mean))
        basis = readonly(self.orthonormal_basis, "orthonormal_basis", shape, np.float32)
        object.__setattr__(self, "orthonormal_basis", basis)
        object.__setattr__(self, "variances", readonly(self.variances, "variances", (len(basis),), np.float64))

    def project(self, frames: FloatArray) -> FloatArray:
        """(n_frames, n_components) float32, mm: coefficients of (n_frames, n_vertices, 3) displacements."""
        flat = frames.reshape(len(frames), -1).astype(np.float32)
        coefficients: FloatArray = (flat - self.mean) @ self.orthonormal_basis.T
        return coefficients


def fit_pca(frames: Frames, n_vertices: int, n_components: int, *, memory_mib: int = 1024) -> ExpressionPca:
    """The `n_components` strongest directions, by subspace iteration (Halko, Martinsson, Tropp 2011, algorithm 4.4).

    frames : (n_frames, n_vertices, 3) mm, or what streams them; held in memory where `memory_mib` allow.
    Raises InputError for no more frames than components, FitError when the frames do not differ.
    """
    blocks = look_through(frames, n_vertices, memory_mib * 2**20)
    if blocks.n_frames <= n_components:
        raise InputError("components", f"{n_components} cannot be found in {blocks.n_frames} frames; more are needed")
    mean = np.zeros(3 * n_vertices)
    for block in blocks:
        mean += block.sum(axis=0, dtype=np.float64)
    mean /= blocks.n_frames
    total = float(blocks.vertex_energy.sum()) / blocks.n_frames - float(mean @ mean)
    if total <= 1e-9 * float(blocks.vertex_energy.sum()) / blocks.n_frames:
        raise FitError("no principal components: all frames are the same")
    centre = mean.astype(np.float32)
    width = min(n_components + SPARE, blocks.n_frames, 3 * n_vertices)
    if n_components > width:
        raise InputError("components", f"{n_components} cannot be found in {width} coordinates")
    start = np.random.default_rng(0).standard_normal((3 * n_vertices, width)).astype(np.float32)
    subspace = np.linalg.qr(start)[0]
    for _ in range(PASSES):
        subspace = np.linalg.qr(_covariance_times(blocks, centre, subspace))[0]
    small = (subspace.T @ _covariance_times(blocks, centre, subspace)).astype(np.float64)
    variances, turn = np.linalg.eigh((small + small.T) / 2)
    strongest = np.argsort(-variances, kind="stable")[:n_components]
    basis = (subspace @ turn[:, strongest].astype(np.float32)).T
    return ExpressionPca(centre, basis, np.maximum(variances[strongest], 0), total)


def _covariance_times(blocks: DisplacementBlocks, mean: FloatArray, subspace: FloatArray) -> FloatArray:
    product = np.zeros_like(subspace)
    for block in blocks:
        centred = block - mean
        product += centred.T @ (centred @ subspace)
    return product / np.float32(blocks.n_frames)
