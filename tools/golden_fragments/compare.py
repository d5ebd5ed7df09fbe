"""How far two rasterizers agree; the contract's tolerances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_affect.render.fragments import Fragments
from tools.golden_fragments.archive import GoldenLayer

SAME_FACES = 0.999
"""Share of the pixels, those that show nothing included, that must show the same face."""
WEIGHT_TOLERANCE, DEPTH_TOLERANCE = 1e-4, 1e-4
"""Of barycentrics, absolute; of depth, relative; where both show the same face."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """same_faces : share of pixels.  worst_weight, worst_depth : largest difference where faces are the same."""

    same_faces: float
    worst_weight: float
    worst_depth: float

    @property
    def holds(self) -> bool:
        """Whether the contract is kept."""
        return (
            self.same_faces >= SAME_FACES
            and self.worst_weight <= WEIGHT_TOLERANCE
            and self.worst_depth <= DEPTH_TOLERANCE
        )


def agreement(fragments: Fragments, golden: GoldenLayer) -> Agreement:
    """Of one case."""
    faces = fragments.pix_to_face[0, :, :, 0]
    same = faces == golden.faces
    both = same & (faces >= 0)
    weights = np.abs(fragments.bary_coords[0, :, :, 0][both] - golden.weights[both])
    depth = np.abs(fragments.zbuf[0, :, :, 0][both] / golden.depth[both] - 1)
    return Agreement(float(same.mean()), float(weights.max(initial=0.0)), float(depth.max(initial=0.0)))
