"""Folds that keep people apart, and who may be a source."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth_affect.data.faces.folds import check_source, is_source, person_folds
from synth_affect.data.faces.record import FaceRecord, Split
from synth_affect.errors import InputError

PEOPLE = st.dictionaries(st.text(max_size=4), st.integers(1, 60), min_size=5, max_size=60)


def record(subject: str | None = None, split: Split | None = None) -> FaceRecord:
    return FaceRecord("a", Path("a.png"), subject=subject, split=split)


@given(PEOPLE, st.integers(2, 5), st.integers(0, 9))
def test_no_person_crosses_and_folds_are_even(people: dict[str, int], n: int, seed: int) -> None:
    folds = person_folds(Counter(people).elements(), n, seed)
    held_out = [folds.held_out(fold) for fold in range(n)]
    assert Counter(name for fold in held_out for name in fold) == dict.fromkeys(people, 1)
    assert [sum(people[name] for name in fold) for fold in held_out] == list(folds.frames)
    # What the smallest fold got last was given to it when it was the smallest: no gap exceeds one person.
    assert max(folds.frames) - min(folds.frames) <= max(people.values())


@settings(max_examples=20)
@given(PEOPLE, st.randoms(use_true_random=False))
def test_the_order_of_pictures_does_not_count(people: dict[str, int], random: object) -> None:
    pictures = list(Counter(people).elements())
    before = person_folds(pictures, 5, 3)
    random.shuffle(pictures)  # type: ignore[attr-defined]
    assert person_folds(pictures, 5, 3) == before


def test_the_seed_counts() -> None:
    people = [str(n) for n in range(40)]
    assert person_folds(people, 5, 0) == person_folds(people, 5, 0)
    assert person_folds(people, 5, 0).of != person_folds(people, 5, 1).of


def test_folds_that_cannot_be_made() -> None:
    with pytest.raises(InputError, match="2 pictures name no person"):
        person_folds(["a", None, "b", None], 2)
    with pytest.raises(InputError, match="3 folds of 2 people cannot be made"):
        person_folds(["a", "b", "b"], 3)
    with pytest.raises(InputError, match="1 folds of 1 people"):
        person_folds(["a"], 1)
    with pytest.raises(InputError, match=r"--fold: 2 is not in \[0, 1\]"):
        person_folds(["a", "b"], 2).held_out(2)


@pytest.mark.parametrize("split", ["validation", "test"])
def test_only_the_training_split_is_a_source(split: Split) -> None:
    assert not is_source(record("anna", split))
    with pytest.raises(InputError, match=f"is of the {split} split; new pictures are made of training pictures only"):
        check_source(record("anna", split))
    for good in (None, "train"):
        check_source(record("anna", good))


def test_people_who_are_held_out_are_no_source() -> None:
    folds = person_folds(["anna", "ben", "ben", "cleo"], 2)
    for fold in range(2):
        for name in folds.of:
            assert is_source(record(name, "train"), folds.held_out(fold)) == (folds.of[name] != fold)
    with pytest.raises(InputError, match="its person, anna, is held out for testing"):
        check_source(record("anna"), frozenset({"anna"}))
    with pytest.raises(InputError, match="its person, unknown, is held out"):
        check_source(record(None), frozenset({"anna"}))
