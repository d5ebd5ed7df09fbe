import numpy as np
import pytest

from synth_affect.pipelines.evaluate_editor.background import background_change

POINTS = np.array([(40.0, 40.0), (60.0, 60.0)])
"""Widened by half of 20 px: rows and columns 30 to 70."""


@pytest.fixture
def before() -> np.ndarray:
    return np.full((100, 100, 3), 50, np.uint8)


def test_inside_the_region_anything_may_change(before: np.ndarray) -> None:
    after = before.copy()
    after[30:70, 30:70] = 255
    change = background_change(before, after, POINTS)
    assert change is not None
    assert (change.mean, change.share) == (0, 0)


def test_one_value_beside_it_is_seen(before: np.ndarray) -> None:
    after = before.copy()
    after[29, 30, 1] = 51
    after[70, 70] = 0
    change = background_change(before, after, POINTS)
    assert change is not None
    n = 100 * 100 - 40 * 40
    assert change.share == pytest.approx(2 / n)
    assert change.mean == pytest.approx((1 + 3 * 50) / (3 * n))


def test_sixteen_bits_are_compared_in_full(before: np.ndarray) -> None:
    deep = before.astype(np.uint16) * 257
    after = deep.copy()
    after[0, 0, 0] += 1
    change = background_change(deep, after, POINTS)
    assert change is not None
    assert change.share > 0
    assert change.mean == 0, "less than a grey level of 8 bits"


def test_a_face_that_fills_the_picture_has_no_background(before: np.ndarray) -> None:
    assert background_change(before, before, np.array([(0.0, 0.0), (100.0, 100.0)])) is None
