"""What is read of a new picture, and whether it may stay."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from synth_affect.affect import ValenceArousal
from synth_affect.errors import InputError
from synth_affect.pipelines.judges.classes import ceiling_readings
from synth_affect.pipelines.judges.judge import IdentityCard, JudgeCard
from synth_affect.pipelines.judges.open_judges import JudgeCards
from synth_affect.pipelines.verify import Verification, VerifierChoice

MAX_AFFECT_ERROR = 0.5
"""Of 414 pictures of 17 people, read by a classifier of seven classes (`fer`), 81 % are as near to what was asked; of
the same readings shuffled among the targets, and of the unedited faces, 36 %."""

Fault = Literal["no face", "another person", "another feeling"]
_PLACES = 4
"""Of what is read, in files; the gate sees what is written."""


@dataclass(frozen=True, slots=True)
class PictureCheck:
    """What was read of one picture; by judges in the order of their cards.

    found : whether there is a face where it was; without one there is nothing else.
    affect : valence and arousal.  likeness : to the source, on each judge's own scale.
    readings : of `face_heights`, by name.
    """

    found: bool
    affect: tuple[tuple[float, float], ...] = ()
    likeness: tuple[float, ...] = ()
    readings: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, said: Verification) -> PictureCheck:
        """What a verifier says, as far as it means anything."""
        return cls(
            said.found,
            tuple((round(one.after.valence, _PLACES), round(one.after.arousal, _PLACES)) for one in said.affect),
            tuple(round(one.likeness, _PLACES) for one in said.identity),
            {name: round(value, _PLACES) for name, value in said.readings.items()},
        )


@dataclass(frozen=True, slots=True)
class Gate:
    """Which pictures stay: those with a face, of the same person, that reads as asked, to each of the judges.

    max_affect_error : distance in the plane from what was read to the nearest point to the target that the judge can
        read, see `ceiling_readings`.
    same_person : likeness that is enough, on the judge's scale; for judges whose makers publish none.
    """

    max_affect_error: float = MAX_AFFECT_ERROR
    same_person: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.max_affect_error <= 3:  # also false for NaN
            raise InputError("--max-affect-error", f"{self.max_affect_error:g} is not in (0, 3]")
        if self.same_person is not None and not math.isfinite(self.same_person):
            raise InputError("--same-person", f"{self.same_person:g} is not finite")


@dataclass(frozen=True, slots=True)
class CheckSettings:
    """choice : of the judges.  cards : theirs, by `read_cards`.  gate : None where every picture stays.

    Raises InputError for a gate that lacks a bar.
    """

    choice: VerifierChoice = field(default_factory=VerifierChoice)
    cards: JudgeCards = field(default_factory=JudgeCards)
    gate: Gate | None = None

    def __post_init__(self) -> None:
        if self.gate is None or self.gate.same_person is not None:
            return
        for card in self.cards.identity:
            if card.same_person is None:
                raise InputError(
                    "--same-person", f"missing; {card.name} comes without a {card.likeness} that the gate could use"
                )

    def described(self) -> dict[str, Any]:
        """For records of what was asked: JSON values."""
        gate = self.gate
        return {
            "verified": {
                "judges": [card.described() for card in self.cards.affect],
                "identity": [card.described() for card in self.cards.identity],
            },
            "gate": None
            if gate is None
            else {"max_affect_error": gate.max_affect_error, "same_person": gate.same_person},
        }

    def fault(self, check: PictureCheck, target: ValenceArousal, *, feels: bool = True) -> tuple[Fault, str] | None:
        """Why a picture is dropped, in a word and in figures; None where it stays.

        feels : whether its valence and arousal count; they do not in the frames that lead to an expression.
        """
        if self.gate is None:
            return None
        if not check.found:
            return "no face", "none is found where it was"
        for card, likeness in zip(self.cards.identity, check.likeness, strict=True):
            bar = self._same_person(card)
            if not card.passes([likeness], bar)[0]:
                limit = "at most" if card.likeness == "distance" else "at least"
                return "another person", f"{card.name}: {card.likeness} {likeness:.2f}, {limit} {bar:g}"
        for judge, read in zip(self.cards.affect, check.affect, strict=True):
            away = _affect_error(judge, read, target)
            if feels and away > self.gate.max_affect_error:
                what = f"reads {read[0]:+.2f} {read[1]:+.2f}, {away:.2f} away"
                return "another feeling", f"{judge.name}: {what}, at most {self.gate.max_affect_error:g}"
        return None

    def _same_person(self, card: IdentityCard) -> float:
        assert self.gate is not None
        bar = self.gate.same_person if card.same_person is None else card.same_person
        assert bar is not None  # checked when this was made
        return bar


def identity_distance(card: IdentityCard, likeness: float) -> float:
    """0 for the same picture, more for a person less alike: a distance as it is, a cosine taken from 1."""
    return likeness if card.likeness == "distance" else round(1 - likeness, _PLACES)


def _affect_error(card: JudgeCard, read: tuple[float, float], target: ValenceArousal) -> float:
    best = np.array([[target.valence, target.arousal]])
    if card.positions:
        best = ceiling_readings(best, card.positions)
    return float(np.linalg.norm(np.array(read) - best[0]))
