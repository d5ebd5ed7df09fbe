"""Texture coordinates for a head that brings none."""

from __future__ import annotations

import numpy as np

from synth_affect.arrays import FloatArray, IntArray
from synth_affect.heads.regions import REGIONS

ATLAS_COLUMN = 0.25
SKIN_ROW = 0.2


def unrolled_uv(mean: FloatArray, triangles: IntArray, regions: IntArray) -> tuple[FloatArray, IntArray]:
    """Texture coordinates and their triangles: outer skin unrolled round the vertical above v = 0.2, mouth and lashes
    seen from the front below. The eyes' places there are left to be written. ICT's own layout is not in the file.

    The first n_vertices rows are those of the vertices; more follow for those that the seam at the back doubles.
    """
    skin = np.isin(regions, [REGIONS.index(name) for name in ("skin", "lips", "lids", "neck", "scalp", "ears")])
    outer = np.unique(triangles[skin])
    uv = np.zeros((len(mean), 2))
    inner = np.unique(triangles[~skin])
    low, high = mean[inner].min(axis=0), mean[inner].max(axis=0)
    uv[inner] = ((mean[inner] - low) / np.maximum(high - low, 1e-6))[:, :2] * [ATLAS_COLUMN, 0.19]
    uv[inner, 0] += 2 * ATLAS_COLUMN
    low, high = mean[outer].min(axis=0), mean[outer].max(axis=0)
    turn = np.arctan2(mean[outer, 0], mean[outer, 2] - 0.5 * (low[2] + high[2])) / (2 * np.pi) + 0.5
    uv[outer, 0] = turn
    uv[outer, 1] = SKIN_ROW + (1 - SKIN_ROW) * (mean[outer, 1] - low[1]) / (high[1] - low[1])
    uv_triangles = triangles.copy()
    across = skin & (np.ptp(uv[triangles, 0], axis=1) > 0.5)
    seam = across[:, None] & (uv[triangles, 0] < 0.5)
    doubled, place = np.unique(triangles[seam], return_inverse=True)
    uv_triangles[seam] = len(mean) + place.ravel()
    uv = np.concatenate([uv, uv[doubled] + [1.0, 0.0]])
    rolled = np.concatenate([outer, np.arange(len(mean), len(uv))])
    uv[rolled, 0] /= max(1.0, float(uv[rolled, 0].max()))
    return uv, uv_triangles
