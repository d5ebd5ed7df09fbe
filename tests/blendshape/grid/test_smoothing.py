from __future__ import annotations

import math

import numpy as np
import pytest

from synth_affect.affect import ValenceArousal
from synth_affect.blendshape.grid.cells import CENTRES, N_CELLS, RADII, cell_factors
from synth_affect.blendshape.grid.smoothing import filled, smoothed
from synth_affect.blendshape.sparse.components import SparseComponents

ANGLES = np.arctan2(CENTRES[:, 1], CENTRES[:, 0])
ALL = np.ones(N_CELLS, dtype=np.bool_)


@pytest.fixture(scope="module")
def components() -> SparseComponents:
    """Two, each of which moves a vertex of its own by 1 mm along x."""
    offsets = np.zeros((2, 3, 3), dtype=np.float32)
    offsets[[0, 1], [0, 1], 0] = 1
    return SparseComponents(offsets, "two-sided", np.array([0, 1]), np.ones(2, dtype=np.float32), "any")


def round_plane(table: np.ndarray, radius: float = 0.8) -> np.ndarray:
    angles = np.linspace(-math.pi, math.pi, 73)
    points = [ValenceArousal(radius * math.cos(a), radius * math.sin(a)) for a in angles]
    return np.array([cell_factors(point) @ table for point in points])


def test_what_turns_evenly_and_grows_along_rays_stays(components: SparseComponents) -> None:
    table = RADII[:, None] * np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)
    smooth = smoothed(table, ALL, components)
    outer = RADII > 0.5
    np.testing.assert_allclose(smooth[outer], table[outer], atol=0.1)


def test_a_jump_round_the_plane_is_spread_and_the_rest_is_kept(components: SparseComponents) -> None:
    table = RADII[:, None] * np.stack([ANGLES > 0, ANGLES <= 0], axis=1)
    before, after = (round_plane(t) for t in (table, smoothed(table, ALL, components)))
    largest_before, largest_after = (np.abs(np.diff(path, axis=0)).max() for path in (before, after))
    assert largest_after < largest_before / 2
    middle_of_the_upper_half = after[54]
    assert middle_of_the_upper_half[0] > 0.9 * 0.8


def test_noise_between_cells_of_a_ray_is_taken_out(components: SparseComponents) -> None:
    clean = RADII[:, None] * np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)
    noise = 0.1 * np.random.default_rng(0).standard_normal(clean.shape)
    left = smoothed(clean + noise, ALL, components) - smoothed(clean, ALL, components)
    assert left.std() < 0.6 * noise.std()


def test_cells_that_know_nothing_are_filled(components: SparseComponents) -> None:
    table = RADII[:, None] * np.ones((1, 2))
    known = RADII > 0.3
    for full in (smoothed(np.where(known[:, None], table, 99), known, components),
                 filled(np.where(known[:, None], table, 99), known)):  # fmt: skip
        np.testing.assert_allclose(full, table, atol=1e-3)
