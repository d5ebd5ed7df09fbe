from __future__ import annotations

import numpy as np
import pytest

from synth_affect.render.mask_box import mask_box
from synth_affect.render.rising import rising


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.float32])
@pytest.mark.parametrize(("pad", "shape"), [(0, (3, 2)), (1, (5, 4)), (4, (11, 10)), (50, (20, 30))])
def test_a_box_holds_what_is_not_0_and_ends_with_the_picture(dtype: type, pad: int, shape: tuple[int, int]) -> None:
    mask: np.ndarray = np.zeros((20, 30), dtype=dtype)
    mask[5, 10] = mask[7, 11] = 1
    box = mask_box(mask, pad)
    assert mask[box].shape == shape
    assert mask[box].sum() == 2
    assert box[0].start == max(5 - pad, 0)


def test_a_ramp_rises_between_its_ends() -> None:
    assert [rising(value, 2, 4) for value in (-1.0, 2.0, 3.5, 4.0, 9.0)] == [0, 0, 0.75, 1, 1]
    np.testing.assert_array_equal(rising(np.array([0.0, 3.0, 5.0]), 2, 4), [0, 0.5, 1])
