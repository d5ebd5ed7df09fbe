"""The shared local components of a grid, from frames taken evenly from all cells."""

from __future__ import annotations

import numpy as np

from synth_affect.arrays import IntArray
from synth_affect.blendshape.gallery.store import Gallery
from synth_affect.blendshape.grid.cells import cell_of
from synth_affect.blendshape.grid.frames import evenly, n_different
from synth_affect.blendshape.sparse.components import SparseComponentEstimator, SparseComponents, SparseSettings

DEFAULT_COMPONENTS = 60
DICTIONARY_FRAMES = 3000
"""From which the components are made; evenly from all cells."""


def fit_dictionary(
    gallery: Gallery, rows: IntArray, n_components: int, memory_mib: int
) -> tuple[SparseComponents, float]:
    table = gallery.frames
    cells = cell_of(table.valence[rows], table.arousal[rows])
    share = max(1, DICTIONARY_FRAMES // max(1, n_different(cells)))
    picked = np.concatenate([evenly(rows[cells == cell], share) for cell in np.unique(cells)])
    if len(picked) < n_components:
        picked = rows
    settings = SparseSettings(n_components=n_components, memory_mib=memory_mib, constraint="two-sided")
    fit = SparseComponentEstimator(gallery.template, settings).fit(gallery.read(np.sort(picked)))
    return fit.components, fit.explained
