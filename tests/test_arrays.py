from __future__ import annotations

import numpy as np
import pytest

from synth_affect.arrays import readonly
from synth_affect.errors import ShapeError


def test_gives_the_dtype_asked_for_as_a_view_that_cannot_be_written() -> None:
    checked = readonly([[1, 2], [3, 4]], "points", ("n_points", 2), np.float32)
    assert checked.dtype == np.float32
    assert checked.flags.c_contiguous
    with pytest.raises(ValueError, match="read-only"):
        checked[0, 0] = 5


def test_leaves_the_callers_array_writable_and_shares_its_memory() -> None:
    mine = np.zeros((3, 3), dtype=np.float32)
    checked = readonly(mine, "points", ("n_points", 3), np.float32)
    mine[0, 0] = 7
    assert checked[0, 0] == 7


@pytest.mark.parametrize("array", [np.zeros((4, 2)), np.zeros(3), np.zeros((1, 4, 3))])
def test_another_shape_is_refused_with_both_shapes_in_the_message(array: np.ndarray) -> None:
    with pytest.raises(ShapeError) as caught:
        readonly(array, "vertices", ("n_vertices", 3), np.float32)
    actual = "(" + ", ".join(str(n) for n in array.shape) + ")"
    assert str(caught.value) == f"vertices: expected (n_vertices, 3), got {actual}"


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_refused(bad: float) -> None:
    with pytest.raises(ShapeError, match="offsets: expected finite numbers, got NaN or infinity"):
        readonly([0.0, bad], "offsets", ("n",), np.float64)


def test_an_empty_array_passes_where_any_count_is_taken() -> None:
    assert readonly(np.zeros((0, 3)), "vertices", ("n_vertices", 3), np.float32).shape == (0, 3)
