"""Pictures as values."""

from __future__ import annotations

import numpy as np
import pytest

from synth_affect.errors import ShapeError
from tests.data.picture_files import picture, smooth_pixels


def test_values_are_checked_and_read_only() -> None:
    with pytest.raises(ShapeError, match="uint8 or uint16"):
        picture(pixels=smooth_pixels().astype(np.float32))
    with pytest.raises(ShapeError, match=r"alpha: expected \(24, 40\)"):
        picture(alpha=np.zeros((3, 3), np.uint8))
    with pytest.raises(ValueError, match="read-only"):
        picture().pixels[0, 0, 0] = 1
    assert picture(pixels=smooth_pixels().astype(np.uint16)).pixels.dtype == np.uint16
