from __future__ import annotations

import numpy as np

from synth_affect.heads.mirror import mirror_by_geometry


def test_pairs_midline_and_parts_of_both_sides() -> None:
    right = np.array([[-10.0, 0, 0], [-10, 5, 0], [-4, 1, 2]])
    middle = np.array([[0.0, 3, 1]])
    mean = np.concatenate([right, middle, right[::-1] * [-1, 1, 1] + 0.01])
    one_part = mirror_by_geometry(mean, np.zeros(7, int), np.zeros(1, int))
    np.testing.assert_array_equal(one_part, [6, 5, 4, 3, 2, 1, 0])
    part = np.array([0, 0, 0, 1, 2, 2, 2])
    np.testing.assert_array_equal(mirror_by_geometry(mean, part, np.array([2, 1, 0])), one_part)
    # Where the other side is another part, nothing crosses over.
    np.testing.assert_array_equal(mirror_by_geometry(mean, part, np.arange(3))[3], 3)


def test_it_is_its_own_inverse_on_points_without_symmetry() -> None:
    mean = np.random.default_rng(1).normal(0, 10, (60, 3))
    mirror = mirror_by_geometry(mean, np.zeros(60, int), np.zeros(1, int))
    np.testing.assert_array_equal(mirror[mirror], np.arange(60))
