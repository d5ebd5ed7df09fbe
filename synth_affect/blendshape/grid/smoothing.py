"""Tables over the cells, smoothed between neighbours; cells that know nothing are filled from around.

What is smoothed is a value over its distance from neutral: along a ray it stays, round the origin it turns.
"""

from __future__ import annotations

import itertools
import math

import numpy as np

from synth_affect.arrays import BoolArray, FloatArray
from synth_affect.blendshape.grid.cells import CELL_WIDTH, CENTRES, N_CELLS, RADII, neighbours_of, place_factors
from synth_affect.blendshape.sparse.components import SparseComponents

SMOOTHING_ALONG, SMOOTHING_ROUND, EVENING = 8.0, 0.1, 20
"""What changes along a ray and round the origin count, against the cell's own value; and how often the latter are
weighted anew. With them no vertex of the packaged grid's paths moves more than twice its usual step."""
ROUND_RADII, ROUND_STEP = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2), 0.15
"""Circles round the origin on which changes are looked at, and the length of these."""


def smoothed(values: FloatArray, known: BoolArray, components: SparseComponents) -> FloatArray:
    """(100, k) float32: weights near their own, that change little along rays and evenly round the origin.

    known : (100,) cells that have values; the others come from their neighbours alone.
    Round the origin what counts is the vertex that moves most, and steps that are larger than others on their circle
    count more: a change of family is spread over several cells, as the minimum of the sixth power of the steps spreads
    it, found by iterated reweighting.
    """
    offsets = components.offsets.reshape(len(components.offsets), -1)
    trust = np.where(known, np.square(RADII), 0)
    own = trust[:, None] * np.where(known[:, None], values / RADII[:, None], 0)
    along, (turns, at_radius) = _along_rays(), _round_origin()
    # The last term is for a plane of which most is not known.
    fixed = np.diag(trust) + SMOOTHING_ALONG * along.T @ along + 1e-6 * np.eye(N_CELLS)
    circle = np.unique(at_radius, return_inverse=True)[1]
    stretch = np.ones(len(turns))
    for _ in range(EVENING):
        scaled = turns * (at_radius * np.sqrt(stretch))[:, None]
        field = np.linalg.solve(fixed + SMOOTHING_ROUND * scaled.T @ scaled, own)
        steps = ((turns @ field).astype(np.float32) @ offsets).reshape(len(turns), -1, 3)
        lengths = np.linalg.norm(steps, axis=2).max(axis=1)
        usual = np.bincount(circle, lengths) / np.bincount(circle)
        relative = lengths / np.maximum(usual, 1e-9)[circle]
        stretch = np.sqrt(stretch * np.clip(relative**4, 0.02, 1000))
    smooth: FloatArray = (field * RADII[:, None]).astype(np.float32)
    return smooth


def _along_rays() -> FloatArray:
    """(n, 100): times a table, each cell's difference to one width further in and further out, at its distance."""
    rows = []
    for cell in range(N_CELLS):
        for step in (-CELL_WIDTH, CELL_WIDTH):
            there = CENTRES[cell] * (1 + step / RADII[cell])
            if RADII[cell] + step > 0 and np.abs(there).max() <= np.abs(CENTRES).max():
                row = -place_factors(*there)
                row[cell] += 1
                rows.append(RADII[cell] * row)
    return np.array(rows)


def _round_origin() -> tuple[FloatArray, FloatArray]:
    """(n, 100): times a table, its changes from step to step on circles; (n,) their radii."""
    rows, radii = [], []
    for radius in ROUND_RADII:
        n_steps = round(math.tau * radius / ROUND_STEP)
        angles = np.linspace(0, math.tau, n_steps + 1)
        places = radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        for one, other in itertools.pairwise(places):
            if max(np.abs(one).max(), np.abs(other).max()) <= 1 + 1e-9:
                rows.append(place_factors(*other) - place_factors(*one))
                radii.append(radius)
    return np.array(rows), np.array(radii)


def filled(values: FloatArray, known: BoolArray) -> FloatArray:
    """(100, k) float32: `values`, and for cells that are not known what lies evenly between those that are."""
    laplacian = _laplacian()
    over_radius = np.where(known[:, None], values / RADII[:, None], 0)
    free = np.flatnonzero(~known)
    from_known = laplacian[np.ix_(free, np.flatnonzero(known))] @ over_radius[known]
    over_radius[free] = np.linalg.solve(laplacian[np.ix_(free, free)], -from_known)
    full: FloatArray = (over_radius * RADII[:, None]).astype(np.float32)
    return full


def _laplacian() -> FloatArray:
    """(100, 100): of the graph of neighbours, by the squared distance from neutral, as differences over it count."""
    form = np.zeros((N_CELLS, N_CELLS))
    for cell in range(N_CELLS):
        for other in neighbours_of(cell):
            middle = (CENTRES[cell] + CENTRES[other]) / 2
            # Across the origin, where a distance of nothing would leave a cell alone.
            form[cell, other] = -max(float(middle @ middle), (CELL_WIDTH / 2) ** 2)
    form[np.diag_indices(N_CELLS)] = -form.sum(axis=1)
    return form
