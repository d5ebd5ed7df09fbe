"""Minimum of a convex quadratic inside a box: the inner step of the landmark solver."""

from __future__ import annotations

import numpy as np

from synth_affect.arrays import FloatArray
from synth_affect.errors import FitError


def minimise_in_box(
    hessian: FloatArray, gradient: FloatArray, lower: FloatArray, upper: FloatArray, *, max_changes: int = 40
) -> FloatArray:
    """The x in [lower, upper] with the least 1/2 x' hessian x + gradient' x, starting from the point nearest to 0.

    hessian : (n, n) float64, symmetric positive definite.  gradient, lower, upper : (n,) float64; bounds may be
        infinite.
    max_changes : how often the set of unknowns held at a bound may change before the best point so far is returned; a
        few changes are usual, and every one of them lowers the value.
    Returns (n,) float64.
    Raises FitError when the hessian is seen not to be positive definite.
    Source: Bertsekas 1982, projected Newton methods for problems with simple constraints.
    """
    x = np.clip(np.zeros_like(gradient), lower, upper)
    slope = hessian @ x + gradient
    value = 0.5 * x @ (slope + gradient)
    for _ in range(max_changes):
        held = ((x <= lower) & (slope > 0)) | ((x >= upper) & (slope < 0))
        free = np.flatnonzero(~held)
        if len(free) == 0:
            break
        newton = np.zeros_like(x)
        try:
            newton[free] = np.linalg.solve(hessian[np.ix_(free, free)], -slope[free])
        except np.linalg.LinAlgError as error:
            raise FitError("the normal equations are singular") from error
        if not slope @ newton <= 0:
            raise FitError("the normal equations are not positive definite")
        # Halving along the projected path: the projection bends the Newton direction, so a full step may go uphill.
        fraction = 1.0
        while fraction > 1e-6:
            trial = np.clip(x + fraction * newton, lower, upper)
            trial_slope = hessian @ trial + gradient
            trial_value = 0.5 * trial @ (trial_slope + gradient)
            if trial_value < value:
                break
            fraction *= 0.5
        else:
            break
        gained = value - trial_value
        x, slope, value = trial, trial_slope, trial_value
        if gained <= 1e-10 * abs(value):
            break
    return x
