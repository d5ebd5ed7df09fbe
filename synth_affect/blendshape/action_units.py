"""Facial action units (AU) in terms of the 52 ARKit expression units.

Sources: the AU -> unit pairs are those of py-feat's AU reference (MIT) and of ICT-FaceKit's README (MIT); where the two
disagree on AU10, mouthUpperUp is taken: mouthShrugUpper moves the lip outward. Coefficients other than 1 are judgement.
AUs that no ARKit unit shows (head and neck turns, 21, 31, 32, 35, 37-40) are absent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from synth_affect.arrays import FloatArray
from synth_affect.errors import ShapeError

ARKIT_UNITS: tuple[str, ...] = (
    "browDownLeft",
    "browDownRight",
    "browInnerUp",
    "browOuterUpLeft",
    "browOuterUpRight",
    "cheekPuff",
    "cheekSquintLeft",
    "cheekSquintRight",
    "eyeBlinkLeft",
    "eyeBlinkRight",
    "eyeLookDownLeft",
    "eyeLookDownRight",
    "eyeLookInLeft",
    "eyeLookInRight",
    "eyeLookOutLeft",
    "eyeLookOutRight",
    "eyeLookUpLeft",
    "eyeLookUpRight",
    "eyeSquintLeft",
    "eyeSquintRight",
    "eyeWideLeft",
    "eyeWideRight",
    "jawForward",
    "jawLeft",
    "jawOpen",
    "jawRight",
    "mouthClose",
    "mouthDimpleLeft",
    "mouthDimpleRight",
    "mouthFrownLeft",
    "mouthFrownRight",
    "mouthFunnel",
    "mouthLeft",
    "mouthLowerDownLeft",
    "mouthLowerDownRight",
    "mouthPressLeft",
    "mouthPressRight",
    "mouthPucker",
    "mouthRight",
    "mouthRollLower",
    "mouthRollUpper",
    "mouthShrugLower",
    "mouthShrugUpper",
    "mouthSmileLeft",
    "mouthSmileRight",
    "mouthStretchLeft",
    "mouthStretchRight",
    "mouthUpperUpLeft",
    "mouthUpperUpRight",
    "noseSneerLeft",
    "noseSneerRight",
    "tongueOut",
)
"""The order of every array of expression weights that does not belong to a head model."""

UNIT_INDEX: Mapping[str, int] = {name: index for index, name in enumerate(ARKIT_UNITS)}


def mirrored(unit: str) -> str:
    """The unit's counterpart on the other side of the face; itself when it has none."""
    for side, other in (("Left", "Right"), ("Right", "Left")):
        counterpart = unit.removesuffix(side) + other
        if unit.endswith(side) and counterpart in UNIT_INDEX:
            return counterpart
    return unit


def _both(coefficient: float, *stems: str) -> dict[str, float]:
    return {stem + side: coefficient for stem in stems for side in ("Left", "Right")}


_BILATERAL: dict[str, dict[str, float]] = {
    "AU1": {"browInnerUp": 1.0},
    "AU2": _both(1.0, "browOuterUp"),
    "AU4": _both(1.0, "browDown"),
    "AU5": _both(1.0, "eyeWide"),
    "AU6": _both(1.0, "cheekSquint"),
    "AU7": _both(1.0, "eyeSquint"),
    "AU8": {"mouthClose": 1.0},
    "AU9": _both(1.0, "noseSneer"),
    "AU10": _both(1.0, "mouthUpperUp"),
    "AU11": _both(0.4, "mouthUpperUp"),
    "AU12": _both(1.0, "mouthSmile"),
    "AU13": _both(0.5, "mouthSmile"),
    "AU14": _both(1.0, "mouthDimple"),
    "AU15": _both(1.0, "mouthFrown"),
    "AU16": _both(1.0, "mouthLowerDown"),
    "AU17": {"mouthShrugLower": 1.0, "mouthShrugUpper": 0.4},
    "AU18": {"mouthPucker": 1.0},
    "AU19": {"tongueOut": 1.0},
    "AU20": _both(1.0, "mouthStretch"),
    "AU22": {"mouthFunnel": 1.0},
    "AU23": {**_both(0.6, "mouthPress"), "mouthRollUpper": 0.2, "mouthRollLower": 0.2},
    "AU24": _both(1.0, "mouthPress"),
    "AU25": {"jawOpen": 0.08, **_both(0.3, "mouthLowerDown"), **_both(0.15, "mouthUpperUp")},
    "AU26": {"jawOpen": 0.45},
    "AU27": {"jawOpen": 1.0},
    "AU28": {"mouthRollUpper": 1.0, "mouthRollLower": 1.0},
    "AU29": {"jawForward": 1.0},
    "AU33": {"cheekPuff": 1.0},
    "AU34": {"cheekPuff": 1.0},
    "AU41": _both(0.3, "eyeBlink"),
    "AU42": _both(0.6, "eyeBlink"),
    "AU43": _both(1.0, "eyeBlink"),
    "AU44": {**_both(1.0, "eyeSquint"), **_both(0.3, "eyeBlink")},
    "AU45": _both(1.0, "eyeBlink"),
    "AU61": {"eyeLookOutLeft": 1.0, "eyeLookInRight": 1.0},  # eyes to the subject's left
    "AU62": {"eyeLookInLeft": 1.0, "eyeLookOutRight": 1.0},
    "AU63": _both(1.0, "eyeLookUp"),
    "AU64": _both(1.0, "eyeLookDown"),
}
# AUs that happen on one side too. Gaze (61-64) is of both eyes, and AU1 has one unit for both brows.
_ONE_SIDED = tuple(f"AU{number}" for number in (2, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 20, 23, 24, 43))


