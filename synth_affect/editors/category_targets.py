"""A point of the valence-arousal plane for editors that know categories alone: which one, and how much of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from synth_affect.affect import Emotion, ValenceArousal, position


@dataclass(frozen=True, slots=True)
class CategoryTarget:
    """emotion : never neutral.  intensity : 0 for neutral, 1 at the category's position, as far as MOST beyond it."""

    emotion: Emotion
    intensity: float


MOST = 1.0
"""What lies further out than a category's position is drawn as that position: nothing more was ever learnt."""


def category_target(target: ValenceArousal, categories: Sequence[Emotion]) -> CategoryTarget:
    """The category in whose direction `target` lies best, and the share of the way to its position.

    categories : those that the editor knows; neutral among them is passed over.
    Positions are those of `affect.position`. At (0, 0) the intensity is 0, and the category means nothing. Between
    two categories the expression jumps, since there is no third one to ask for.
    """
    known = [emotion for emotion in categories if emotion is not Emotion.NEUTRAL]

    def turn(emotion: Emotion) -> float:
        difference = position(emotion).direction_rad - target.direction_rad
        return abs(math.remainder(difference, 2 * math.pi))

    emotion = min(known, key=turn)
    return CategoryTarget(emotion, min(target.intensity / position(emotion).intensity, MOST))
