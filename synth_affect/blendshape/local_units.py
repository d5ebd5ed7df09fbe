"""Single units of the face that are asked for by name, and how they go on top of what an affect looks like.

Names are FACS numbers (`AU12`; of one side `AU12L`, `AU12R`) and ARKit's units (`mouthSmileLeft`). From the general to
the particular, each step sets what it names and leaves the rest: the affect, action units of both sides, those of one,
single units. Source of the idea: Kollias et al. 2018, whose future work is global affect with local action units.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from synth_affect.arrays import FloatArray
from synth_affect.blendshape.action_units import ARKIT_UNITS, AU_TO_UNITS, UNIT_INDEX
from synth_affect.errors import InputError, ShapeError

OPTION = "--au"

UNIT_NAMES: Mapping[str, Mapping[str, float]] = {
    **{
        key.replace("_", ""): AU_TO_UNITS[key]
        for key in sorted(AU_TO_UNITS, key=lambda key: (int(key.strip("AU_LR")), key))
    },
    **{unit: {unit: 1.0} for unit in ARKIT_UNITS},
}
"""All names, general ones before particular ones: AU1, AU2, AU2L, AU2R ..., ARKit's; and the units that each moves."""

_FACS = re.compile(r"AU0*([1-9][0-9]*)_?([LR]?)", re.ASCII)

# What an action unit moves along slightly is raised so far and never lowered: parted lips leave an open jaw open.
_ALONG: Mapping[str, tuple[str, ...]] = {
    "AU17": ("mouthShrugUpper",),
    "AU23": ("mouthRollUpper", "mouthRollLower"),
    "AU25": ("jawOpen",),
    "AU44": ("eyeBlinkLeft", "eyeBlinkRight"),
}

_LIDS = (("eyeWideLeft", "eyeBlinkLeft"), ("eyeWideRight", "eyeBlinkRight"))
_LIP_CORNERS = (("mouthSmileLeft", "mouthFrownLeft"), ("mouthSmileRight", "mouthFrownRight"))
# They pull the same skin in opposite directions: the affect's gives way to the one that is asked for.
_OPPONENTS: Mapping[str, str] = {one: other for a, b in (*_LIDS, *_LIP_CORNERS) for one, other in ((a, b), (b, a))}
# Both cannot be asked for. Smile and frown can: AU12 with AU15 is a smile held back.
_CONTRADICTIONS = (*_LIDS, ("jawLeft", "jawRight"), ("mouthLeft", "mouthRight"))

_PRESS = ("mouthPressLeft", "mouthPressRight")
_PARTS_LIPS = (
    *("jawOpen", "mouthFunnel"),
    *("mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight"),
)


def why_not(unit: str) -> str | None:
    """Why one of ARKIT_UNITS cannot be asked for; None where it can."""
    if unit.startswith("eyeLook"):
        return "the eyes of a photograph cannot be turned, only the lids would move"
    return "the tongue would pass through the lower lip" if unit == "tongueOut" else None


