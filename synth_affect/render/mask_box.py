"""The part of a picture in which something lies, so that no work is done on the rest."""

from __future__ import annotations

import numpy as np

from synth_affect.arrays import BoolArray, FloatArray, IntArray


def mask_box(mask: BoolArray | FloatArray | IntArray, pad: int = 0) -> tuple[slice, slice]:
    """Rows and columns in which `mask` (height, width) is other than 0, and `pad` more on all sides.

    It must be so somewhere. Beyond the last row and column slices may go on; numpy ends them there.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return slice(max(int(rows[0]) - pad, 0), int(rows[-1]) + pad + 1), slice(
        max(int(columns[0]) - pad, 0), int(columns[-1]) + pad + 1
    )
