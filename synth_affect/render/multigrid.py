"""Multigrid for a network of resistors on the pixels of a picture: which potentials a charge gives rise to.

The cells are the pixels of a mask, each joined to its neighbours, and to a potential of 0 where it is held. The grids
converge alone on simple masks; on thin, pierced or winding ones conjugate gradients mend what coarse cells miss.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from synth_affect.arrays import BoolArray, FloatArray
from synth_affect.errors import FitError

MAX_ITERATIONS = 100
"""A cap, not a setting: every mask that was tried, mazes and single held pixels among them, ended within ten."""

RIM_DISTANCE = 0.125
"""How much farther from the rim, in cells of the finer grid, a cell counts on the next coarser grid.

The centre of a coarse cell lies half a fine cell farther inside, but the bilinear corrections do not know where the rim
is; of 0, 1/8, 1/4 and 1/2 this converged fastest over squares, discs, mazes and random masks taken together.
"""

CHEBYSHEV = (np.float32(1.25 + 0.75 * np.sqrt(0.5)) ** -1, np.float32(1.25 - 0.75 * np.sqrt(0.5)) ** -1)
"""Relaxation factors of two Jacobi sweeps that damp the upper spectrum, [0.5, 2] of the scaled Laplacian, to 0.22."""

COARSEST_SIZE = 3
"""The grid that is this small in both directions is relaxed until it is solved."""

COARSEST_SWEEPS = 4
"""Pairs of sweeps on that grid."""

_ZERO, _ONE = np.float32(0), np.float32(1)


class Network(NamedTuple):
    """What is solved for, with one cell of frame around it, in which everything is 0.

    east, south : (height, width) float32, conductance to the next cell in that direction.
    held : (height, width) float32, conductance to a potential of 0.
    ends : (4,) bool, whether the picture ends at the top, bottom, left and right of the grid.
    """

    east: FloatArray
    south: FloatArray
    held: FloatArray
    ends: BoolArray


def add_potential(values: FloatArray, network: Network, charge: FloatArray, *, smallest_step: float) -> None:
    """Add to `values` the potential of `charge`, of which is left what the potential does not account for.

    values, charge : (channels, height, width) float32, both written to; the frames of charge are 0.
    smallest_step : it is found when a step changes no cell by more.

    By conjugate gradients, preconditioned by one V-cycle of multigrid. Raises FitError when they do not arrive.
    """
    grids = _grids(network, len(charge))
    finest = grids[0]
    step, pull, nothing = np.zeros_like(charge), np.zeros_like(charge), np.zeros_like(charge)
    energy, ones = np.zeros(len(charge)), np.ones(len(charge), dtype=np.float32)
    for _ in range(MAX_ITERATIONS):
        correction = _v_cycle(grids, 0, charge)
        previous, energy = energy, _dot(charge, correction)
        _mix(step, _ratio(energy, previous), correction, ones)
        _residual(pull, step, nothing, finest)
        length = _ratio(energy, -_dot(step, pull))
        _mix(values, ones, step, length)
        _mix(charge, ones, pull, length)
        if np.max(np.abs(length) * _largest(step)) <= smallest_step:
            return
    raise FitError(f"Poisson blending: no answer after {MAX_ITERATIONS} iterations")


class _Grid(NamedTuple):
    """One level: a network of resistors between cells, and the arrays in which the V-cycle works on it.

    east, south : (height, width) float32, conductance to the next cell in that direction.
    diagonal, inverse : (height, width) float32, sum of a cell's conductances, its inverse; both 0 outside the mask.
    ends : (4,) bool, whether the picture ends at the top, bottom, left and right of the grid.
    folds : (4,) bool, where a half coarse cell beyond that end has to be folded back.
    charge, first, second, rest : (channels, height, width) float32; their frames stay 0.
    """

    east: FloatArray
    south: FloatArray
    diagonal: FloatArray
    inverse: FloatArray
    ends: BoolArray
    folds: BoolArray
    charge: FloatArray
    first: FloatArray
    second: FloatArray
    rest: FloatArray


def _grids(network: Network, n_channels: int) -> list[_Grid]:
    east, south, held, ends = network
    grids = []
    while True:
        height, width = east.shape
        diagonal, inverse = _diagonal(east, south, held)
        # With an odd number of cells the last one has no partner in its coarse cell, hence no half beyond the end.
        folds = ends & [True, height % 2 == 0, True, width % 2 == 0]
        work = (np.zeros((n_channels, height, width), dtype=np.float32) for _ in range(4))
        grids.append(_Grid(east, south, diagonal, inverse, ends, folds, *work))
        if max(height, width) <= COARSEST_SIZE + 2:
            return grids
        east, south, held = _coarsened(east, south, held)


def _v_cycle(grids: list[_Grid], level: int, charge: FloatArray) -> FloatArray:
    """An approximate potential of `charge`; linear, symmetric and positive, as conjugate gradients need it.

    The result lives in the grid's work space until the next call.
    """
    grid = grids[level]
    now, other = grid.first, grid.second
    coarsest = level == len(grids) - 1
    early, late = CHEBYSHEV
    _relax_from_zero(now, charge, grid.inverse, early)
    _relax(other, now, charge, grid, late)
    now, other = other, now
    if coarsest:
        for factor in CHEBYSHEV * COARSEST_SWEEPS:
            _relax(other, now, charge, grid, factor)
            now, other = other, now
        return now
    _residual(grid.rest, now, charge, grid)
    coarser = grids[level + 1]
    _fold_frame(grid.rest, grid.folds)
    _restrict(coarser.charge, grid.rest, coarser.diagonal)
    correction = _v_cycle(grids, level + 1, coarser.charge)
    _fold_frame(correction, coarser.ends)
    _prolong(now, correction, grid.diagonal)
    _clear_frame(correction)
    for factor in (late, early):
        _relax(other, now, charge, grid, factor)
        now, other = other, now
    return now


def _relax(new: FloatArray, old: FloatArray, charge: FloatArray, grid: _Grid, factor: np.float32) -> None:
    """A Jacobi sweep: new = old + factor (charge - A old) / diagonal."""
    _combine(new, old, charge, grid.east, grid.south, grid.inverse, _ONE - factor, _ZERO, _ZERO, factor)


def _residual(rest: FloatArray, old: FloatArray, charge: FloatArray, grid: _Grid) -> None:
    """Rest = charge - A old."""
    _combine(rest, old, charge, grid.east, grid.south, grid.diagonal, _ZERO, -_ONE, _ONE, _ZERO)


def _ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Quotient a channel; 0 for a channel that has nothing left to solve."""
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0).astype(np.float32)


