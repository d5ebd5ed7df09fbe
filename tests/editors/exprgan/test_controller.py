"""What c is in training, in edits, and for a point of the plane."""

from __future__ import annotations

import numpy as np
import pytest

from synth_affect.affect import Emotion, ValenceArousal, position
from synth_affect.editors.exprgan.controller import (
    CLASS_OF_CATEGORY,
    controller_at,
    controller_of,
    draw_controller,
)
from synth_affect.editors.exprgan.settings import CLASSES
from synth_affect.editors.faces import CATEGORIES, MIXED

torch = pytest.importorskip("torch")


def test_the_drawn_controller_is_positive_for_its_class_alone() -> None:
    """c_i = |z| (2 y_i - 1): the same d numbers everywhere, with a minus but for the class."""
    torch.manual_seed(0)
    classes = torch.tensor([3, 0, 5, 3])
    drawn = draw_controller(classes, 5)
    assert (drawn.shape, drawn.dtype) == ((4, 30), torch.float32)
    blocks = drawn.view(4, 6, 5)
    for block, number in zip(blocks, classes, strict=True):
        assert (block[number] > 0).all()
        for other in set(range(6)) - {int(number)}:
            torch.testing.assert_close(block[other], -block[number])
    many = draw_controller(torch.zeros(20_000, dtype=torch.int64), 5)[:, :5]
    assert float(many.mean()) == pytest.approx(1 / 2, abs=0.01)  # of |U(-1, 1)|
    assert float(many.var()) == pytest.approx(1 / 12, abs=0.005)
    assert float(many.max()) <= 1


def test_an_edit_is_one_for_its_class_and_minus_one_elsewhere() -> None:
    np.testing.assert_array_equal(controller_at(1, 1.0, 2), [-1, -1, 1, 1] + [-1] * 8)
    np.testing.assert_array_equal(controller_at(1, -0.5, 2), [-1, -1, -0.5, -0.5] + [-1] * 8)
    assert controller_at(0, 1.0, 5).dtype == np.float32


@pytest.mark.parametrize("emotion", CLASSES)
def test_a_categorys_position_asks_for_all_of_it(emotion: Emotion) -> None:
    there = position(emotion)
    number = CLASSES.index(emotion)
    np.testing.assert_allclose(controller_of(there, 5), controller_at(number, 1.0, 5), atol=1e-6)
    half = ValenceArousal(there.valence / 2, there.arousal / 2)
    np.testing.assert_allclose(controller_of(half, 5), controller_at(number, 0.0, 5), atol=1e-6)


def test_neutral_is_all_minus_one_from_every_side() -> None:
    np.testing.assert_array_equal(controller_of(ValenceArousal(0, 0), 5), np.full(30, -1))
    for angle in np.linspace(0, 2 * np.pi, 12):
        near = ValenceArousal(1e-6 * np.cos(angle), 1e-6 * np.sin(angle))
        np.testing.assert_allclose(controller_of(near, 5), np.full(30, -1), atol=1e-4)


def test_every_category_has_its_class() -> None:
    assert len(CLASS_OF_CATEGORY) == len(CATEGORIES) + 1
    assert CLASS_OF_CATEGORY[MIXED] == -1
    for number, category in enumerate(CATEGORIES):
        wanted = CLASSES.index(category) if category in CLASSES else -1
        assert CLASS_OF_CATEGORY[number] == wanted
    assert {CATEGORIES[i] for i in np.flatnonzero(CLASS_OF_CATEGORY[:-1] < 0)} == {Emotion.NEUTRAL, Emotion.CONTEMPT}
