"""A first pose from landmarks alone: scaled orthographic projection, any rotation in the picture's plane."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_affect.arrays import FloatArray
from synth_affect.errors import FitError

_FLATNESS = 1e-3
"""Points whose spread across their main line is below this share of the spread along it count as one line."""


@dataclass(frozen=True, slots=True, eq=False)
class WeakPerspective:
    """points_image ~ scale * (head_to_camera @ points_head)[:2] + offset.

    scale : px per mm.  head_to_camera : (3, 3) float64 rotation.  offset : (2,) float64, px.
    """

    scale: float
    head_to_camera: FloatArray
    offset: FloatArray


def weak_perspective(points_head: FloatArray, points_image: FloatArray, weights: FloatArray) -> WeakPerspective:
    """The scaled orthographic pose that brings `points_head` onto `points_image`, robust to some wrong points.

    points_head : (n, 3) float64, mm, head frame, not all in one plane.  points_image : (n, 2) float64, px.
    weights : (n,) float64, >= 0.
    Raises FitError when the points of the picture, or those of the head, lie on one line, or when the head's lie in a
    plane.
    Source: affine camera by least squares, then its nearest scaled rotation (Bruckstein et al. 1999).
    """
    _refuse_degenerate(points_image[weights > 0], 2, "the landmarks lie on one line")
    _refuse_degenerate(points_head[weights > 0], 3, "the head's landmarks lie in one plane")
    design = np.column_stack([points_head, np.ones(len(points_head))])
    robust = weights
    for _ in range(6):
        root = np.sqrt(robust)[:, None]
        affine = np.linalg.lstsq(design * root, points_image * root, rcond=None)[0].T
        distance = np.linalg.norm(design @ affine.T - points_image, axis=1)
        spread = np.median(distance[weights > 0]) + 1e-12
        robust = weights / (1.0 + (distance / (2.0 * spread)) ** 2) ** 2
    u, singular, vt = np.linalg.svd(affine[:, :3], full_matrices=False)
    rows = u @ vt
    return WeakPerspective(
        scale=float(singular.mean()),
        head_to_camera=np.vstack([rows, np.cross(rows[0], rows[1])]),
        offset=affine[:, 3],
    )


def _refuse_degenerate(points: FloatArray, rank: int, reason: str) -> None:
    if len(points) <= rank:
        raise FitError(f"{len(points)} landmarks are too few for a pose")
    singular = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    if not singular[rank - 1] > _FLATNESS * singular[0]:
        raise FitError(reason)
