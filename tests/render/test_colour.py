"""sRGB and linear light."""

from __future__ import annotations

import numpy as np
import pytest

from synth_affect.arrays import ImageArray
from synth_affect.errors import ShapeError
from synth_affect.render.colour import LUMINANCE_WEIGHTS, linear_to_srgb, luminance, srgb_to_linear

CODES = np.arange(256, dtype=np.uint8).reshape(16, 16)


def test_known_values() -> None:
    """The worked numbers of the module, and IEC 61966-2-1 at its seam and its ends."""
    assert srgb_to_linear(np.array([128], np.uint8))[0] == pytest.approx(0.2158605, abs=1e-6)
    assert linear_to_srgb(np.array([0.18]), np.uint8)[0] == 118
    np.testing.assert_allclose(
        srgb_to_linear(np.array([0.0, 0.04045, 0.5, 1.0])), [0, 0.0031308, 0.2140411, 1], atol=1e-6
    )
    np.testing.assert_allclose(
        linear_to_srgb(np.array([0.0, 0.0031308, 0.2140411, 1.0])), [0, 0.04045, 0.5, 1], atol=1e-5
    )


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_round_trip_of_every_code_is_exact(dtype: type) -> None:
    codes: ImageArray = np.arange(np.iinfo(dtype).max + 1).astype(dtype).reshape(16, -1)
    linear = srgb_to_linear(codes)
    assert linear.shape == codes.shape
    assert linear.dtype == np.float32
    assert (np.diff(linear.ravel()) > 0).all()
    back = linear_to_srgb(linear, dtype)
    assert back.dtype == dtype
    np.testing.assert_array_equal(back, codes)


def test_depths_agree_with_each_other() -> None:
    from_uint8 = srgb_to_linear(CODES)
    np.testing.assert_allclose(srgb_to_linear(CODES.astype(np.uint16) * 257), from_uint8, atol=1e-7)
    np.testing.assert_allclose(srgb_to_linear(CODES / np.float32(255)), from_uint8, atol=1e-6)


def test_table_rounds_to_the_nearest_code() -> None:
    linear = np.linspace(0, 1, 100_001, dtype=np.float32)
    exact = 255 * linear_to_srgb(linear)
    assert np.abs(linear_to_srgb(linear, np.uint8) - exact).max() < 0.53


def test_what_no_picture_can_hold_is_cut_off() -> None:
    np.testing.assert_array_equal(linear_to_srgb(np.array([-1.0, 7.0]), np.uint8), [0, 255])
    np.testing.assert_allclose(linear_to_srgb(np.array([-1.0, 7.0])), [0, 1], atol=1e-6)


def test_unknown_depth_is_refused() -> None:
    with pytest.raises(ShapeError, match="dtype: expected float32, uint8 or uint16, got int64"):
        linear_to_srgb(np.zeros(3), np.int64)


def test_luminance_of_white_and_of_the_primaries() -> None:
    assert luminance(np.ones((4, 5, 3))).shape == (4, 5)
    np.testing.assert_allclose(luminance(np.ones(3)), 1, atol=1e-6)
    np.testing.assert_allclose(luminance(np.eye(3)), LUMINANCE_WEIGHTS)
