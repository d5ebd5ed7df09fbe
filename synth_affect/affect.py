"""The valence-arousal plane: points, emotion categories at their published positions, and sets of targets.

Convention: valence (unpleasant -1 to pleasant +1) is the first axis, arousal (sleepy -1 to aroused +1) the second;
(0, 0) is neutral. Directions are measured from positive valence towards positive arousal: `ValenceArousal(0, 1)` has
`direction_rad` pi / 2 and `intensity` 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from synth_affect.errors import InputError


@dataclass(frozen=True, slots=True)
class ValenceArousal:
    """A point of the plane. valence, arousal : in [-1, 1].

    Raises InputError naming the option (`--valence`, `--arousal`) for a number outside or NaN.
    """

    valence: float
    arousal: float

    def __post_init__(self) -> None:
        for option, value in (("--valence", self.valence), ("--arousal", self.arousal)):
            if not -1.0 <= value <= 1.0:  # also false for NaN
                raise InputError(option, f"{value:g} is not in [-1, 1]")

    @property
    def intensity(self) -> float:
        """Distance from neutral: 0 at the origin, 1 on the unit circle, sqrt(2) in the corners."""
        return math.hypot(self.valence, self.arousal)

    @property
    def direction_rad(self) -> float:
        """Angle in (-pi, pi]: 0 is pleasure, pi / 2 arousal. 0 at the origin, where it means nothing."""
        # `+ 0.0` turns -0.0 into 0.0: pi and -pi are one direction, and it must have one name.
        return math.atan2(self.arousal + 0.0, self.valence + 0.0)


class Emotion(StrEnum):
    """The categories that have a position on the plane."""

    NEUTRAL = "neutral"
    HAPPINESS = "happiness"
    SADNESS = "sadness"
    SURPRISE = "surprise"
    FEAR = "fear"
    DISGUST = "disgust"
    ANGER = "anger"
    CONTEMPT = "contempt"
    EXCITED = "excited"
    ELATED = "elated"
    JOYFUL = "joyful"
    TRIUMPHANT = "triumphant"
    PROUD = "proud"
    RELAXED = "relaxed"
    SLEEPY = "sleepy"
    TIRED = "tired"
    WEARY = "weary"
    QUIET = "quiet"
    SOLEMN = "solemn"
    BORED = "bored"
    LISTLESS = "listless"
    LONELY = "lonely"
    DEPRESSED = "depressed"
    DISCOURAGED = "discouraged"
    ASHAMED = "ashamed"
    GUILTY = "guilty"
    UPSET = "upset"
    DISPLEASED = "displeased"
    ANNOYED = "annoyed"
    FRUSTRATED = "frustrated"
    DISTRESSED = "distressed"
    CONFUSED = "confused"
    EMBARRASSED = "embarrassed"
    ANXIOUS = "anxious"
    TENSE = "tense"
    TERRIFIED = "terrified"
    STARTLED = "startled"
    ASTONISHED = "astonished"
    AROUSED = "aroused"
    ALERT = "alert"
    INTERESTED = "interested"
    CURIOUS = "curious"
    HOPEFUL = "hopeful"
    AWED = "awed"
    HATRED = "hatred"
    HOSTILE = "hostile"
    ENRAGED = "enraged"
    PAIN = "pain"


# Mean pleasure and arousal of the English term in Russell & Mehrabian 1977 (J. Res. Personality 11:273-294); sleepy is
# of Mehrabian 1996 (Austral. J. Psych. 48:86-92). The seven face categories happiness .. contempt are the mean of that
# and of the mean label of their 499-500 faces in AffectNet's validation set. Neutral is the origin by definition.
_POSITIONS: dict[Emotion, tuple[float, float]] = {
    Emotion.NEUTRAL: (0.0, 0.0),
    Emotion.HAPPINESS: (0.74, 0.30),
    Emotion.SADNESS: (-0.63, -0.27),
    Emotion.SURPRISE: (0.29, 0.69),
    Emotion.FEAR: (-0.38, 0.68),
    Emotion.DISGUST: (-0.64, 0.40),
    Emotion.ANGER: (-0.47, 0.57),
    Emotion.CONTEMPT: (-0.37, 0.44),
    Emotion.EXCITED: (0.62, 0.75),
    Emotion.ELATED: (0.50, 0.42),
    Emotion.JOYFUL: (0.76, 0.48),
    Emotion.TRIUMPHANT: (0.69, 0.57),
    Emotion.PROUD: (0.77, 0.38),
    Emotion.RELAXED: (0.68, -0.46),
    Emotion.SLEEPY: (0.20, -0.70),
    Emotion.TIRED: (-0.18, -0.57),
    Emotion.WEARY: (-0.18, -0.33),
    Emotion.QUIET: (0.19, -0.40),
    Emotion.SOLEMN: (0.03, -0.32),
    Emotion.BORED: (-0.65, -0.62),
    Emotion.LISTLESS: (-0.45, -0.59),
    Emotion.LONELY: (-0.66, -0.43),
    Emotion.DEPRESSED: (-0.72, -0.29),
    Emotion.DISCOURAGED: (-0.61, -0.15),
    Emotion.ASHAMED: (-0.57, 0.01),
    Emotion.GUILTY: (-0.57, 0.28),
    Emotion.UPSET: (-0.63, 0.30),
    Emotion.DISPLEASED: (-0.55, 0.16),
    Emotion.ANNOYED: (-0.28, 0.17),
    Emotion.FRUSTRATED: (-0.64, 0.52),
    Emotion.DISTRESSED: (-0.61, 0.28),
    Emotion.CONFUSED: (-0.53, 0.27),
    Emotion.EMBARRASSED: (-0.46, 0.54),
    Emotion.ANXIOUS: (0.01, 0.59),
    Emotion.TENSE: (-0.33, 0.58),
    Emotion.TERRIFIED: (-0.62, 0.82),
    Emotion.STARTLED: (-0.09, 0.65),
    Emotion.ASTONISHED: (0.16, 0.88),
    Emotion.AROUSED: (0.24, 0.57),
    Emotion.ALERT: (0.49, 0.57),
    Emotion.INTERESTED: (0.64, 0.51),
    Emotion.CURIOUS: (0.22, 0.62),
    Emotion.HOPEFUL: (0.51, 0.23),
    Emotion.AWED: (0.18, 0.40),
    Emotion.HATRED: (-0.56, 0.59),
    Emotion.HOSTILE: (-0.42, 0.53),
    Emotion.ENRAGED: (-0.44, 0.72),
    Emotion.PAIN: (-0.58, 0.41),
}


def position(emotion: Emotion) -> ValenceArousal:
    """Where the category stands on the plane."""
    return ValenceArousal(*_POSITIONS[emotion])


def parse_emotion(name: str) -> Emotion:
    """The category of that name, in any letter case. Raises InputError naming `--category` and the names there are."""
    try:
        return Emotion(name.strip().lower())
    except ValueError:
        raise InputError("--category", f"{name!r} is none of {', '.join(Emotion)}") from None


def ring(n_directions: int = 28, radii: Sequence[float] = (0.25, 0.5, 0.75, 1.0)) -> tuple[ValenceArousal, ...]:
    """Targets on circles, radius by radius from the first, in each from positive valence towards positive arousal.

    n_directions : >= 1, evenly spread.  radii : in (0, 1].
    Returns n_directions * len(radii) points.
    """
    if n_directions < 1:
        raise InputError("n_directions", f"{n_directions} is not a positive count")
    if any(not 0.0 < radius <= 1.0 for radius in radii):
        raise InputError("radii", f"{list(radii)} are not all in (0, 1]")
    angles = [2 * math.pi * k / n_directions for k in range(n_directions)]

    def exact(value: float) -> float:
        return round(value, 12) + 0.0  # on an axis the other coordinate is 0, which is neither sign

    return tuple(
        ValenceArousal(exact(radius * math.cos(angle)), exact(radius * math.sin(angle)))
        for radius in radii
        for angle in angles
    )


MAX_GRID_STEPS = 50
"""2500 targets: more pictures than a sheet can hold and an eye tell apart."""


def grid(steps: int = 5) -> tuple[ValenceArousal, ...]:
    """Targets over the square, steps x steps, as a picture of the plane is read: arousal falls row by row, valence
    rises along a row.

    steps : 2 to 50; an odd number has neutral in the middle.
    """
    if steps < 2:
        raise InputError("--steps", f"{steps} is less than 2")
    if steps > MAX_GRID_STEPS:
        raise InputError("--steps", f"{steps} is more than {MAX_GRID_STEPS}")
    levels = [2 * k / (steps - 1) - 1 for k in range(steps)]
    return tuple(ValenceArousal(valence, arousal) for arousal in reversed(levels) for valence in levels)
