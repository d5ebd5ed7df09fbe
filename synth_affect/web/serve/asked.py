"""What a page asks for, from its JSON to the values of the pipelines; everything is checked here, and only here."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from synth_affect.affect import ValenceArousal, parse_emotion
from synth_affect.blendshape.grid.affect_grid import GridQuestion
from synth_affect.blendshape.local_units import OPTION as UNITS_OPTION
from synth_affect.blendshape.local_units import UNIT_NAMES, ActionUnits
from synth_affect.errors import InputError, SynthAffectError
from synth_affect.pipelines.edit_picture import Target
from synth_affect.pipelines.open_expressions import DEFAULT_GRID, PROTOTYPES, ExpressionChoice
from synth_affect.web.serve.limits import Limits

MOST_CORNERS = 64
LONGEST_WORD = 255
PATH_SECONDS, PATH_RATES = (0.5, 30.0), (5, 30)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request for one face. number : counted by the page; a later one takes the place of those that wait."""

    number: int
    face: int
    head: str
    target: Target
    expressions: ExpressionChoice

    def described(self) -> dict[str, Any]:
        """For records of what was asked: JSON values."""
        return {**self.target.described(), "face": self.face, **self.expressions.described()}


@dataclass(frozen=True, slots=True)
class AskedPath:
    """corners : two points or more of the plane.  seconds : of the whole way.  rate : frames a second."""

    corners: tuple[ValenceArousal, ...]
    seconds: float
    rate: int


def read_json(body: bytes) -> dict[str, Any]:
    """The object in a request's body. Raises InputError when there is none."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InputError("request", "is no JSON") from error
    if not isinstance(said, dict):
        raise InputError("request", "is no JSON object")
    return said


def read_asked(said: Mapping[str, Any], heads: Sequence[str], n_faces: int) -> Asked:
    """Raises InputError for what cannot be asked for.

    heads : names that may be asked for; the first is the default.  n_faces : of the picture.
    """
    face, head = _whole(said, "face", 0), _word(said, "head", heads[0])
    if not 0 <= face < n_faces:
        raise InputError("face", f"{face} was asked for, the picture shows {n_faces}")
    if head not in heads:
        raise InputError("head", f"is none of {', '.join(heads)}")
    category = _word(said, "category", "")
    grid = _word(said, "grid", PROTOTYPES)
    if grid not in (PROTOTYPES, DEFAULT_GRID):
        raise InputError("grid", f"is none of {PROTOTYPES}, {DEFAULT_GRID}")
    question = GridQuestion()
    if grid != PROTOTYPES:
        sample = said.get("sample")
        question = GridQuestion(
            lookup=_word(said, "lookup", question.lookup),  # type: ignore[arg-type]  # checked where it is made
            statistic=_word(said, "statistic", question.statistic),  # type: ignore[arg-type]
            sample=None if sample is None else _whole(said, "sample", 0),
        )
    target = Target(
        ValenceArousal(_number(said, "valence", 0.0), _number(said, "arousal", 0.0)),
        parse_emotion(category) if category else None,
        intensity=_number(said, "intensity", 1.0),
        input_expression=_input_expression(said),
        wrinkles=_number(said, "wrinkles", 1.0),
        action_units=_units(said),
    )
    return Asked(_whole(said, "number", 0), face, head, target, ExpressionChoice(grid, question))


def read_path(said: Mapping[str, Any], limits: Limits) -> AskedPath:
    """Raises InputError for what is no way through the plane, or one that takes too long."""
    points = said.get("through")
    if not isinstance(points, list) or not 2 <= len(points) <= MOST_CORNERS:
        raise InputError("path", f"needs 2 to {MOST_CORNERS} points")
    corners = []
    for point in points:
        if not isinstance(point, list) or len(point) != 2:
            raise InputError("path", "is made of points such as [0.8, 0.4]")
        place = {"valence": point[0], "arousal": point[1]}
        corners.append(ValenceArousal(_number(place, "valence", 0), _number(place, "arousal", 0)))
    seconds, rate = _number(said, "seconds", 3.0), _whole(said, "fps", 25)
    for name, value, (least, most) in (("seconds", seconds, PATH_SECONDS), ("fps", rate, PATH_RATES)):
        if not least <= value <= most:
            raise InputError(name, f"{value:g} is not in [{least:g}, {most:g}]")
    if seconds * rate > limits.path_frames:
        raise InputError("seconds", f"{seconds * rate:.0f} frames are asked for; this page makes {limits.path_frames}")
    return AskedPath(tuple(corners), seconds, rate)


def command_line(asked: Asked, name: str) -> str:
    """The command that makes the same picture of the file `name`."""
    target, question = asked.target, asked.expressions.question
    words = ["synth-affect", "--image", name, "--valence", f"{target.point.valence:g}"]
    words += ["--arousal", f"{target.point.arousal:g}"]
    if target.emotion is not None:
        words += ["--category", target.emotion.value]
    if asked.face:
        words += ["--face", str(asked.face)]
    usual = Target(target.point)
    for option, value, default in (
        ("--intensity", f"{target.intensity:g}", f"{usual.intensity:g}"),
        ("--wrinkles", f"{target.wrinkles:g}", f"{usual.wrinkles:g}"),
        ("--input-expression", target.input_expression, usual.input_expression),
        ("--head", asked.head, "cc0"),
        ("--grid", asked.expressions.grid, PROTOTYPES),
        ("--lookup", question.lookup, GridQuestion().lookup),
        ("--statistic", question.statistic, GridQuestion().statistic),
        ("--sample", "" if question.sample is None else str(question.sample), ""),
    ):
        if value != default:
            words += [option, value]
    for name, intensity in target.action_units.asked:
        words += ["--au", f"{name}={intensity:g}"]
    return shlex.join(words)


def sentence(error: SynthAffectError) -> str:
    """What a person is told in the page."""
    if not isinstance(error, InputError):
        return f"{_capital(str(error))}."
    subject = "action units" if error.path == UNITS_OPTION else error.path.removeprefix("--").replace("-", " ")
    return f"{_capital(subject)}: {error.reason}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:] if text[:1].islower() and "." not in text.split(":")[0] else text


def _number(said: Mapping[str, Any], name: str, default: float) -> float:
    value = said.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(name, "is not a number")
    try:
        return float(value)
    except OverflowError:
        raise InputError(name, "is out of range") from None


def _whole(said: Mapping[str, Any], name: str, default: int) -> int:
    value = said.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63:
        raise InputError(name, "is not a whole number")
    return value


def _word(said: Mapping[str, Any], name: str, default: str) -> str:
    value = said.get(name, default)
    if value is None:
        return default
    if not isinstance(value, str) or len(value) > LONGEST_WORD:
        raise InputError(name, "is not a word")
    return value


def _units(said: Mapping[str, Any]) -> ActionUnits:
    units = said.get("units")
    if units is None:
        return ActionUnits()
    if not isinstance(units, dict) or len(units) > len(UNIT_NAMES):
        raise InputError("action units", "are no names with their intensities")
    return ActionUnits.of({name: _number(units, name, 0.0) for name in units})


def _input_expression(said: Mapping[str, Any]) -> Any:
    value = _word(said, "input_expression", "replace")
    if value not in ("replace", "keep"):
        raise InputError("input expression", "is none of replace, keep")
    return value
