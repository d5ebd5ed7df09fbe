"""Shares of crops whose readings are written down."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from synth_affect.affect import Emotion
from synth_affect.pipelines.evaluate_editor.crop_scores import CropReadings, score_crops

N, H, F, C = Emotion.NEUTRAL, Emotion.HAPPINESS, Emotion.FEAR, Emotion.CONTEMPT
CATEGORIES = (N, H, F, C)


def readings(rows: Sequence[tuple[Emotion, Emotion, Emotion, str]]) -> CropReadings:
    """Of (shown, read first, read second, whose it is)."""
    logits = np.zeros((len(rows), len(CATEGORIES)), dtype=np.float32)
    for row, (_, first, second, _) in zip(logits, rows, strict=True):
        row[CATEGORIES.index(second)] = 1
        row[CATEGORIES.index(first)] = 2
    shown = np.array([CATEGORIES.index(row[0]) for row in rows])
    return CropReadings(CATEGORIES, logits, shown, np.array([row[3] for row in rows]))


EDITS = readings([(H, H, N, "a"), (F, C, F, "a"), (H, H, N, "b"), (F, H, N, "b"), (H, C, N, "c"), (F, F, N, "c")])
REAL = readings([(N, N, H, "a"), (N, H, N, "b"), (N, N, H, "c"), (N, N, H, "d"), (H, H, N, "a"), (H, C, H, "b")])


def test_shares_are_of_what_was_asked_for() -> None:
    found = score_crops(EDITS, REAL, (H, F))
    assert found["edits"]["accuracy"]["value"] == pytest.approx(3 / 6)
    assert found["edits"]["n_groups"] == 3
    assert found["real"]["accuracy"]["value"] == pytest.approx(4 / 6)
    # One of four neutral faces is called happy, none afraid.
    assert found["left_alone"] == pytest.approx((1 / 4 + 0) / 2)
    happiness, fear = found["of_each"]["happiness"], found["of_each"]["fear"]
    assert happiness["edits"]["value"] == pytest.approx(2 / 3)
    assert happiness["taken_for"] == {"contempt": pytest.approx(1 / 3)}
    assert (happiness["real"], happiness["unedited"]) == (0.5, 0.25)
    assert fear["taken_for"] == {"happiness": pytest.approx(1 / 3), "contempt": pytest.approx(1 / 3)}
    assert (fear["real"], fear["unedited"]) == (None, 0)


def test_what_the_editor_does_not_know_need_not_be_named() -> None:
    found = score_crops(EDITS, REAL, (H, F))
    # Without contempt the second of a is fear, and the first of c neutral; the second real picture of b is happy.
    assert found["edits_among_asked"]["accuracy"]["value"] == pytest.approx(4 / 6)
    assert found["real_among_asked"]["accuracy"]["value"] == pytest.approx(5 / 6)


def test_intervals_draw_people() -> None:
    # Each person is named all or nothing: the interval is that of four people, not of forty pictures.
    rows = [(H, H if person < "c" else F, N, person) for person in "abcd" for _ in range(10)]
    accuracy = readings(rows).scores()["accuracy"]
    assert accuracy["value"] == 0.5
    assert accuracy["low"] <= 0.05
    assert accuracy["high"] >= 0.95


def test_nobody_neutral_is_nothing_to_compare_with() -> None:
    found = score_crops(EDITS, readings([(H, H, N, "a")]), (H, F))
    assert found["left_alone"] is None
    assert found["of_each"]["happiness"]["unedited"] is None
