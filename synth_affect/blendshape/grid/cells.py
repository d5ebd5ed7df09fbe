"""The cells of the valence-arousal plane, and values between them as combinations of theirs.

100 cells of 0.2 x 0.2 (Kollias et al. 2018, section 3.2).

Convention: row i of a table lies at arousal -0.9 + 0.2 i, column j at valence -0.9 + 0.2 j; tables are flattened row by
row. The origin, a corner of four cells, is no displacement.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from synth_affect.affect import ValenceArousal
from synth_affect.arrays import FloatArray, IntArray

CELLS_PER_SIDE = 10
N_CELLS = CELLS_PER_SIDE**2
CELL_WIDTH = 2 / CELLS_PER_SIDE

Lookup = Literal["continuous", "cell"]
"""Moving smoothly from cell to cell, or the cell itself, which is the paper's."""

BY_DIRECTION, BY_PLACE = 0.4, 0.6
"""Distances from neutral up to which the direction alone counts, and from which on the place does."""


def cell_of(valence: FloatArray, arousal: FloatArray) -> IntArray:
    """(n,) index of the cells of points (n,) in [-1, 1]; a border belongs to the cell above it."""
    column, row = (
        np.clip(np.floor((np.asarray(axis, dtype=np.float64) + 1) / CELL_WIDTH), 0, CELLS_PER_SIDE - 1).astype(np.intp)
        for axis in (valence, arousal)
    )
    cells: IntArray = row * CELLS_PER_SIDE + column
    return cells


def cell_centres() -> FloatArray:
    """(100, 2) float64: valence and arousal in the middle of each cell."""
    levels = (np.arange(CELLS_PER_SIDE) + 0.5) * CELL_WIDTH - 1
    arousal, valence = np.meshgrid(levels, levels, indexing="ij")
    return np.stack([valence.ravel(), arousal.ravel()], axis=1)


CENTRES = cell_centres()
RADII = np.hypot(*CENTRES.T)
"""Of the centres, their distances from neutral."""


def neighbours_of(cell: int) -> list[int]:
    """The two to four cells that share a side with it."""
    row, column = divmod(cell, CELLS_PER_SIDE)
    steps = ((-1, 0), (1, 0), (0, -1), (0, 1))
    return [
        (row + i) * CELLS_PER_SIDE + column + j
        for i, j in steps
        if 0 <= row + i < CELLS_PER_SIDE and 0 <= column + j < CELLS_PER_SIDE
    ]


def cell_factors(target: ValenceArousal, lookup: Lookup = "continuous") -> FloatArray:
    """(100,) float64: the value at `target` as a combination of the values of cells; all 0 at the origin.

    A value over its distance from neutral is what is interpolated, so that along a ray expressions grow evenly and die
    away at the origin. Near neutral it is that of the ray half way out: the few cells there each hold a quarter or an
    eighth of all directions, and the error of a label is as large as the label. Further out it is the place's own;
    from BY_PLACE on the centre of a cell has that cell's value, in both ways.
    """
    factors = np.zeros(N_CELLS)
    if target.intensity == 0:
        return factors
    if lookup == "cell":
        factors[cell_of(np.array([target.valence]), np.array([target.arousal]))] = 1
        return factors
    share = _smooth_step((target.intensity - BY_DIRECTION) / (BY_PLACE - BY_DIRECTION))
    if share < 1:
        half_way = (BY_DIRECTION + BY_PLACE) / 2 / target.intensity
        factors += (1 - share) * place_factors(half_way * target.valence, half_way * target.arousal)
    if share > 0:
        factors += share * place_factors(target.valence, target.arousal)
    return np.asarray(target.intensity * factors / RADII)


def place_factors(valence: float, arousal: float) -> FloatArray:
    """(100,) float64: a table's value at a place as a combination of those at the centres, by cubic convolution.

    Source: Keys 1981, a = -1/2.
    """
    table = np.zeros((CELLS_PER_SIDE, CELLS_PER_SIDE))
    (rows, along_rows), (columns, along_columns) = (_along(axis) for axis in (arousal, valence))
    np.add.at(table, np.ix_(rows, columns), np.outer(along_rows, along_columns))
    return table.ravel()


def _along(level: float) -> tuple[IntArray, FloatArray]:
    """The four cells along an axis, and their factors; beyond the last centre the last cell goes on."""
    place = (level + 1) / CELL_WIDTH - 0.5
    first = math.floor(place)
    return np.clip(np.arange(first - 1, first + 3), 0, CELLS_PER_SIDE - 1), _cubic(place - first)


def _cubic(t: float) -> FloatArray:
    """Factors of four neighbours for a place between the two in the middle, t in [0, 1]."""
    return 0.5 * np.array(
        [
            -t + 2 * t**2 - t**3,
            2 - 5 * t**2 + 3 * t**3,
            t + 4 * t**2 - 3 * t**3,
            -(t**2) + t**3,
        ]
    )


def _smooth_step(t: float) -> float:
    t = min(max(t, 0.0), 1.0)
    return t * t * (3 - 2 * t)
