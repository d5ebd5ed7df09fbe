"""What a page's JSON means, and what it cannot mean."""

from __future__ import annotations

import json
from typing import Any

import pytest

from synth_affect.affect import Emotion
from synth_affect.errors import FitError, InputError
from synth_affect.web.serve.asked import command_line, read_asked, read_json, read_path, sentence
from synth_affect.web.serve.limits import Limits

HEADS = ("cc0", "ict")
FULL = {
    "number": 7,
    "face": 1,
    "valence": -0.5,
    "arousal": 0.25,
    "category": "anger",
    "intensity": 1.5,
    "wrinkles": 0.5,
    "input_expression": "keep",
    "grid": "default",
    "lookup": "cell",
    "statistic": "typical",
    "sample": 3,
    "head": "ict",
    "units": {"AU12": 0.5, "AU4_L": 0.25},
}


def test_everything_that_can_be_asked_for_arrives() -> None:
    asked = read_asked(FULL, HEADS, 2)
    assert (asked.number, asked.face, asked.head) == (7, 1, "ict")
    target, question = asked.target, asked.expressions.question
    assert (target.point.valence, target.point.arousal, target.emotion) == (-0.5, 0.25, Emotion.ANGER)
    assert (target.intensity, target.wrinkles, target.input_expression) == (1.5, 0.5, "keep")
    assert target.action_units.described() == {"AU4L": 0.25, "AU12": 0.5}
    assert (asked.expressions.grid, question.lookup, question.statistic, question.sample) == (
        *("default", "cell", "typical"),
        3,
    )
    assert json.dumps(asked.described())


def test_nothing_said_is_the_neutral_point_of_the_first_head() -> None:
    asked = read_asked({}, HEADS, 1)
    assert (asked.head, asked.face, asked.target.point.intensity) == ("cc0", 0, 0)
    assert asked.expressions.grid == "prototypes"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"valence": 1.5}, "--valence"),
        ({"valence": "0.5"}, "valence: is not a number"),
        ({"valence": True}, "valence: is not a number"),
        ({"arousal": float("nan")}, "--arousal"),
        ({"arousal": 10**400}, "arousal: is out of range"),
        ({"face": 2}, "the picture shows 2"),
        ({"face": -1}, "the picture shows 2"),
        ({"face": 0.5}, "not a whole number"),
        ({"head": "../../etc/passwd"}, "is none of cc0, ict"),
        ({"head": 3}, "is not a word"),
        ({"category": "x" * 300}, "is not a word"),
        ({"category": "hungry"}, "--category"),
        ({"grid": "/etc/passwd"}, "is none of prototypes, default"),
        ({"lookup": "guess"}, "--lookup"),
        ({"statistic": "mean"}, "--sample"),
        ({"sample": 2**70}, "not a whole number"),
        ({"intensity": -1}, "--intensity"),
        ({"wrinkles": 2}, "--wrinkles"),
        ({"input_expression": "forget"}, "none of replace, keep"),
        ({"units": [1]}, "no names"),
        ({"units": {"AU99": 1}}, "--au"),
        ({"units": {"AU12": 3}}, "--au"),
        ({"units": {"AU5": 1, "AU43": 1}}, "--au"),
    ],
)
def test_what_cannot_be_asked_for_is_said(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        read_asked({**FULL, **change}, HEADS, 2)


@pytest.mark.parametrize("body", [b"", b"x", b"[]", b"1", b"[" * 100_000, b"\xff\xfe"])
def test_bodies_that_are_no_object(body: bytes) -> None:
    with pytest.raises(InputError, match="JSON"):
        read_json(body)


def test_a_path_arrives() -> None:
    path = read_path({"through": [[0, 0], [0.5, -0.5]], "seconds": 2, "fps": 10}, Limits())
    assert [(point.valence, point.arousal) for point in path.corners] == [(0, 0), (0.5, -0.5)]
    assert (path.seconds, path.rate) == (2, 10)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"through": None}, "2 to 64 points"),
        ({"through": [[0, 0]]}, "2 to 64 points"),
        ({"through": [[0, 0]] * 65}, "2 to 64 points"),
        ({"through": [[0, 0], [0]]}, "points such as"),
        ({"through": [[0, 0], [0, "1"]]}, "arousal: is not a number"),
        ({"through": [[0, 0], [0, 2]]}, "--arousal"),
        ({"seconds": 0}, "seconds"),
        ({"fps": 1000}, "fps"),
        ({"seconds": 20, "fps": 30}, "this page makes 300"),
    ],
)
def test_paths_that_are_none(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        read_path({"through": [[0, 0], [1, 1]], **change}, Limits())


def test_the_command_says_the_same() -> None:
    line = command_line(read_asked(FULL, HEADS, 2), "my face.jpg")
    assert line == (
        "synth-affect --image 'my face.jpg' --valence -0.5 --arousal 0.25 --category anger --face 1 --intensity 1.5 "
        "--wrinkles 0.5 --input-expression keep --head ict --grid default --lookup cell --sample 3 "
        "--au AU4L=0.25 --au AU12=0.5"
    )
    assert command_line(read_asked({}, HEADS, 1), "a.png") == "synth-affect --image a.png --valence 0 --arousal 0"


def test_errors_are_sentences() -> None:
    assert sentence(InputError("--max-seconds", "is too long")) == "Max seconds: is too long."
    assert sentence(InputError("holiday.jpg", "no face was found in it")) == "holiday.jpg: no face was found in it."
    assert sentence(InputError("--au", "AU99 is none")) == "Action units: AU99 is none."
    assert sentence(FitError("it has no answer")) == "It has no answer."
