"""Smooth extension of a field from where it is known to everywhere, by a pyramid of weighted means.

Source: Gortler, Grzeszczuk, Szeliski & Cohen 1996, "The Lumigraph", section 3.4 (pull-push).
"""

from __future__ import annotations

import cv2
import numpy as np

from synth_affect.arrays import FloatArray

_FULL = 0.98


def extend(values: FloatArray, weights: FloatArray) -> FloatArray:
    """(height, width, d) float32: `values` where `weights` is 1, a smooth continuation where it is 0.

    values : (height, width, d) float32, d <= 4.  weights : (height, width) float32 in [0, 1].
    Without any weight the result is 0 everywhere.
    """
    height, width = weights.shape
    if min(height, width) <= 1 or float(weights.min()) >= _FULL:
        total = float(weights.sum())
        if float(weights.min()) >= _FULL or total == 0:
            return values if total else np.zeros_like(values)
        mean = (values * weights[..., None]).sum(axis=(0, 1)) / total
        filled: FloatArray = values * weights[..., None] + mean * (1 - weights[..., None])
        return filled
    half = ((width + 1) // 2, (height + 1) // 2)
    coarse_weight = cv2.resize(weights, half, interpolation=cv2.INTER_AREA)
    pulled = cv2.resize(values * weights[..., None], half, interpolation=cv2.INTER_AREA).reshape(half[1], half[0], -1)
    coarse_values = pulled / np.maximum(coarse_weight, 1e-6)[..., None]
    coarse = extend(coarse_values, np.minimum(1, 2 * coarse_weight))
    pushed = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR).reshape(height, width, -1)
    extended: FloatArray = pushed + weights[..., None] * (values - pushed)
    return extended
