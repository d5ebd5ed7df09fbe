import numpy as np
import pytest

from synth_affect.fitting.perspective import (
    N_VIEW,
    HeadView,
    camera_of_view,
    moved,
    project_view,
    project_view_with_derivatives,
    turn,
)
from synth_affect.heads.camera import HEAD_TO_CAMERA_AXES, project


@pytest.fixture
def view() -> HeadView:
    rotation = turn(np.array([0.3, -0.8, 0.4]))
    return HeadView(HEAD_TO_CAMERA_AXES @ rotation, np.array([40.0, -25.0]), np.log(1.7), np.log(640.0))


@pytest.fixture
def points() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(30, 3)) * 60.0


def test_is_the_camera_it_turns_into(view: HeadView, points: np.ndarray) -> None:
    centre, principal_point = np.array([1.0, -20.0, 70.0]), np.array([250.0, 200.0])
    camera = camera_of_view(view, centre, principal_point)
    expected = project(camera, points + centre)
    np.testing.assert_allclose(project_view(view, points) + principal_point, expected[:, :2], atol=1e-9)
    assert camera.focal_px == pytest.approx(1.7 * 640.0)


def test_derivatives_are_those_of_central_differences(view: HeadView, points: np.ndarray) -> None:
    projected, by_point, by_view = project_view_with_derivatives(view, points)
    np.testing.assert_allclose(projected, project_view(view, points), atol=1e-10)
    h = 1e-5
    for axis in range(3):
        offset = np.eye(3)[axis] * h
        numeric = (project_view(view, points + offset) - project_view(view, points - offset)) / (2 * h)
        np.testing.assert_allclose(by_point[:, :, axis], numeric, rtol=1e-6, atol=1e-6)
    for unknown in range(N_VIEW):
        step = np.eye(N_VIEW)[unknown] * h
        numeric = (project_view(moved(view, step), points) - project_view(moved(view, -step), points)) / (2 * h)
        np.testing.assert_allclose(by_view[:, :, unknown], numeric, rtol=1e-6, atol=1e-5)


def test_a_turn_is_rodrigues() -> None:
    np.testing.assert_allclose(turn(np.array([0, 0, np.pi / 2])) @ [1, 0, 0], [0, 1, 0], atol=1e-15)
    np.testing.assert_array_equal(turn(np.zeros(3)), np.eye(3))
    axis_angle = np.array([1.1, -0.4, 2.0])
    rotation = turn(axis_angle)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-14)
    np.testing.assert_allclose(rotation @ axis_angle, axis_angle, atol=1e-14)
    assert np.trace(rotation) == pytest.approx(1 + 2 * np.cos(np.linalg.norm(axis_angle)))


def test_what_lies_behind_the_camera_is_infinitely_far(view: HeadView) -> None:
    behind = np.linalg.inv(view.head_to_camera) @ [0, 0, -700.0]
    assert np.isinf(project_view(view, behind[None])).all()
