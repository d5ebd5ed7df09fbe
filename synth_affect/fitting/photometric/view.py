"""`HeadView` for a batch, as tensors: poses in which scale and distance are apart, and what they do to points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synth_affect.arrays import FloatArray
from synth_affect.fitting.perspective import HeadView, camera_of_view
from synth_affect.fitting.photometric.device import EXTRA
from synth_affect.heads.camera import HEAD_TO_CAMERA_AXES, Camera
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Views:
    """See `HeadView`. head_to_camera (batch, 3, 3); shift_mm (batch, 2); log_scale, log_distance (batch,)."""

    head_to_camera: Tensor
    shift_mm: Tensor
    log_scale: Tensor
    log_distance: Tensor


def view_of_camera(camera: Camera, centre: FloatArray) -> HeadView:
    """The view of a camera, with points counted from `centre` (3,), mm, head frame."""
    head_to_camera = HEAD_TO_CAMERA_AXES @ camera.rotation
    at = head_to_camera @ centre + camera.translation
    return HeadView(head_to_camera, at[:2], float(np.log(camera.focal_px / at[2])), float(np.log(at[2])))


def stack_views(views: Sequence[HeadView], like: Tensor) -> Views:
    """A batch of views, in the dtype and on the device of `like`."""

    def stacked(values: Sequence[FloatArray | float]) -> Tensor:
        made: Tensor = like.new_tensor(np.array(values).tolist())
        return made

    return Views(
        stacked([view.head_to_camera for view in views]),
        stacked([view.shift_mm for view in views]),
        stacked([view.log_scale for view in views]),
        stacked([view.log_distance for view in views]),
    )


def cameras_of(views: Views, centre: FloatArray, principal_points: Sequence[FloatArray]) -> list[Camera]:
    """The cameras of a batch of views."""
    columns = [
        values.detach().cpu().double().numpy()
        for values in (views.head_to_camera, views.shift_mm, views.log_scale, views.log_distance)
    ]
    return [
        camera_of_view(HeadView(turned, shift, float(scale), float(distance)), centre, principal_point)
        for turned, shift, scale, distance, principal_point in zip(*columns, principal_points, strict=True)
    ]


def project_views(views: Views, points: Tensor) -> tuple[Tensor, Tensor]:
    """(batch, n, 2) px from the principal point, and depth (batch, n) mm, of points (batch, n, 3), mm from the head's
    centre.
    """
    turned = points @ views.head_to_camera.transpose(1, 2)
    distance = views.log_distance.exp()[:, None]
    depth = turned[..., 2] + distance
    at_depth = turned[..., :2] + views.shift_mm[:, None]
    return (views.log_scale.exp()[:, None] * distance / depth)[..., None] * at_depth, depth


def sine_of_turn(views: Views) -> Tensor:
    """(batch,), of the angle between where the face looks and where the camera is: 0 frontal, 1 a profile."""
    torch = import_optional("torch", EXTRA)
    to_face = torch.cat([views.shift_mm, views.log_distance.exp()[:, None]], dim=1)
    made: Tensor = torch.linalg.cross(views.head_to_camera[:, :, 2], to_face).norm(dim=-1) / to_face.norm(dim=-1)
    return made


def projection_derivatives(views: Views, points: Tensor) -> tuple[Tensor, Tensor]:
    """Of `project_views`: by the point in the head frame (batch, n, 2, 3), px/mm, and by the view (batch, n, 2, 7), in
    the order of `moved_views`.
    """
    torch = import_optional("torch", EXTRA)
    turned = points @ views.head_to_camera.transpose(1, 2)
    distance = views.log_distance.exp()[:, None]
    nearness = distance / (turned[..., 2] + distance)
    factor = views.log_scale.exp()[:, None] * nearness
    projected = factor[..., None] * (turned[..., :2] + views.shift_mm[:, None])
    by_depth = -projected * (nearness / distance)[..., None]
    none = torch.zeros_like(factor)
    by_turned = torch.stack(
        [torch.stack([factor, none, by_depth[..., 0]], -1), torch.stack([none, factor, by_depth[..., 1]], -1)], -2
    )
    # d(exp([a]x) q) / da = -[q]x, so the columns are the cross products of by_turned's rows: q x row.
    by_turn = torch.linalg.cross(turned[..., None, :].expand_as(by_turned), by_turned)
    by_distance = projected * (nearness * turned[..., 2] / distance)[..., None]
    by_view = torch.cat([by_turn, by_turned[..., :2], projected[..., None], by_distance[..., None]], -1)
    return by_turned @ views.head_to_camera[:, None], by_view


def moved_views(views: Views, step: Tensor) -> Views:
    """`views` after steps (batch, 7): turn about the camera's axes (rad), shift (mm), log scale, log distance."""
    torch = import_optional("torch", EXTRA)
    x, y, z = step[:, 0], step[:, 1], step[:, 2]
    none = torch.zeros_like(x)
    cross = torch.stack([none, -z, y, z, none, -x, -y, x, none], -1).reshape(-1, 3, 3)
    return Views(
        torch.linalg.matrix_exp(cross) @ views.head_to_camera,
        views.shift_mm + step[:, 3:5],
        views.log_scale + step[:, 5],
        views.log_distance + step[:, 6],
    )
