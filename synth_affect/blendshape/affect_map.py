"""The map from a point of the valence-arousal plane to weights of the 52 ARKit expression units.

A mean over many prototypes is none of them and reads as nothing, so the map keeps to few: it goes round the plane
through thirteen vivid expressions (`prototypes.json`), and between two neighbours each unit moves along a monotone
cubic. Nothing but the two neighbours is ever mixed, a unit that both have at full strength stays there, and the turn
from one to the next has no kink. The radius scales the expression of that direction.

The prototypes of the low-arousal half are judgement: every published source is thin there.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np

from synth_affect.affect import Emotion, ValenceArousal, position
from synth_affect.arrays import FloatArray, readonly
from synth_affect.blendshape.action_units import ARKIT_UNITS, UNIT_INDEX, unit_weights

# Intensity is proportional to the radius, so that a path through the origin moves at one speed on either side. Above 1:
# the categories' own positions lie three quarters of the way to the unit circle, and there, where people see a plain
# case of each, a prototype is at full strength; beyond it units run into their limits.
_INTENSITY_AT_UNIT_RADIUS = 1.5

# Exponent of the soft limit by which a unit runs into its largest weight.
_LIMIT_SHOULDER = 16

# Lids droop but never close: an asleep face is not an expression of the awake one that was photographed.
_LARGEST_BLINK = 0.5

# Units that pull the same skin in opposite directions, or that tear a mesh together.
_OPPOSED = (
    ("eyeWideLeft", "eyeBlinkLeft"),
    ("eyeWideRight", "eyeBlinkRight"),
    ("mouthSmileLeft", "mouthFrownLeft"),
    ("mouthSmileRight", "mouthFrownRight"),
)

# Pressed lips cannot be far apart: the press fades between these openings of the jaw.
_PRESS_FADES_AT_JAW = (0.1, 0.35)


@dataclass(frozen=True, slots=True, eq=False)
class ExpressionMap:
    """Prototypes on the circle and families of categories; `expression_weights` reads it.

    directions_rad : (n_prototypes,) float64 in [0, 2 pi), increasing.
    prototypes : (n_prototypes, 52) float64 in [0, 1], weights at intensity 1, in the order of ARKIT_UNITS.
    slopes : (n_prototypes, 52) float64, change per radian at each prototype.
    families : category -> (52,) float64 weights at intensity 1; those above 1 are limited where they are used.
    """

    directions_rad: FloatArray
    prototypes: FloatArray
    slopes: FloatArray
    families: Mapping[Emotion, FloatArray]

    def __post_init__(self) -> None:
        n_units = len(ARKIT_UNITS)
        directions = readonly(self.directions_rad, "directions_rad", ("n_prototypes",), np.float64)
        object.__setattr__(self, "directions_rad", directions)
        for field in ("prototypes", "slopes"):
            array = readonly(getattr(self, field), field, (len(directions), n_units), np.float64)
            object.__setattr__(self, field, array)
        families = {e: readonly(w, e, (n_units,), np.float64) for e, w in self.families.items()}
        object.__setattr__(self, "families", families)

    def towards(self, direction_rad: float) -> FloatArray:
        """(52,) float64: the expression of a direction at intensity 1, a C1 and periodic function of the angle."""
        angle = direction_rad % math.tau
        right = int(np.searchsorted(self.directions_rad, angle, side="right")) % len(self.directions_rad)
        left = right - 1
        gap = (self.directions_rad[right] - self.directions_rad[left]) % math.tau
        t = ((angle - self.directions_rad[left]) % math.tau) / gap
        # Cubic Hermite basis.
        return np.asarray(
            (1 + 2 * t) * (1 - t) ** 2 * self.prototypes[left]
            + t * (1 - t) ** 2 * gap * self.slopes[left]
            + t**2 * (3 - 2 * t) * self.prototypes[right]
            - t**2 * (1 - t) * gap * self.slopes[right]
        )


def expression_weights(
    target: ValenceArousal,
    emotion: Emotion | None = None,
    *,
    intensity: float = 1.0,
    expression_map: ExpressionMap | None = None,
) -> FloatArray:
    """(52,) float64 in [0, 1], in the order of ARKIT_UNITS: what a neutral face does to feel `target`.

    emotion : pick this category's family of expressions, at the radius of `target`; by default the direction decides.
    intensity : factor on the strength; the limits of single units hold whatever it is.
    expression_map : the packaged one by default.
    Convention: the origin is exactly zero; along a ray every weight grows with the radius; without a category, and for
    every category but contempt, left and right are equal.
    """
    strength = intensity * intensity_at(target.intensity)
    if strength == 0.0:
        return np.zeros(len(ARKIT_UNITS))
    expression_map = default_map() if expression_map is None else expression_map
    weights = expression_map.towards(target.direction_rad) if emotion is None else expression_map.families[emotion]
    return limited(strength * _reconciled(weights))


def intensity_at(radius: float) -> float:
    """Strength of the expression at a distance from neutral: 1 is that of the prototypes."""
    return _INTENSITY_AT_UNIT_RADIUS * radius


@lru_cache(maxsize=1)
def default_map() -> ExpressionMap:
    """The packaged map."""
    packaged = json.loads(files("synth_affect.blendshape").joinpath("prototypes.json").read_text("utf-8"))
    ring = packaged["ring"]
    directions = np.radians([entry["direction_deg"] for entry in ring])
    prototypes = np.array([unit_weights(entry["action_units"]) for entry in ring])
    families: dict[Emotion, FloatArray] = {Emotion.NEUTRAL: np.zeros(len(ARKIT_UNITS))}
    for entry, weights in zip(ring, prototypes, strict=True):
        families[Emotion(entry["emotion"])] = weights
    for name, entry in packaged["families"].items():
        # These intensities hold at the category's own position.
        own_intensity = intensity_at(position(Emotion(name)).intensity)
        families[Emotion(name)] = unit_weights(entry["action_units"]) / own_intensity
    return ExpressionMap(directions, prototypes, periodic_slopes(directions, prototypes), families)


def periodic_slopes(angles_rad: FloatArray, values: FloatArray) -> FloatArray:
    """(n, d) slopes of the monotone periodic cubic through `values` (n, d) at increasing `angles_rad` (n,) in one turn.

    The weighted harmonic mean of the secants at both sides, 0 at a local extremum: between two knots no value leaves
    their range. Source: Fritsch & Butland 1984, as in scipy's PchipInterpolator, which has no periodic ends.
    """
    gap_after: FloatArray = ((np.roll(angles_rad, -1) - angles_rad) % math.tau)[:, np.newaxis]
    secant_after = (np.roll(values, -1, axis=0) - values) / gap_after
    gap_before, secant_before = np.roll(gap_after, 1, axis=0), np.roll(secant_after, 1, axis=0)
    weight_before, weight_after = gap_before + 2 * gap_after, 2 * gap_before + gap_after
    monotone = secant_before * secant_after > 0
    one = np.ones_like(values)
    harmonic = (weight_before + weight_after) / (
        weight_before / np.where(monotone, secant_before, one) + weight_after / np.where(monotone, secant_after, one)
    )
    return np.where(monotone, harmonic, 0.0)


def _reconciled(weights: FloatArray) -> FloatArray:
    """`weights` with the smaller of two opposed units taken out of the larger, and no pressed lips on an open jaw."""
    reconciled = weights.copy()
    for first, second in _OPPOSED:
        one, other = UNIT_INDEX[first], UNIT_INDEX[second]
        reconciled[one], reconciled[other] = _rest(weights[one], weights[other]), _rest(weights[other], weights[one])
    closed_at, open_at = _PRESS_FADES_AT_JAW
    opening = min(max((weights[UNIT_INDEX["jawOpen"]] - closed_at) / (open_at - closed_at), 0.0), 1.0)
    for unit in ("mouthPressLeft", "mouthPressRight"):
        reconciled[UNIT_INDEX[unit]] *= 1 - opening**2 * (3 - 2 * opening)
    return reconciled


def _rest(weight: float, opponent: float) -> float:
    """What is left of a weight against its opponent: all against none, none against a larger one, C1 between."""
    if opponent >= weight:
        return 0.0
    return float(weight * (1 - (opponent / weight) ** 2) ** 2)


def limited(weights: FloatArray) -> FloatArray:
    """`weights` >= 0 bent below their limits, monotonically and without a kink."""
    limits = np.ones(len(ARKIT_UNITS))
    limits[[UNIT_INDEX["eyeBlinkLeft"], UNIT_INDEX["eyeBlinkRight"]]] = _LARGEST_BLINK
    return np.asarray(weights / (1 + (weights / limits) ** _LIMIT_SHOULDER) ** (1 / _LIMIT_SHOULDER))
