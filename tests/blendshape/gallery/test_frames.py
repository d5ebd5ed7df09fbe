from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from synth_affect.affect import Emotion
from synth_affect.blendshape.gallery.frames import (
    CATEGORIES,
    NO_CATEGORY,
    FrameTable,
    GallerySequence,
    annotated,
    select,
    subject_folds,
)
from synth_affect.errors import InputError, ShapeError
from tests.blendshape.conftest import MakeSequence


def table(subject: list[int], **columns: object) -> FrameTable:
    """Frames of subjects "s0", "s1", ..., one sequence a subject."""
    n = len(subject)
    values: dict[str, object] = {
        "subject_names": tuple(f"s{k}" for k in range(max(subject) + 1)),
        "session_names": ("1",),
        "sequence_names": tuple("q" for _ in range(max(subject) + 1)),
        "subject": subject,
        "session": [0] * n,
        "sequence": subject,
        "frame": range(n),
        "valence": [0.0] * n,
        "arousal": [0.0] * n,
        "posed": [False] * n,
        "apex": [False] * n,
        "category": [NO_CATEGORY] * n,
    }
    arrays = {name: value if name.endswith("names") else np.array(value) for name, value in (values | columns).items()}
    return FrameTable(**arrays)  # type: ignore[arg-type]


# Sequences


def test_a_sequence_is_what_was_given_and_read_only(make_sequence: MakeSequence) -> None:
    sequence = make_sequence("smile", 8, posed=True, category=Emotion.HAPPINESS)
    assert sequence.offsets.dtype == np.float16
    assert sequence.valence.dtype == sequence.arousal.dtype == np.float32
    assert sequence.frame.dtype == np.int32
    with pytest.raises(ValueError, match="read-only"):
        sequence.offsets[0, 0, 0] = 1


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("subject", "", "is not a name"),
        ("session", "a\nb", "is not a name"),
        ("valence", np.full(4, 1.01), r"valence: expected numbers in \[-1, 1\]"),
        ("arousal", np.array([0, np.inf, 0, 0]), r"arousal: expected numbers in \[-1, 1\]"),
        ("arousal", np.zeros(5), "arousal"),
        ("offsets", np.full((4, 3, 3), np.nan), "offsets: expected finite numbers"),
        ("offsets", np.zeros((4, 9)), "offsets"),
        ("frame", np.array([0, 1, 1, 2]), "frame: expected increasing numbers"),
        ("apex", np.zeros(3, bool), "apex"),
    ],
)
def test_what_is_no_sequence_is_refused(make_sequence: MakeSequence, field: str, value: Any, message: str) -> None:
    with pytest.raises((InputError, ShapeError), match=message):
        dataclasses.replace(make_sequence("q", 4), **{field: value})


def test_frames_without_labels_are_nan_and_kept(make_sequence: MakeSequence) -> None:
    sequence: GallerySequence = make_sequence("q", 4)
    assert np.isnan(dataclasses.replace(sequence, valence=np.full(4, np.nan)).valence).all()


# Tables


def test_a_table_has_one_entry_a_frame() -> None:
    with pytest.raises(ShapeError, match="valence"):
        table([0, 0, 1], valence=[0.0, 0.0])
    assert len(table([0, 0, 1])) == 3


def test_annotated_needs_both() -> None:
    frames = table([0, 0, 0, 0], valence=[0.1, np.nan, 0.2, np.nan], arousal=[0.1, 0.3, np.nan, np.nan])
    np.testing.assert_array_equal(annotated(frames), [True, False, False, False])


def test_select_meets_every_condition() -> None:
    fear = CATEGORIES.index(Emotion.FEAR)
    frames = table(
        [0, 0, 1, 1, 2],
        posed=[True, False, True, True, True],
        category=[fear, fear, fear, NO_CATEGORY, fear],
        apex=[True, True, False, True, True],
        valence=[0.0, 0.0, 0.0, 0.0, np.nan],
    )
    np.testing.assert_array_equal(select(frames), range(5))
    np.testing.assert_array_equal(select(frames, subjects=["s1", "s2"]), [2, 3, 4])
    np.testing.assert_array_equal(select(frames, posed=False), [1])
    np.testing.assert_array_equal(select(frames, category=Emotion.FEAR, apex=True), [0, 1, 4])
    np.testing.assert_array_equal(select(frames, posed=True, apex=True, only_annotated=True), [0, 3])
    np.testing.assert_array_equal(select(frames, subjects=[]), [])
    with pytest.raises(InputError, match="subjects: 's7' is not in the gallery"):
        select(frames, subjects=["s0", "s7"])


# Folds


@pytest.mark.parametrize("n_folds", [2, 5])
def test_folds_part_people_and_cover_everybody_once(n_folds: int) -> None:
    rng = np.random.default_rng(0)
    frames = table(np.repeat(rng.permutation(40), rng.integers(1, 30, 40)).tolist())
    tested = []
    for train, test in subject_folds(frames, n_folds, np.random.default_rng(1)):
        assert not set(frames.subject[train]) & set(frames.subject[test])
        np.testing.assert_array_equal(np.sort(np.concatenate([train, test])), np.arange(len(frames)))
        tested.append(test)
    np.testing.assert_array_equal(np.sort(np.concatenate(tested)), np.arange(len(frames)))
    sizes = np.array([len(test) for test in tested])
    assert np.ptp(sizes) <= 30, "more than the largest subject"


def test_folds_depend_on_the_generator_alone() -> None:
    frames = table(np.repeat(np.arange(20), 3).tolist())

    def first(seed: int) -> list[int]:
        return next(subject_folds(frames, 4, np.random.default_rng(seed)))[1].tolist()

    assert first(0) == first(0)
    assert first(0) != first(1)


@pytest.mark.parametrize("n_folds", [0, 1, 4])
def test_folds_need_as_many_people(n_folds: int) -> None:
    with pytest.raises(InputError, match="cannot be made from 3 subjects"):
        next(subject_folds(table([0, 1, 2]), n_folds, np.random.default_rng(0)))