# The kernels below run over rows of plain arrays, without branches where it counts, so that they become vector code.


@njit(cache=True)  # type: ignore[untyped-decorator]
def _coarsened(east: FloatArray, south: FloatArray, held: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The network of 2 x 2 cells: two resistors side by side, twice as long, have the conductance of one."""
    height, width = east.shape
    coarse = ((height - 1) // 2 + 2, (width - 1) // 2 + 2)
    coarse_east = np.zeros(coarse, dtype=np.float32)
    coarse_south = np.zeros(coarse, dtype=np.float32)
    coarse_held = np.zeros(coarse, dtype=np.float32)
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            i, j = (y + 1) // 2, (x + 1) // 2
            coarse_held[i, j] += held[y, x] / (np.float32(1) + np.float32(RIM_DISTANCE) * held[y, x])
            if x % 2 == 0:
                coarse_east[i, j] += np.float32(0.5) * east[y, x]
            if y % 2 == 0:
                coarse_south[i, j] += np.float32(0.5) * south[y, x]
    return coarse_east, coarse_south, coarse_held


@njit(cache=True)  # type: ignore[untyped-decorator]
def _diagonal(east: FloatArray, south: FloatArray, held: FloatArray) -> tuple[FloatArray, FloatArray]:
    height, width = east.shape
    diagonal = np.zeros((height, width), dtype=np.float32)
    inverse = np.zeros((height, width), dtype=np.float32)
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            total = held[y, x] + east[y, x - 1] + east[y, x] + south[y - 1, x] + south[y, x]
            if total > 0:
                diagonal[y, x] = total
                inverse[y, x] = np.float32(1) / total
    return diagonal, inverse


@njit(cache=True)  # type: ignore[untyped-decorator]
def _relax_from_zero(new: FloatArray, charge: FloatArray, inverse: FloatArray, factor: float) -> None:
    """The Jacobi sweep of a potential that is 0 everywhere."""
    n_channels, height, width = new.shape
    for c in range(n_channels):
        for y in range(1, height - 1):
            out, row, weight = new[c, y], charge[c, y], inverse[y]
            for x in range(width):
                out[x] = factor * weight[x] * row[x]


@njit(cache=True)  # type: ignore[untyped-decorator]
def _combine(
    new: FloatArray,
    old: FloatArray,
    charge: FloatArray,
    east: FloatArray,
    south: FloatArray,
    weights: FloatArray,
    a: float,
    b: float,
    c: float,
    d: float,
) -> None:
    """New = (a + b weight) old + (c + d weight) pull, where pull = charge - A old + diagonal old.

    weights : (height, width).  a, b, c, d : float32. Its time is what it reads and writes: two kernels without the
    factors that are 0 are not faster.
    """
    n_channels, height, width = old.shape
    for channel in range(n_channels):
        values = old[channel]
        for y in range(1, height - 1):
            out, here, row = new[channel, y, 1 : width - 1], values[y, 1 : width - 1], charge[channel, y, 1 : width - 1]
            w, e = values[y, : width - 2], values[y, 2:]
            n, s = values[y - 1, 1 : width - 1], values[y + 1, 1 : width - 1]
            to_w, to_e = east[y, : width - 2], east[y, 1 : width - 1]
            to_n, to_s = south[y - 1, 1 : width - 1], south[y, 1 : width - 1]
            weight = weights[y, 1 : width - 1]
            for x in range(width - 2):
                pull = row[x] + to_w[x] * w[x] + to_e[x] * e[x] + to_n[x] * n[x] + to_s[x] * s[x]
                out[x] = (a + b * weight[x]) * here[x] + (c + d * weight[x]) * pull


@njit(cache=True)  # type: ignore[untyped-decorator]
def _restrict(coarse: FloatArray, fine: FloatArray, coarse_diagonal: FloatArray) -> None:
    """The transpose of `_prolong`: what the cells around a coarse cell have left, weighted by nearness."""
    n_channels, height, width = fine.shape
    coarse_height, coarse_width = coarse.shape[1:]
    near, far = np.float32(0.75), np.float32(0.25)
    column = np.zeros(2 * coarse_width + 1, dtype=np.float32)
    for c in range(n_channels):
        for i in range(1, coarse_height - 1):
            y = 2 * i - 1
            above, upper = fine[c, y - 1], fine[c, y]
            lower, below = fine[c, y + 1], fine[c, min(y + 2, height - 1)]
            last = far if y + 2 < height else np.float32(0)
            for x in range(width):
                column[x] = far * above[x] + near * (upper[x] + lower[x]) + last * below[x]
            out, weight = coarse[c, i], coarse_diagonal[i]
            for j in range(1, coarse_width - 1):
                value = far * (column[2 * j - 2] + column[2 * j + 1]) + near * (column[2 * j - 1] + column[2 * j])
                out[j] = value if weight[j] > 0 else np.float32(0)


@njit(cache=True)  # type: ignore[untyped-decorator]
def _prolong(fine: FloatArray, coarse: FloatArray, diagonal: FloatArray) -> None:
    """Add the bilinear interpolation of `coarse` to the cells of the mask: first along its rows, then between them."""
    n_channels, height, width = fine.shape
    coarse_height, coarse_width = coarse.shape[1:]
    near, far = np.float32(0.75), np.float32(0.25)
    stretched = np.zeros((coarse_height, 2 * coarse_width), dtype=np.float32)
    for c in range(n_channels):
        for i in range(coarse_height):
            row, out = coarse[c, i], stretched[i]
            for j in range(1, coarse_width - 1):
                out[2 * j - 1] = near * row[j] + far * row[j - 1]
                out[2 * j] = near * row[j] + far * row[j + 1]
        for y in range(1, height - 1):
            i = (y + 1) // 2
            this, other = stretched[i], stretched[i - 1 if y % 2 else i + 1]
            out, weight = fine[c, y], diagonal[y]
            for x in range(width):
                value = near * this[x] + far * other[x]
                out[x] += value if weight[x] > 0 else np.float32(0)


@njit(cache=True)  # type: ignore[untyped-decorator]
def _fold_frame(values: FloatArray, sides: BoolArray) -> None:
    """Copy the outermost cells to the frame on the chosen sides (top, bottom, left, right)."""
    n_channels, height, width = values.shape
    for c in range(n_channels):
        if sides[0]:
            values[c, 0] = values[c, 1]
        if sides[1]:
            values[c, height - 1] = values[c, height - 2]
        if sides[2]:
            values[c, :, 0] = values[c, :, 1]
        if sides[3]:
            values[c, :, width - 1] = values[c, :, width - 2]


@njit(cache=True)  # type: ignore[untyped-decorator]
def _clear_frame(values: FloatArray) -> None:
    n_channels, height, width = values.shape
    for c in range(n_channels):
        values[c, 0] = 0
        values[c, height - 1] = 0
        values[c, :, 0] = 0
        values[c, :, width - 1] = 0


@njit(cache=True)  # type: ignore[untyped-decorator]
def _dot(a: FloatArray, b: FloatArray) -> FloatArray:
    """(channels,) float64 inner products, summed in columns first: that is fast, and more precise than one long sum."""
    n_channels, height, width = a.shape
    products = np.zeros(n_channels, dtype=np.float64)
    for c in range(n_channels):
        columns = np.zeros(width, dtype=np.float32)
        for y in range(1, height - 1):
            first, second = a[c, y], b[c, y]
            for x in range(width):
                columns[x] += first[x] * second[x]
        for x in range(width):
            products[c] += columns[x]
    return products


@njit(cache=True)  # type: ignore[untyped-decorator]
def _largest(a: FloatArray) -> FloatArray:
    """(channels,) float32, largest magnitudes."""
    n_channels, height, width = a.shape
    largest = np.zeros(n_channels, dtype=np.float32)
    for c in range(n_channels):
        columns = np.zeros(width, dtype=np.float32)
        for y in range(1, height - 1):
            row = a[c, y]
            for x in range(width):
                columns[x] = max(columns[x], abs(row[x]))
        largest[c] = columns.max()
    return largest


@njit(cache=True)  # type: ignore[untyped-decorator]
def _mix(a: FloatArray, share: FloatArray, b: FloatArray, factor: FloatArray) -> None:
    """A = share a + factor b, of both one number a channel."""
    n_channels, height, width = a.shape
    for c in range(n_channels):
        kept, added = share[c], factor[c]
        for y in range(1, height - 1):
            out, row = a[c, y], b[c, y]
            for x in range(width):
                out[x] = kept * out[x] + added * row[x]