def _without_side(units: Mapping[str, float], other: str) -> dict[str, float]:
    return {unit: coefficient for unit, coefficient in units.items() if not unit.endswith(other)}


AU_TO_UNITS: Mapping[str, Mapping[str, float]] = {
    **_BILATERAL,
    **{f"{au}_L": _without_side(_BILATERAL[au], "Right") for au in _ONE_SIDED},
    **{f"{au}_R": _without_side(_BILATERAL[au], "Left") for au in _ONE_SIDED},
    "AU30_L": {"jawLeft": 1.0},
    "AU30_R": {"jawRight": 1.0},
    "AU46_L": {"eyeBlinkLeft": 1.0},
    "AU46_R": {"eyeBlinkRight": 1.0},
}
"""Unit weights of each AU at intensity 1. `_L` and `_R` are the subject's sides; without a suffix, both."""

AU_MEANINGS: Mapping[str, str] = {
    "AU1": "inner brow raiser",
    "AU2": "outer brow raiser",
    "AU4": "brow lowerer",
    "AU5": "upper lid raiser",
    "AU6": "cheek raiser",
    "AU7": "lid tightener",
    "AU8": "lips toward each other, over an open jaw",
    "AU9": "nose wrinkler",
    "AU10": "upper lip raiser",
    "AU11": "nasolabial deepener",
    "AU12": "lip corner puller",
    "AU13": "sharp lip puller",
    "AU14": "dimpler",
    "AU15": "lip corner depressor",
    "AU16": "lower lip depressor",
    "AU17": "chin raiser",
    "AU18": "lip pucker",
    "AU19": "tongue show",
    "AU20": "lip stretcher",
    "AU22": "lip funneler",
    "AU23": "lip tightener",
    "AU24": "lip pressor",
    "AU25": "lips part",
    "AU26": "jaw drop",
    "AU27": "mouth stretch",
    "AU28": "lip suck",
    "AU29": "jaw thrust",
    "AU30": "jaw sideways",
    "AU33": "cheek blow",
    "AU34": "cheek puff",
    "AU41": "lid droop",
    "AU42": "slit",
    "AU43": "eyes closed",
    "AU44": "squint",
    "AU45": "blink, at its closed moment",
    "AU46": "wink",
    "AU61": "eyes to the left",
    "AU62": "eyes to the right",
    "AU63": "eyes up",
    "AU64": "eyes down",
}
"""What the Facial Action Coding System (Ekman & Friesen 1978) calls each; sides are the subject's."""

# Three AUs describe one opening of the jaw, from parted lips to a gape: the widest counts, not their sum.
_JAW_AUS = ("AU25", "AU26", "AU27")


def unit_weights(action_units: Mapping[str, float]) -> FloatArray:
    """(52,) float64 in [0, 1], in the order of ARKIT_UNITS: what the AUs look like together.

    action_units : AU name (`"AU12"`, `"AU14_R"`) -> intensity in [0, 1].
    Contributions add up and are clipped to [0, 1]; jawOpen is the largest of AU25, 26 and 27; mouthClose, which undoes
    jawOpen at the lips, never exceeds it.
    Raises ShapeError for an unknown AU or an intensity outside.
    """
    weights = np.zeros(len(ARKIT_UNITS))
    jaw_open = UNIT_INDEX["jawOpen"]
    for name, intensity in action_units.items():
        if name not in AU_TO_UNITS:
            raise ShapeError("action_units", "one of " + ", ".join(AU_TO_UNITS), name)
        if not 0.0 <= intensity <= 1.0:
            raise ShapeError(name, "an intensity in [0, 1]", f"{intensity:g}")
        for unit, coefficient in AU_TO_UNITS[name].items():
            index = UNIT_INDEX[unit]
            contribution = intensity * coefficient
            if index == jaw_open and name in _JAW_AUS:
                weights[index] = max(weights[index], contribution)
            else:
                weights[index] += contribution
    np.clip(weights, 0.0, 1.0, out=weights)
    mouth_close = UNIT_INDEX["mouthClose"]
    weights[mouth_close] = min(weights[mouth_close], weights[jaw_open])
    return weights


def arrange(weights: FloatArray, unit_names: Sequence[str]) -> FloatArray:
    """(n_units,) float32: weights given in the order of ARKIT_UNITS, in the order of a head model's units.

    Units that the head lacks are left out; units that only the head has get 0.
    Raises ShapeError when `weights` is not (52,).
    """
    if weights.shape != (len(ARKIT_UNITS),):
        raise ShapeError("weights", (len(ARKIT_UNITS),), weights.shape)
    arranged = np.zeros(len(unit_names), dtype=np.float32)
    for place, name in enumerate(unit_names):
        if name in UNIT_INDEX:
            arranged[place] = weights[UNIT_INDEX[name]]
    return arranged
