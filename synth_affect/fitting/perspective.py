"""The solver's view of the camera: a pose in which scale and distance are apart, and its derivatives.

`Camera` holds a focal length and a depth, of which landmarks see little more than the ratio. `HeadView` holds that
ratio (the scale, which a picture fixes well) and the distance (which it hardly does), so that a prior can be put on the
distance alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_affect.arrays import FloatArray
from synth_affect.heads.camera import HEAD_TO_CAMERA_AXES, Camera

N_VIEW = 7
"""Unknowns of a view: turn (3, radians about the camera's axes), shift (2, mm), log scale, log distance."""


@dataclass(frozen=True, slots=True, eq=False)
class HeadView:
    """How a head is seen.

    head_to_camera : (3, 3) float64, rotation from the head frame to the camera frame (x right, y down, z away).
    shift_mm : (2,) float64, x and y of the head's centre in the camera frame.
    log_scale : log of pixels per millimetre at the depth of the head's centre.
    log_distance : log of that depth in mm.
    """

    head_to_camera: FloatArray
    shift_mm: FloatArray
    log_scale: float
    log_distance: float


def project_view(view: HeadView, points_head: FloatArray) -> FloatArray:
    """(n, 2) float64, px from the principal point, of `points_head` (n, 3), mm from the head's centre; infinite behind
    the camera.
    """
    turned = points_head @ view.head_to_camera.T
    relative_depth = 1.0 + turned[:, 2] * np.exp(-view.log_distance)
    projected = np.full((len(points_head), 2), np.inf)
    seen = relative_depth > 0
    at_depth = turned[seen, :2] + view.shift_mm
    projected[seen] = np.exp(view.log_scale) * at_depth / relative_depth[seen, None]
    return projected


def project_view_with_derivatives(view: HeadView, points_head: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """`project_view` and its derivatives.

    Returns the points (n, 2) px; by the point in the head frame (n, 2, 3) px/mm; by the view's N_VIEW unknowns (n, 2,
    7), in the order of `moved`.
    """
    turned = points_head @ view.head_to_camera.T
    distance, scale = np.exp(view.log_distance), np.exp(view.log_scale)
    nearness = 1.0 / (1.0 + turned[:, 2] / distance)
    projected = scale * (turned[:, :2] + view.shift_mm) * nearness[:, None]

    n = len(points_head)
    by_turned = np.zeros((n, 2, 3))
    by_turned[:, 0, 0] = by_turned[:, 1, 1] = scale * nearness
    by_turned[:, :, 2] = projected * (-nearness / distance)[:, None]

    by_view = np.empty((n, 2, N_VIEW))
    # d(exp([a]x) q) / da = -[q]x, so the columns are the cross products of by_turned's rows: q x row.
    by_view[:, :, :3] = np.cross(turned[:, None, :], by_turned)
    by_view[:, :, 3:5] = by_turned[:, :, :2]
    by_view[:, :, 5] = projected
    by_view[:, :, 6] = projected * (nearness * turned[:, 2] / distance)[:, None]
    return projected, by_turned @ view.head_to_camera, by_view


def moved(view: HeadView, step: FloatArray) -> HeadView:
    """`view` after a step (7,): turn about the camera's axes (rad), shift (mm), log scale, log distance."""
    return HeadView(
        head_to_camera=turn(step[:3]) @ view.head_to_camera,
        shift_mm=view.shift_mm + step[3:5],
        log_scale=view.log_scale + float(step[5]),
        log_distance=view.log_distance + float(step[6]),
    )


def turn(axis_angle: FloatArray) -> FloatArray:
    """(3, 3) float64 rotation about the direction of `axis_angle` (3,) by its length in radians (Rodrigues)."""
    angle = float(np.linalg.norm(axis_angle))
    x, y, z = axis_angle
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    # sinc keeps both factors exact at a vanishing angle: np.sinc(t) = sin(pi t) / (pi t).
    first = np.sinc(angle / np.pi)
    second = 0.5 * np.sinc(angle / (2.0 * np.pi)) ** 2
    rotation: FloatArray = np.eye(3) + first * cross + second * (cross @ cross)
    return rotation


def camera_of_view(view: HeadView, centre_head: FloatArray, principal_point: FloatArray) -> Camera:
    """The `Camera` of a view whose points were measured from `centre_head` (3,), mm, head frame."""
    distance = np.exp(view.log_distance)
    # A product of many small turns drifts from orthonormality by rounding; the nearest rotation takes that back.
    u, _, vt = np.linalg.svd(view.head_to_camera)
    head_to_camera = u @ vt
    centre_camera = np.array([view.shift_mm[0], view.shift_mm[1], distance])
    return Camera(
        rotation=HEAD_TO_CAMERA_AXES.T @ head_to_camera,
        translation=centre_camera - head_to_camera @ centre_head,
        focal_px=float(np.exp(view.log_scale) * distance),
        principal_point=principal_point,
    )


def view_of_camera(camera: Camera, centre_head: FloatArray) -> HeadView:
    """The view that `camera_of_view` makes `camera` of."""
    head_to_camera = HEAD_TO_CAMERA_AXES @ camera.rotation
    centre_camera = camera.translation + head_to_camera @ centre_head
    log_distance = float(np.log(centre_camera[2]))
    return HeadView(head_to_camera, centre_camera[:2], float(np.log(camera.focal_px)) - log_distance, log_distance)
