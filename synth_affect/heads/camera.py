"""The perspective camera that sees a head, and the frames between which it stands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_affect.arrays import FloatArray, readonly

HEAD_TO_CAMERA_AXES = np.diag([1.0, -1.0, -1.0])
"""Turns axes of the head frame (x right, y up, z to the viewer) into those of the camera (x right, y down, z away)."""


@dataclass(frozen=True, slots=True, eq=False)
class Camera:
    """Where the head stands before the camera, and how the camera projects.

    rotation : (3, 3) float64, head pose in the head frame's axes; the identity looks straight into the camera.
    translation : (3,) float64, mm, position of the head frame's origin in the camera frame; translation[2] > 0.
    focal_px : focal length in pixels, one for both axes.
    principal_point : (2,) float64, pixels (x, y), where the optical axis meets the picture.

    Convention: points_camera = HEAD_TO_CAMERA_AXES @ rotation @ point_head + translation;
    x_px = focal_px * x / z + principal_point[0], y_px likewise. Pixel (row, column) covers [column, column + 1) x
    [row, row + 1), so its centre is (column + 0.5, row + 0.5).
    With rotation I, translation (0, 0, 600), focal 1200, principal point (256, 256), the head point (10, 20, 0) mm is
    seen at (276, 216) px at a depth of 600 mm.
    """

    rotation: FloatArray
    translation: FloatArray
    focal_px: float
    principal_point: FloatArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "rotation", readonly(self.rotation, "rotation", (3, 3), np.float64))
        object.__setattr__(self, "translation", readonly(self.translation, "translation", (3,), np.float64))
        object.__setattr__(self, "principal_point", readonly(self.principal_point, "principal_point", (2,), np.float64))
        object.__setattr__(self, "focal_px", float(self.focal_px))


@dataclass(frozen=True, slots=True)
class ImageSize:
    """height, width : pixels."""

    height: int
    width: int


def to_camera(camera: Camera, points_head: FloatArray) -> FloatArray:
    """(..., 3) points of the head frame (mm) in the camera frame (mm)."""
    turned = points_head @ (HEAD_TO_CAMERA_AXES @ camera.rotation).T.astype(points_head.dtype)
    return turned + camera.translation.astype(points_head.dtype)


def project(camera: Camera, points_head: FloatArray) -> FloatArray:
    """(..., 3) points of the head frame (mm) as (x px, y px, depth mm) in the picture."""
    points = to_camera(camera, points_head)
    depth = points[..., 2:3]
    pixels = camera.focal_px * points[..., :2] / depth + camera.principal_point.astype(points.dtype)
    return np.concatenate([pixels, depth], axis=-1)


def yaw_pitch_roll(camera: Camera) -> tuple[float, float, float]:
    """The head pose as angles in radians: rotation = R_z(roll) @ R_y(yaw) @ R_x(pitch).

    yaw > 0 turns the face to the right of the picture, pitch > 0 turns it down, roll > 0 turns the top of the head
    towards the left of the picture (counter-clockwise).
    """
    r = camera.rotation
    yaw = float(np.arcsin(np.clip(-r[2, 0], -1.0, 1.0)))
    pitch = float(np.arctan2(r[2, 1], r[2, 2]))
    roll = float(np.arctan2(r[1, 0], r[0, 0]))
    return yaw, pitch, roll
