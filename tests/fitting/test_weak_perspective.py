import numpy as np
import pytest

from synth_affect.errors import FitError
from synth_affect.fitting.perspective import turn
from synth_affect.fitting.weak_perspective import weak_perspective


@pytest.fixture
def points() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(80, 3)) * [60.0, 80.0, 25.0]


@pytest.mark.parametrize("roll", np.linspace(-np.pi, np.pi, 7))
@pytest.mark.parametrize("yaw", [-1.0, 0.0, 1.0])
def test_finds_the_pose_it_was_projected_with(points: np.ndarray, roll: float, yaw: float) -> None:
    rotation = turn(np.array([0, 0, roll])) @ turn(np.array([0, yaw, 0])) @ np.diag([1.0, -1.0, -1.0])
    image = 2.5 * (points @ rotation.T)[:, :2] + [300, 120]
    pose = weak_perspective(points, image, np.ones(len(points)))
    assert pose.scale == pytest.approx(2.5)
    np.testing.assert_allclose(pose.head_to_camera, rotation, atol=1e-6)
    np.testing.assert_allclose(pose.offset, [300, 120], atol=1e-5)


def test_a_sixth_of_wrong_points_does_not_turn_it(points: np.ndarray) -> None:
    rng = np.random.default_rng(2)
    rotation = turn(np.array([0.2, 0.5, 0.1])) @ np.diag([1.0, -1.0, -1.0])
    image = 2.5 * (points @ rotation.T)[:, :2] + rng.normal(size=(80, 2))
    image[::6] += rng.uniform(-300, 300, size=image[::6].shape)
    pose = weak_perspective(points, image, np.ones(len(points)))
    angle = np.arccos((np.trace(pose.head_to_camera @ rotation.T) - 1) / 2)
    assert np.degrees(angle) < 1.0


def test_points_without_weight_do_not_count(points: np.ndarray) -> None:
    image = points[:, :2] * [1, -1]
    weights = np.ones(80)
    weights[40:] = 0
    wrong = image.copy()
    wrong[40:] = 1e4
    np.testing.assert_allclose(
        weak_perspective(points, wrong, weights).head_to_camera, np.diag([1.0, -1.0, -1.0]), atol=1e-6
    )


def test_refuses_what_has_no_pose(points: np.ndarray) -> None:
    ones = np.ones(len(points))
    line = np.column_stack([np.arange(80.0), 3 * np.arange(80.0)])
    with pytest.raises(FitError, match="on one line"):
        weak_perspective(points, line, ones)
    with pytest.raises(FitError, match="on one line"):
        weak_perspective(points, np.full((80, 2), 7.0), ones)
    with pytest.raises(FitError, match="in one plane"):
        weak_perspective(points * [1, 1, 0], points[:, :2], ones)
    with pytest.raises(FitError, match="2 landmarks are too few"):
        weak_perspective(points, points[:, :2], (np.arange(80) < 2).astype(float))
