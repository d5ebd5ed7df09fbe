from __future__ import annotations

import numpy as np
import pytest

from synth_affect.blendshape.registration.rigid import (
    RigidMotion,
    fit_rigid,
    fit_rigid_robust,
    inverse,
    moved,
)
from synth_affect.errors import FitError, ShapeError
from tests.blendshape.registration.raw_scans import random_motion


def test_finds_the_motion_and_the_way_back() -> None:
    rng = np.random.default_rng(1)
    points, motion = rng.normal(0, 50, (9, 3)), random_motion(rng, angle_rad=3.0)
    found = fit_rigid(points, moved(motion, points))
    np.testing.assert_allclose(found.rotation, motion.rotation, atol=1e-12)
    np.testing.assert_allclose(found.translation, motion.translation, atol=1e-9)
    np.testing.assert_allclose(moved(inverse(found), moved(motion, points)), points, atol=1e-9)


def test_never_reflects() -> None:
    points = np.random.default_rng(2).normal(0, 50, (20, 3))
    assert np.linalg.det(fit_rigid(points, points * [-1, 1, 1]).rotation) == pytest.approx(1)
    flat = points * [1, 1, 1e-9]
    assert np.linalg.det(fit_rigid(flat, flat).rotation) == pytest.approx(1)


def test_weights_leave_points_out() -> None:
    rng = np.random.default_rng(3)
    points, motion = rng.normal(0, 50, (12, 3)), random_motion(rng)
    target = moved(motion, points)
    target[:4] += 30
    weights = np.array([0.0] * 4 + [1.0] * 8)
    np.testing.assert_allclose(fit_rigid(points, target, weights).rotation, motion.rotation, atol=1e-12)


def test_a_jaw_that_opens_does_not_turn_the_head() -> None:
    rng = np.random.default_rng(4)
    points, motion = rng.normal(0, 50, (400, 3)), random_motion(rng)
    jaw = points[:, 1] < -25
    target = moved(motion, points + np.where(jaw[:, None], [0, -20.0, -8.0], rng.normal(0, 0.2, (400, 3))))
    plain, robust = fit_rigid(points, target), fit_rigid_robust(points, target)
    still = moved(motion, points[~jaw])
    assert np.abs(moved(plain, points[~jaw]) - still).max() > 3
    assert np.abs(moved(robust, points[~jaw]) - still).max() < 0.2


def test_refuses_points_on_a_line_and_a_matrix_that_is_no_rotation() -> None:
    line = np.outer(np.arange(5.0), [1, 2, 3])
    with pytest.raises(FitError, match="not on one line"):
        fit_rigid(line, line)
    with pytest.raises(FitError, match="carry weight"):
        fit_rigid(line, line, np.zeros(5))
    with pytest.raises(ShapeError, match="a rotation"):
        RigidMotion(np.diag([1, 1, -1]), np.zeros(3))
