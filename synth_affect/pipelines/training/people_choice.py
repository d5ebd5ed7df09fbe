"""Who is trained on, who is looked at on the way, and who is tested: nobody is in two groups."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from synth_affect.data.faces.folds import person_folds
from synth_affect.errors import InputError

VALIDATION_FOLDS = 8
"""Of the people who are not tested, one part in so many chooses the epoch, or is drawn on sheets."""
_RANGE, _LAST_NUMBER = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?"), re.compile(r"\d{1,9}$")


@dataclass(frozen=True, slots=True)
class PeopleChoice:
    """Who is tested and who is for validation; all others are trained on.

    test, validation : names of people, or numbers and ranges of the number that a name ends in, with commas between:
        `S005`, `145-179`. "" for a fold of them.
    n_folds, fold : people are divided into folds, and those of `fold` are the test.
    """

    test: str = ""
    validation: str = ""
    n_folds: int = 5
    fold: int = 0


def tested_people(names: Sequence[str], choice: PeopleChoice) -> frozenset[str]:
    """Of the people `names`, of each picture its own; folds are the same for every seed.

    Raises InputError for a choice that means nobody, and for more folds than people.
    """
    if choice.test:
        return chosen_people(names, choice.test, "--test-people")
    return person_folds(names, choice.n_folds).held_out(choice.fold)


def validation_people(
    names: Sequence[str], choice: PeopleChoice, seed: int, test: frozenset[str] = frozenset()
) -> frozenset[str]:
    """Of the people `names` without `test`.

    Raises InputError for a choice that means nobody, or one who is tested, and when too few people are left.
    """
    if choice.validation:
        chosen = chosen_people(names, choice.validation, "--validation-people")
        both = sorted(test & chosen)
        if both:
            raise InputError("--validation-people", f"{both[0]} is one of --test-people, too")
        return chosen
    rest = [name for name in names if name not in test]
    n = len(set(rest))
    if n < 2:
        raise InputError("--data", f"{n} people are left for training and validation; 2 are the least")
    return person_folds(rest, min(VALIDATION_FOLDS, n), seed).held_out(0)


def chosen_people(names: Sequence[str], text: str, option: str) -> frozenset[str]:
    """Those of `names` whom `text` means, see `PeopleChoice`. Raises InputError naming `option` when that is nobody."""
    known = sorted(set(names))
    last = {name: int(match[0]) for name in known if (match := _LAST_NUMBER.search(name))}
    chosen: set[str] = set()
    for part in (one.strip() for one in text.split(",")):
        span = _RANGE.fullmatch(part)
        if part in known:
            found = {part}
        elif span is not None:
            low = int(span[1])
            high = int(span[2] or low)
            found = {name for name, number in last.items() if low <= number <= high}
        else:
            found = set()
        if not found:
            raise InputError(option, f"{part!r} is nobody of the {len(known)} people, such as {known[0]}")
        chosen |= found
    return frozenset(chosen)