@dataclass(frozen=True, slots=True)
class ActionUnits:
    """Units that are asked for; false when there are none. Made by `of` and `parse`.

    asked : (name of UNIT_NAMES, intensity in [0, 1]) pairs; each name once, in the order of UNIT_NAMES.
    Raises InputError for anything else, and for units that cannot be shown, alone or together.
    """

    asked: tuple[tuple[str, float], ...] = ()

    def __post_init__(self) -> None:
        for name, intensity in self.asked:
            if name not in UNIT_NAMES:
                raise InputError(OPTION, _why_unknown(name))
            if not 0 <= intensity <= 1:  # also false for NaN
                raise InputError(OPTION, f"{name}={intensity:g} is not in [0, 1]")
            for unit in UNIT_NAMES[name]:
                if intensity > 0 and (reason := why_not(unit)):
                    raise InputError(OPTION, f"{name} cannot be shown: {reason}")
        names = [name for name, _ in self.asked]
        for name in names:
            if names.count(name) > 1:
                raise InputError(OPTION, f"{name} is given twice")
        places = list(UNIT_NAMES)
        object.__setattr__(self, "asked", tuple(sorted(self.asked, key=lambda pair: places.index(pair[0]))))
        _check_together(self._shown())

    @classmethod
    def of(cls, intensities: Mapping[str, float] | Iterable[tuple[str, float]]) -> ActionUnits:
        """From names and intensities; `AU06` is AU6, and `AU12_L` is AU12L."""
        pairs = intensities.items() if isinstance(intensities, Mapping) else intensities
        return cls(tuple((_canonical(name), float(intensity)) for name, intensity in pairs))

    @classmethod
    def parse(cls, texts: Iterable[str]) -> ActionUnits:
        """From texts such as `AU12=0.8` and `mouthSmileLeft=.5`."""
        pairs = []
        for text in texts:
            name, _, intensity = text.partition("=")
            try:
                pairs.append((name.strip(), float(intensity)))
            except ValueError:
                raise InputError(OPTION, f"{text!r} is not a unit with its intensity, such as AU12=0.8") from None
        return cls.of(pairs)

    def __bool__(self) -> bool:
        return bool(self.asked)

    def described(self) -> dict[str, float]:
        """For records of what was asked: JSON values."""
        return dict(self.asked)

    def check_head(self, head: str, unit_names: Sequence[str]) -> None:
        """Raises InputError when the model `head`, which has units of these names, lacks one that is asked for."""
        for name, intensity in self.asked:
            missing = sorted(set(UNIT_NAMES[name]) - set(unit_names))
            if intensity > 0 and missing:
                raise InputError(OPTION, f"{name} needs {', '.join(missing)}, which the head model {head} lacks")

    def strength(self, prefixes: tuple[str, ...]) -> float:
        """Of the strongest unit that is asked for and has a name that starts with one of `prefixes`, in [0, 1]."""
        return max((weight for unit, weight in self._shown().items() if unit.startswith(prefixes)), default=0.0)

    def on(self, weights: FloatArray) -> FloatArray:
        """(52,) float64 in [0, 1]: `weights` of an affect, in the order of ARKIT_UNITS, with these units on top.

        What is asked for has the weight that is asked for. What would undo it gives way as far as it is of the affect:
        the opponent of a unit, what parts lips that shall be pressed, pressed lips on a jaw that shall open.
        mouthClose, which undoes jawOpen at the lips, never exceeds it.
        Raises ShapeError when `weights` is not (52,).
        """
        if weights.shape != (len(ARKIT_UNITS),):
            raise ShapeError("weights", (len(ARKIT_UNITS),), weights.shape)
        combined = dict(zip(ARKIT_UNITS, weights.tolist(), strict=True))
        own, along = self._weights()
        press, jaw = max(own.get(unit, 0.0) for unit in _PRESS), own.get("jawOpen", 0.0)
        gives_way = {_OPPONENTS[unit]: weight for unit, weight in own.items() if unit in _OPPONENTS}
        gives_way |= dict.fromkeys(_PARTS_LIPS, press) | dict.fromkeys(_PRESS, jaw)
        for unit, weight in gives_way.items():
            combined[unit] *= 1 - weight
        combined |= own
        for unit, weight in along.items():
            combined[unit] = max(combined[unit], weight)
        if own:
            combined["mouthClose"] = min(combined["mouthClose"], combined["jawOpen"])
        return np.array([combined[unit] for unit in ARKIT_UNITS])

    def _weights(self) -> tuple[dict[str, float], dict[str, float]]:
        """The units that are set, and those that are moved along."""
        units = {name: intensity for name, intensity in self.asked if name in UNIT_INDEX}
        by_au: dict[str, dict[str, float]] = {}
        for name, intensity in self._one_by_one().items():
            of_au = by_au.setdefault(name.rstrip("LR"), {})
            for unit, coefficient in UNIT_NAMES[name].items():
                # A unit that one-sided action units have in common goes with the stronger side.
                of_au[unit] = max(of_au.get(unit, 0.0), intensity * coefficient)
        own: dict[str, float] = {}
        along: dict[str, float] = {}
        for au, of_au in by_au.items():
            for unit, weight in of_au.items():
                if unit in _ALONG.get(au, ()):
                    along[unit] = max(along.get(unit, 0.0), weight)
                elif unit == "jawOpen":  # AU26 and AU27 are two widths of one opening
                    own[unit] = max(own.get(unit, 0.0), weight)
                else:
                    own[unit] = min(own.get(unit, 0.0) + weight, 1.0)
        return own | units, {unit: weight for unit, weight in along.items() if unit not in units}

    def _one_by_one(self) -> dict[str, float]:
        """Intensities of action units, those that have sides by side: AU12=0.8, AU12L=0.3 -> AU12L 0.3, AU12R 0.8."""
        intensities: dict[str, float] = {}
        for name, intensity in self.asked:
            if name in UNIT_INDEX:
                continue
            sides = [f"{name}{side}" for side in "LR" if f"{name}{side}" in UNIT_NAMES]
            intensities |= dict.fromkeys(sides or [name], intensity)
        return intensities

    def _shown(self) -> dict[str, float]:
        own, along = self._weights()
        return {unit: max(own.get(unit, 0.0), along.get(unit, 0.0)) for unit in own | along}


def _canonical(name: str) -> str:
    facs = _FACS.fullmatch(name)
    return name if facs is None else f"AU{facs[1]}{facs[2]}"


def _why_unknown(name: str) -> str:
    facs = _FACS.fullmatch(name)
    if facs is None:
        near = difflib.get_close_matches(name, UNIT_NAMES, n=1)
        return f"{name!r} is no unit; {f'is {near[0]} meant?' if near else 'synth-affect units lists them'}"
    bare = f"AU{facs[1]}"
    if facs[2]:
        return f"{name}: {bare} has no sides" if bare in UNIT_NAMES else f"{name}: no unit of the face shows it"
    if f"{bare}L" in UNIT_NAMES:
        return f"{bare} is of one side; ask for {bare}L or {bare}R"
    return f"{bare}: no unit of the face shows it"


def _check_together(shown: Mapping[str, float]) -> None:
    for one, other in _CONTRADICTIONS:
        if shown.get(one, 0.0) > 0 and shown.get(other, 0.0) > 0:
            raise InputError(OPTION, f"{one} and {other} exclude each other")
    if shown.get("mouthClose", 0.0) > 0 and not shown.get("jawOpen", 0.0) > 0:
        raise InputError(OPTION, "mouthClose (AU8) closes lips over an open jaw; ask for AU26 or jawOpen beside it")
