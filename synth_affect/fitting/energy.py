"""What the landmark solver minimises, and its derivatives.

    energy = 1/2 sum_l weight_l * rho(|r_l|) / noise_mm^2 + 1/2 c . curvature . c + slope . c
             + 1/2 ((log_distance - expected) / sd)^2
    rho(r) = r^2 R^2 / (r^2 + R^2)                                   (Geman-McClure, R = robust_mm)

r_l is the distance of a projected landmark from the detected one in mm on the face, so that neither the size of the
picture nor that of the face in it matters. c are the coefficients: identity, then expression.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_affect.arrays import FloatArray
from synth_affect.fitting.perspective import N_VIEW, HeadView, project_view, project_view_with_derivatives


@dataclass(frozen=True, slots=True, eq=False)
class HeadState:
    """All unknowns. view : how the head is seen.  coefficients : (n_identity + n_units,) float64."""

    view: HeadView
    coefficients: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class LandmarkRows:
    """The rows of a head model at its landmarks.

    points : (n, 3) float64, mm from the head's centre.  basis : (n, 3, n_identity + n_units) float64, mm.
    """

    points: FloatArray
    basis: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class LandmarkEnergy:
    """The energy of one face; see the head of this file.

    rows : of the model.  detected : (n, 2) float64, px from the principal point.  mm_per_px : at the face.
    weights : (n,) float64.  curvature (k, k), slope (k,) : float64, prior of the k = n_identity + n_units coefficients.
    log_distance, log_distance_sd : prior of the view's log_distance.
    """

    rows: LandmarkRows
    detected: FloatArray
    mm_per_px: float
    weights: FloatArray
    noise_mm: float
    robust_mm: float
    curvature: FloatArray
    slope: FloatArray
    log_distance: float
    log_distance_sd: float


@dataclass(frozen=True, slots=True, eq=False)
class Quadratic:
    """value + gradient . step + 1/2 step . hessian . step; step is (N_VIEW + n_identity + n_units,), the view's
    first.
    """

    value: float
    gradient: FloatArray
    hessian: FloatArray


def landmark_points(rows: LandmarkRows, coefficients: FloatArray) -> FloatArray:
    """(n, 3) float64, mm from the head's centre."""
    return rows.points + rows.basis @ coefficients


def projected_landmarks(rows: LandmarkRows, state: HeadState) -> FloatArray:
    """(n, 2) float64, px from the principal point."""
    return project_view(state.view, landmark_points(rows, state.coefficients))


def energy_at(energy: LandmarkEnergy, state: HeadState) -> float:
    """The energy; infinite where a landmark would lie behind the camera."""
    projected = projected_landmarks(energy.rows, state)
    if not np.isfinite(projected).all():
        return float("inf")
    return _value(energy, state, (projected - energy.detected) * energy.mm_per_px)


def energy_quadratic(energy: LandmarkEnergy, state: HeadState) -> Quadratic:
    """The energy's value and exact gradient at `state`, with the Gauss-Newton matrix for its curvature.

    Robust weights as of Geman-McClure, from rho'(r) = 2 r (R^2 / (r^2 + R^2))^2.
    """
    rows, coefficients = energy.rows, state.coefficients
    projected, by_point, by_view = project_view_with_derivatives(state.view, landmark_points(rows, coefficients))
    residual = (projected - energy.detected) * energy.mm_per_px
    squared = (residual**2).sum(axis=1)
    robust = (energy.robust_mm**2 / (energy.robust_mm**2 + squared)) ** 2
    root = np.sqrt(energy.weights * robust) / energy.noise_mm

    n = len(projected)
    jacobian = np.empty((n, 2, N_VIEW + len(coefficients)))
    factor = (root * energy.mm_per_px)[:, None, None]
    jacobian[:, :, :N_VIEW] = by_view * factor
    np.matmul(by_point * factor, rows.basis, out=jacobian[:, :, N_VIEW:])
    flat = jacobian.reshape(2 * n, -1)
    gradient = flat.T @ (residual * root[:, None]).ravel()
    hessian = flat.T @ flat

    gradient[N_VIEW:] += energy.curvature @ coefficients + energy.slope
    hessian[N_VIEW:, N_VIEW:] += energy.curvature
    gradient[N_VIEW - 1] += (state.view.log_distance - energy.log_distance) / energy.log_distance_sd**2
    hessian[N_VIEW - 1, N_VIEW - 1] += 1.0 / energy.log_distance_sd**2
    return Quadratic(_value(energy, state, residual), gradient, hessian)


def _value(energy: LandmarkEnergy, state: HeadState, residual_mm: FloatArray) -> float:
    squared = (residual_mm**2).sum(axis=1)
    rho = squared * energy.robust_mm**2 / (squared + energy.robust_mm**2)
    data = 0.5 * float(energy.weights @ rho) / energy.noise_mm**2
    c = state.coefficients
    prior = float((0.5 * energy.curvature @ c + energy.slope) @ c)
    return data + prior + 0.5 * ((state.view.log_distance - energy.log_distance) / energy.log_distance_sd) ** 2
