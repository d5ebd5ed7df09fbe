"""What an edit asks of a face: weights of the named units, and what is left of a real displacement beside them.

Two implementations: the map of prototypes (here) and the grid of a gallery (`grid/expressions`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from synth_affect.affect import Emotion, ValenceArousal
from synth_affect.arrays import FloatArray, readonly
from synth_affect.blendshape.action_units import ARKIT_UNITS
from synth_affect.blendshape.affect_map import expression_weights


@dataclass(frozen=True, slots=True, eq=False)
class AffectExpression:
    """weights : (52,) float64 in [0, 1], in the order of ARKIT_UNITS; jaw, teeth, tongue, lids and folds follow them.
    residual : (n_face_vertices, 3) float32, mm, what the face's skin does besides, on `face_template` of the head that
        is edited; None for nothing.
    """

    weights: FloatArray
    residual: FloatArray | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", readonly(self.weights, "weights", (len(ARKIT_UNITS),), np.float64))
        if self.residual is not None:
            residual = readonly(self.residual, "residual", ("n_face_vertices", 3), np.float32)
            object.__setattr__(self, "residual", residual)


class ExpressionSource(Protocol):
    """Where the expression of a target comes from."""

    def expression(self, target: ValenceArousal, emotion: Emotion | None, intensity: float) -> AffectExpression:
        """What a neutral face does to feel `target`.

        emotion : the family that is meant, where a point has several.  intensity : factor on the strength, from 0.
        """
        ...


class PrototypeExpressions:
    """The map that goes round the plane through a few vivid prototypes."""

    def expression(self, target: ValenceArousal, emotion: Emotion | None, intensity: float) -> AffectExpression:
        """Of `expression_weights`: units alone."""
        return AffectExpression(expression_weights(target, emotion, intensity=intensity))
