"""Tables over the cells, smoothed between neighbours; cells that know nothing are filled from around."""

from __future__ import annotations

import numpy as np

from synth_affect.arrays import BoolArray, FloatArray, IntArray
from synth_affect.blendshape.grid.affect_grid import CELL_WIDTH, CENTRES, N_CELLS, RADII
from synth_affect.blendshape.grid.agreement import neighbours_of
from synth_affect.blendshape.sparse.components import SparseComponents

SMOOTHING_ALONG, SMOOTHING_ACROSS, EVENING = 3.5, 0.4, 12
"""What differences between neighbours count along a ray and across, against the cell's own value; and how often these
are weighted anew. With them no vertex of the packaged grid's paths moves more than twice its usual step."""


def smoothed(values: FloatArray, known: BoolArray, components: SparseComponents) -> FloatArray:
    """(100, k) float32: weights near their own, and over the distance from neutral near their neighbours'.

    known : (100,) cells that have values; the others come from their neighbours alone.
    Where neighbours differ much they are drawn together more: a change of family is spread over several cells, as the
    minimum of a higher power of the differences spreads it, found by iterated reweighting.
    """
    offsets = components.offsets.reshape(len(components.offsets), -1)
    first, second, along, at_distance = _edges()
    trust = np.where(known, np.square(RADII), 0)
    own = trust[:, None] * np.where(known[:, None], values / RADII[:, None], 0)
    stiffness = at_distance * (SMOOTHING_ALONG * along + SMOOTHING_ACROSS * (1 - along))
    stretch = np.ones(len(first))
    for _ in range(EVENING):
        field = np.linalg.solve(np.diag(trust) + _laplacian(first, second, stiffness * stretch), own)
        differences = ((field[first] - field[second]).astype(np.float32) @ offsets).reshape(len(first), -1, 3)
        lengths = np.linalg.norm(differences, axis=2).max(axis=1) * np.sqrt(at_distance)
        relative = lengths / max(float(lengths.mean()), 1e-9)
        stretch = np.sqrt(stretch * np.clip(np.square(relative), 0.05, 20))
    smooth: FloatArray = (field * RADII[:, None]).astype(np.float32)
    return smooth


def filled(values: FloatArray, known: BoolArray) -> FloatArray:
    """(100, k) float32: `values`, and for cells that are not known what lies evenly between those that are."""
    first, second, _, at_distance = _edges()
    laplacian = _laplacian(first, second, at_distance)
    over_radius = np.where(known[:, None], values / RADII[:, None], 0)
    free = np.flatnonzero(~known)
    from_known = laplacian[np.ix_(free, np.flatnonzero(known))] @ over_radius[known]
    over_radius[free] = np.linalg.solve(laplacian[np.ix_(free, free)], -from_known)
    filled: FloatArray = (over_radius * RADII[:, None]).astype(np.float32)
    return filled


def _edges() -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
    """Of all pairs of neighbours: both cells, the squared cosine between what joins them and the ray, and the squared
    distance from neutral, with which differences of values over the distance are in mm, as the errors are.
    """
    pairs = [(cell, other) for cell in range(N_CELLS) for other in neighbours_of(cell) if cell < other]
    first, second = np.array(pairs).T
    between, middle = CENTRES[second] - CENTRES[first], (CENTRES[second] + CENTRES[first]) / 2
    at_distance = np.square(middle).sum(axis=1)
    sizes = np.square(between).sum(axis=1) * at_distance
    along = np.square((between * middle).sum(axis=1)) / np.where(sizes > 0, sizes, 1)
    # Across the origin, where a distance of nothing would leave a cell alone.
    return first, second, along, np.maximum(at_distance, (CELL_WIDTH / 2) ** 2)


def _laplacian(first: IntArray, second: IntArray, weights: FloatArray) -> FloatArray:
    form = np.zeros((N_CELLS, N_CELLS))
    np.add.at(form, (first, second), -weights)
    form += form.T
    form[np.diag_indices(N_CELLS)] = -form.sum(axis=1)
    return form
