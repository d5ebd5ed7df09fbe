from __future__ import annotations

import numpy as np
import pytest

from synth_affect.fitting.perspective import HeadView, camera_of_view, moved, project_view, turn
from synth_affect.fitting.perspective import project_view_with_derivatives as reference
from synth_affect.fitting.photometric.view import (
    cameras_of,
    moved_views,
    project_views,
    projection_derivatives,
    sine_of_turn,
    stack_views,
    view_of_camera,
)
from synth_affect.heads.camera import Camera

torch = pytest.importorskip("torch")

VIEWS = [
    HeadView(turn(np.array([0.1, 2.9, -0.2])), np.array([3.0, -8.0]), np.log(0.9), np.log(900.0)),
    HeadView(turn(np.array([-0.4, 0.3, 0.6])), np.array([-20.0, 4.0]), np.log(2.5), np.log(420.0)),
]
POINTS = np.random.default_rng(0).uniform(-90, 90, (2, 25, 3))
STEP = np.array([[0.02, -0.3, 0.1, 2.0, -3.0, 0.1, -0.2], [0, 0, 0, 1.0, 0, 0, 0.1]])


def test_projection_derivatives_and_steps_are_those_of_the_landmark_solver() -> None:
    views = stack_views(VIEWS, torch.zeros(1, dtype=torch.float64))
    projected, depth = project_views(views, torch.tensor(POINTS))
    by_point, by_view = projection_derivatives(views, torch.tensor(POINTS))
    stepped, _ = project_views(moved_views(views, torch.tensor(STEP)), torch.tensor(POINTS))
    for index, view in enumerate(VIEWS):
        expected, expected_by_point, expected_by_view = reference(view, POINTS[index])
        np.testing.assert_allclose(projected[index], expected, rtol=1e-12)
        np.testing.assert_allclose(by_point[index], expected_by_point, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(by_view[index], expected_by_view, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(stepped[index], project_view(moved(view, STEP[index]), POINTS[index]), rtol=1e-10)
        turned = POINTS[index] @ view.head_to_camera.T
        np.testing.assert_allclose(depth[index], turned[:, 2] + np.exp(view.log_distance), rtol=1e-12)


def test_a_camera_survives_the_way_through_a_view() -> None:
    centre = np.array([1.0, -14.0, 60.0])
    cameras = [camera_of_view(view, centre, np.array([320.0, 200.0])) for view in VIEWS]
    views = stack_views([view_of_camera(camera, centre) for camera in cameras], torch.zeros(1, dtype=torch.float64))
    for back, camera in zip(
        cameras_of(views, centre, [camera.principal_point for camera in cameras]), cameras, strict=True
    ):
        np.testing.assert_allclose(back.rotation, camera.rotation, atol=1e-12)
        np.testing.assert_allclose(back.translation, camera.translation, rtol=1e-9, atol=1e-9)
        assert back.focal_px == pytest.approx(camera.focal_px, rel=1e-9)


def test_the_sine_of_a_turn_is_that_of_yaw_before_the_camera_and_counts_where_it_stands() -> None:
    yaw = 0.7
    rotation = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    straight = Camera(rotation, np.array([0.0, 0.0, 900.0]), 900.0, np.zeros(2))
    aside = Camera(np.eye(3), np.array([300.0, 0.0, 400.0]), 900.0, np.zeros(2))
    views = stack_views([view_of_camera(one, np.zeros(3)) for one in (straight, aside)], torch.zeros(1).double())
    np.testing.assert_allclose(sine_of_turn(views), [np.sin(yaw), 0.6], atol=1e-9)
