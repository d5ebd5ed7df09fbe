"""What the gate lets through, on readings made up here."""

from __future__ import annotations

import math

import pytest

from synth_affect.affect import ValenceArousal
from synth_affect.errors import InputError
from synth_affect.pipelines.augment.check import CheckSettings, Gate, PictureCheck, identity_distance
from synth_affect.pipelines.judges.judge import AffectReading, IdentityCard, JudgeCard
from synth_affect.pipelines.judges.open_judges import JudgeCards
from synth_affect.pipelines.verify import JudgedAffect, JudgedIdentity, Verification, VerifierChoice

ANY_POINT = JudgeCard("any point", "d", "a", "t", "1")
CLASSES = JudgeCard("classes", "d", "a", "t", "2", positions=((0.0, 0.0), (0.6, 0.0), (0.0, 0.4)))
COSINE = IdentityCard("cosine", "cosine", None, "d", "t", "3")
DISTANCE = IdentityCard("distance", "distance", 0.6, "d", "t", "4")
TARGET = ValenceArousal(0.8, 0.0)


def settings(*cards: JudgeCard | IdentityCard, gate: Gate | None = None) -> CheckSettings:
    affect = tuple(card for card in cards if isinstance(card, JudgeCard))
    identity = tuple(card for card in cards if isinstance(card, IdentityCard))
    return CheckSettings(
        VerifierChoice(), JudgeCards(affect, identity), Gate(same_person=0.5) if gate is None else gate
    )


def fault(checks: CheckSettings, check: PictureCheck, *, feels: bool = True) -> str | None:
    found = checks.fault(check, TARGET, feels=feels)
    return None if found is None else found[0]


def test_a_picture_without_a_face_does_not_stay() -> None:
    assert fault(settings(), PictureCheck(False)) == "no face"
    assert fault(settings(ANY_POINT, COSINE), PictureCheck(False)) == "no face"
    assert fault(settings(), PictureCheck(True)) is None
    assert CheckSettings().fault(PictureCheck(False), TARGET) is None, "without a gate all stay"


@pytest.mark.parametrize(
    ("card", "likeness", "stays"),
    [(COSINE, 0.5, True), (COSINE, 0.49, False), (DISTANCE, 0.6, True), (DISTANCE, 0.61, False)],
)
def test_bars_of_identity_lie_on_the_scale_of_their_judge(card: IdentityCard, likeness: float, stays: bool) -> None:
    found = fault(settings(card), PictureCheck(True, likeness=(likeness,)))
    assert found == (None if stays else "another person")


def test_all_judges_must_agree() -> None:
    checks = settings(COSINE, DISTANCE)
    assert fault(checks, PictureCheck(True, likeness=(0.9, 0.7))) == "another person"
    both = settings(ANY_POINT, CLASSES)
    assert fault(both, PictureCheck(True, affect=((0.8, 0.0), (0.0, 0.4)))) == "another feeling"


def test_readings_are_compared_with_the_nearest_that_the_judge_can_give() -> None:
    read = PictureCheck(True, affect=((0.6, 0.0),))
    strict = Gate(max_affect_error=0.1, same_person=0.5)
    assert fault(settings(CLASSES, gate=strict), read) is None, "its classes reach no further than 0.6"
    assert fault(settings(ANY_POINT, gate=strict), read) == "another feeling"
    assert fault(settings(ANY_POINT, gate=strict), read, feels=False) is None
    said = settings(ANY_POINT, gate=strict).fault(read, TARGET)
    assert said is not None
    assert said[1] == "any point: reads +0.60 +0.00, 0.20 away, at most 0.1"


def test_a_judge_without_a_bar_needs_one() -> None:
    with pytest.raises(InputError, match="--same-person: missing; cosine comes without a cosine"):
        settings(DISTANCE, COSINE, gate=Gate())
    settings(DISTANCE, gate=Gate())
    CheckSettings(VerifierChoice(), JudgeCards((), (COSINE,)))


@pytest.mark.parametrize("error", [0.0, -1.0, math.nan, 3.1, math.inf])
def test_bars_that_are_none(error: float) -> None:
    with pytest.raises(InputError, match="--max-affect-error"):
        Gate(max_affect_error=error)
    with pytest.raises(InputError, match="--same-person"):
        Gate(same_person=math.nan)


def test_what_a_verifier_says_is_kept_as_far_as_it_means_anything() -> None:
    affect = (JudgedAffect("any point", AffectReading(0.123456, -1.0), AffectReading(0, 0)),)
    identity = (JudgedIdentity(COSINE, 0.987654),)
    check = PictureCheck.of(Verification(TARGET, True, affect, identity, {"smile": 0.33333}))
    assert check == PictureCheck(True, ((0.1235, -1.0),), (0.9877,), {"smile": 0.3333})
    assert PictureCheck.of(Verification(TARGET, False)) == PictureCheck(False)


def test_identity_is_written_as_a_distance() -> None:
    assert identity_distance(COSINE, 0.9877) == 0.0123
    assert identity_distance(DISTANCE, 0.35) == 0.35
