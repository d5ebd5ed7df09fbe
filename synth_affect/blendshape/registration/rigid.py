"""Rigid motions between the frame of a scan and the frame of the head."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_affect.arrays import FloatArray, readonly
from synth_affect.errors import FitError, ShapeError

ROBUST_STEPS = 12


@dataclass(frozen=True, slots=True, eq=False)
class RigidMotion:
    """rotation : (3, 3) float64, determinant 1.  translation : (3,) float64, mm.

    Convention: a point x (a column) moves to rotation @ x + translation.
    """

    rotation: FloatArray
    translation: FloatArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "rotation", readonly(self.rotation, "rotation", (3, 3), np.float64))
        object.__setattr__(self, "translation", readonly(self.translation, "translation", (3,), np.float64))
        error = np.abs(self.rotation @ self.rotation.T - np.eye(3)).max()
        if error > 1e-6 or np.linalg.det(self.rotation) < 0:
            raise ShapeError("rotation", "a rotation", "another matrix")


def moved(motion: RigidMotion, points: FloatArray) -> FloatArray:
    """(n, 3) float64: the points after the motion."""
    after: FloatArray = points @ motion.rotation.T + motion.translation
    return after


def inverse(motion: RigidMotion) -> RigidMotion:
    """The motion back."""
    return RigidMotion(motion.rotation.T, -motion.rotation.T @ motion.translation)


def fit_rigid(source: FloatArray, target: FloatArray, weights: FloatArray | None = None) -> RigidMotion:
    """The motion that brings `source` onto `target` with the least weighted squared distance.

    source, target : (n_points, 3), same order.  weights : (n_points,), not negative; None weighs all alike.
    Raises ShapeError when the counts differ, FitError when the points lie on one line.
    Source: Umeyama 1991, eq. 38-42, without scale.
    """
    a = readonly(source, "source", ("n_points", 3), np.float64)
    b = readonly(target, "target", (len(a), 3), np.float64)
    w = np.ones(len(a)) if weights is None else readonly(weights, "weights", (len(a),), np.float64)
    total = w.sum()
    if total <= 0:
        raise FitError("a rigid motion needs points that carry weight")
    w = w / total
    centre_a, centre_b = w @ a, w @ b
    covariance = (b - centre_b).T @ (w[:, None] * (a - centre_a))
    u, spread, vt = np.linalg.svd(covariance)
    if spread[1] <= 1e-9 * spread[0]:
        raise FitError("a rigid motion needs three points that are not on one line")
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * sign) @ vt
    return RigidMotion(rotation, centre_b - rotation @ centre_a)


def fit_rigid_robust(source: FloatArray, target: FloatArray, weights: FloatArray | None = None) -> RigidMotion:
    """The motion that most of the points agree on: where a part moved (a jaw, lips) it counts for little.

    source, target, weights : as in `fit_rigid`. The points are weighed anew (Geman-McClure) against twice the median
    distance, until the scale is that of the part which stays.
    Raises what `fit_rigid` raises.
    """
    given = np.ones(len(source)) if weights is None else np.asarray(weights, dtype=np.float64)
    motion = fit_rigid(source, target, given)
    b = np.asarray(target, dtype=np.float64)
    for _ in range(ROBUST_STEPS):
        squared = ((moved(motion, source) - b) ** 2).sum(axis=1)
        scale = max(float(np.median(squared[given > 0])), 1e-6)
        motion = fit_rigid(source, target, given * (scale / (scale + squared)) ** 2)
    return motion
