"""How far a component may spread: 0 near its centre, 1 far away, along the surface (Neumann et al. 2013)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from synth_affect.arrays import FloatArray
from synth_affect.errors import ShapeError


class SupportMaps:
    """Support maps around the vertices of one mesh; the distances of each centre are computed once.

    maps = SupportMaps(geodesics, inner_mm, outer_mm); maps(centre) is (n_vertices,) float32 in [0, 1]: 0 up to
    `inner_mm` from the centre, rising in proportion to the distance, 1 from `outer_mm` on and in parts of the mesh that
    no path leads to.

    geodesics : (n_vertices,) mm from a vertex, as `HeatGeodesics` gives them.
    Raises ShapeError unless 0 <= inner_mm < outer_mm.
    """

    def __init__(self, geodesics: Callable[[int], FloatArray], inner_mm: float, outer_mm: float) -> None:
        if not 0 <= inner_mm < outer_mm < np.inf:
            raise ShapeError("support", "0 <= inner_mm < outer_mm", f"{inner_mm:g} and {outer_mm:g} mm")
        self.inner_mm = inner_mm
        self.outer_mm = outer_mm
        self._geodesics = geodesics
        self._distances: dict[int, FloatArray] = {}

    def __call__(self, centre: int) -> FloatArray:
        """(n_vertices,) float32 in [0, 1]: the map around the vertex `centre`."""
        distances = np.clip(self.distances(centre), self.inner_mm, self.outer_mm)
        support: FloatArray = (distances - self.inner_mm) / np.float32(self.outer_mm - self.inner_mm)
        return support

    def distances(self, centre: int) -> FloatArray:
        """(n_vertices,) float32, mm, read-only: how far along the surface from the vertex `centre`."""
        if centre not in self._distances:
            self._distances[centre] = self._geodesics(centre)
        return self._distances[centre]
