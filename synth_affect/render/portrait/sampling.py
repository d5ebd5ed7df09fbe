"""Bilinear look-ups in tables, at as many places as are asked for (`cv2.remap` stops at 32,767 rows)."""

from __future__ import annotations

import numpy as np
from numba import njit

from synth_affect.arrays import FloatArray


def sampled(table: FloatArray, columns: FloatArray, rows: FloatArray) -> FloatArray:
    """(..., d) float32: `table` (height, width, d) at columns and rows (...), whole numbers at the entries' centres.

    Beyond the edges the nearest entry is taken.
    """
    out = np.empty((columns.size, table.shape[2]), dtype=np.float32)
    _sample(
        np.ascontiguousarray(table, dtype=np.float32),
        np.ascontiguousarray(columns, dtype=np.float32).ravel(),
        np.ascontiguousarray(rows, dtype=np.float32).ravel(),
        out,
    )
    return out.reshape(*columns.shape, table.shape[2])


@njit(cache=True)  # type: ignore[untyped-decorator]
def _sample(table: FloatArray, columns: FloatArray, rows: FloatArray, out: FloatArray) -> None:
    height, width, depth = table.shape
    for k in range(len(columns)):
        x = min(max(columns[k], np.float32(0)), np.float32(width - 1))
        y = min(max(rows[k], np.float32(0)), np.float32(height - 1))
        j, i = min(int(x), width - 2), min(int(y), height - 2)
        u, v = x - j, y - i
        for c in range(depth):
            top = table[i, j, c] + u * (table[i, j + 1, c] - table[i, j, c])
            bottom = table[i + 1, j, c] + u * (table[i + 1, j + 1, c] - table[i + 1, j, c])
            out[k, c] = top + v * (bottom - top)
