from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from synth_affect.errors import ShapeError
from synth_affect.heads.camera import Camera, project, to_camera, yaw_pitch_roll

NOSE, CROWN = np.array([0.0, 0.0, 100.0]), np.array([0.0, 100.0, 0.0])


def camera(yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> Camera:
    """Turned as the docstring of `yaw_pitch_roll` says: R_z(roll) @ R_y(yaw) @ R_x(pitch)."""
    turned = Rotation.from_euler("z", roll) * Rotation.from_euler("y", yaw) * Rotation.from_euler("x", pitch)
    return Camera(turned.as_matrix(), np.array([0.0, 0.0, 600.0]), 1200.0, np.array([256.0, 256.0]))


def test_the_worked_number_of_the_convention() -> None:
    np.testing.assert_allclose(project(camera(), np.array([10.0, 20.0, 0.0])), [276.0, 216.0, 600.0], rtol=1e-12)


def test_what_is_nearer_to_the_viewer_has_less_depth_and_is_larger() -> None:
    near, far = project(camera(), np.array([[10.0, 0.0, 100.0], [10.0, 0.0, -100.0]]))
    assert (near[2], far[2]) == (500.0, 700.0)
    assert near[0] - 256.0 == pytest.approx(1200.0 * 10 / 500)
    assert far[0] - 256.0 == pytest.approx(1200.0 * 10 / 700)


def test_the_translation_is_the_place_of_the_origin_in_the_camera_frame() -> None:
    seen = Camera(
        Rotation.from_euler("xyz", [0.3, 0.2, 0.1]).as_matrix(),
        np.array([30.0, -40.0, 800.0]),
        1000.0,
        np.array([320.0, 240.0]),
    )
    np.testing.assert_allclose(to_camera(seen, np.zeros(3)), [30.0, -40.0, 800.0])
    np.testing.assert_allclose(project(seen, np.zeros(3)), [320.0 + 37.5, 240.0 - 50.0, 800.0])


def test_a_positive_yaw_turns_the_face_to_the_right_of_the_picture() -> None:
    x, y, _ = project(camera(yaw=0.3), NOSE)
    assert x > 256 + 30
    assert y == pytest.approx(256)


def test_a_positive_pitch_turns_the_face_down() -> None:
    x, y, _ = project(camera(pitch=0.3), NOSE)
    assert y > 256 + 30
    assert x == pytest.approx(256)


def test_a_positive_roll_turns_the_crown_to_the_left_of_the_picture() -> None:
    x, y, depth = project(camera(roll=0.3), CROWN)
    assert x < 256 - 30
    assert y < 256
    assert depth == pytest.approx(600)


@pytest.mark.parametrize(
    "angles", [(0, 0, 0), (0.5, 0, 0), (0, -0.6, 0), (0, 0, 1.2), (-1.0, 0.4, -0.7), (0.9, -0.9, 3.0)]
)
def test_angles_come_back(angles: tuple[float, float, float]) -> None:
    np.testing.assert_allclose(yaw_pitch_roll(camera(*angles)), angles, atol=1e-12)


def test_a_rounded_rotation_of_a_full_profile_still_has_an_angle() -> None:
    profile = camera(yaw=np.pi / 2).rotation.copy()
    profile[2, 0] = -1.0000001
    yaw, _, _ = yaw_pitch_roll(Camera(profile, np.array([0, 0, 600]), 1000, np.array([0, 0])))
    assert yaw == pytest.approx(np.pi / 2)


def test_points_come_back_from_the_picture() -> None:
    seen = camera(0.4, -0.2, 0.1)
    points = np.random.default_rng(0).normal(0, 60, (5, 7, 3))
    projected = project(seen, points)
    assert projected.shape == (5, 7, 3)
    depth = projected[..., 2:]
    in_camera = np.concatenate([(projected[..., :2] - seen.principal_point) / seen.focal_px * depth, depth], axis=-1)
    from_camera = (in_camera - seen.translation) * [1, -1, -1] @ seen.rotation
    np.testing.assert_allclose(from_camera, points, atol=1e-10)


def test_keeps_the_precision_of_the_points() -> None:
    assert project(camera(), NOSE.astype(np.float32)).dtype == np.float32
    assert project(camera(), NOSE).dtype == np.float64


def test_wrong_parts_are_refused() -> None:
    with pytest.raises(ShapeError, match="rotation"):
        Camera(np.eye(4), np.array([0, 0, 600]), 1000, np.array([0, 0]))
    with pytest.raises(ShapeError, match="translation: expected finite numbers"):
        Camera(np.eye(3), np.array([0, 0, np.nan]), 1000, np.array([0, 0]))
    with pytest.raises(ShapeError, match="principal_point"):
        Camera(np.eye(3), np.array([0, 0, 600]), 1000, np.array([0, 0, 1]))
