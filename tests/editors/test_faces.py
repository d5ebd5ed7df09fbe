"""The value that editors are trained on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from synth_affect.affect import Emotion
from synth_affect.editors.faces import CATEGORIES, MIXED, EditorFaces
from synth_affect.errors import ShapeError

Make = Callable[..., EditorFaces]


def test_a_choice_keeps_pictures_and_labels_together(faces: Make) -> None:
    whole = faces()
    assert (len(whole), whole.size) == (20, 16)
    chosen = whole.select(np.array([7, 3]))
    np.testing.assert_array_equal(chosen.pictures, whole.pictures[[7, 3]])
    np.testing.assert_array_equal(chosen.affect, whole.affect[[7, 3]])
    assert [*chosen.keys] == ["p01/007", "p00/003"]
    assert chosen.people.tolist() == [1, 0]
    neutral = whole.select(whole.categories == CATEGORIES.index(Emotion.NEUTRAL))
    assert set(neutral.categories.tolist()) == {0}
    assert len(whole.select(np.zeros(20, dtype=bool))) == 0


def test_the_categories_are_the_eight_of_faces() -> None:
    assert len(CATEGORIES) == 8
    assert CATEGORIES[0] == Emotion.NEUTRAL
    assert MIXED not in range(8)


def test_arrays_that_do_not_fit_are_refused(faces: Make) -> None:
    good = faces()
    for broken, message in (
        ({"pictures": good.pictures.astype(np.float32)}, "pictures"),
        ({"pictures": good.pictures[:, :8]}, "pictures"),
        ({"affect": good.affect[:3]}, "affect"),
        ({"categories": np.full(20, 8)}, "categories"),
        ({"categories": np.full(20, -2)}, "categories"),
        ({"subjects": good.subjects[:3]}, "subjects"),
        ({"keys": good.keys[:3]}, "keys"),
    ):
        with pytest.raises(ShapeError, match=message):
            replace(good, **broken)
