"""The straight ramp from nothing to all that soft thresholds are made of."""

from __future__ import annotations

from typing import overload

import numpy as np

from synth_affect.arrays import FloatArray


@overload
def rising(values: float, low: float, high: float) -> float: ...
@overload
def rising(values: FloatArray, low: float, high: float) -> FloatArray: ...
def rising(values: float | FloatArray, low: float, high: float) -> float | FloatArray:
    """How far `values` are from `low` to `high`: 0 up to the first, 1 from the second on."""
    risen: FloatArray = np.clip((values - low) / (high - low), 0, 1)
    return risen if isinstance(values, np.ndarray) else float(risen)
