"""Which vertex lies where another one's mirror image is."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

from synth_affect.arrays import FloatArray, IntArray

MOST_PAIRED = 2000
"""A search for the best pairs takes the cube of their count."""


def mirror_by_geometry(mean: FloatArray, part: IntArray, counterpart: IntArray) -> IntArray:
    """(n,) each vertex's counterpart in its own part or in that of the other side; itself where there is no clear one.

    mean : (n, 3) mm, symmetric about x = 0 but for small errors.  part : (n,) which part each vertex belongs to.
    counterpart : (n_parts,) the part on the other side; itself where a part lies on both.

    Nearest to its mirror image, where that holds both ways. Lashes are layers that share places: what is left over
    there is paired so that all come near to their own together.
    """
    mirror = np.arange(len(mean))
    flipped = mean * [-1, 1, 1]
    for index, other_index in enumerate(counterpart):
        mine, other = np.flatnonzero(part == index), np.flatnonzero(part == other_index)
        if other_index < index or not len(mine) or not len(other):
            continue
        there, back = _nearest(flipped[mine], mean[other]), _nearest(flipped[other], mean[mine])
        clear = back[there] == np.arange(len(mine))
        mirror[mine[clear]], mirror[other[there[clear]]] = other[there[clear]], mine[clear]
        ours, theirs = np.setdiff1d(mine, mine[clear]), np.setdiff1d(other, other[there[clear]])
        if len(ours) > MOST_PAIRED:
            continue
        rows, columns = linear_sum_assignment(cdist(flipped[ours], mean[theirs]))
        if other_index > index or (columns[columns] == rows).all():
            mirror[ours[rows]], mirror[theirs[columns]] = theirs[columns], ours[rows]
    return mirror


def _nearest(points: FloatArray, among: FloatArray) -> IntArray:
    nearest: IntArray = np.asarray(cKDTree(among).query(points)[1])
    return nearest
