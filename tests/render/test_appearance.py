"""Teeth that the photograph shows set the white of those that are drawn."""

from __future__ import annotations

import numpy as np
import pytest

from synth_affect.arrays import BoolArray, FloatArray
from synth_affect.render.appearance import own_tooth_white
from synth_affect.render.colour import luminance, srgb_to_linear

ESTIMATED = np.array([0.5, 0.47, 0.42], dtype=np.float32)
SKIN, LIPS, CAVITY, TONGUE = (200, 150, 125), (180, 80, 80), (40, 15, 15), (190, 95, 95)
Face = tuple[FloatArray, BoolArray, BoolArray, BoolArray]


def face(inside: tuple[int, int, int], *, height: int = 20) -> Face:
    """Pixels, face, lips and inside of a mouth that is `height` rows high and shows one colour."""
    pixels = np.full((60, 60, 3), SKIN, dtype=np.float32)
    lips, opened = np.zeros((60, 60), dtype=bool), np.zeros((60, 60), dtype=bool)
    lips[15 : 25 + height, 10:50] = True
    opened[20 : 20 + height, 15:45] = True
    lips &= ~opened
    pixels[lips], pixels[opened] = LIPS, inside
    return pixels, ~opened, lips, opened


@pytest.mark.parametrize("tooth", [(215, 205, 190), (170, 160, 150)])
def test_drawn_teeth_are_as_bright_as_those_that_are_seen(tooth: tuple[int, int, int]) -> None:
    white = own_tooth_white(ESTIMATED, *face(tooth))
    expected = float(luminance(srgb_to_linear(np.array(tooth, np.float32) / 255)))
    assert float(luminance(white)) == pytest.approx(expected, rel=0.02)


def test_a_reddish_tint_comes_half_way() -> None:
    tooth = np.array([215, 190, 180], np.float32)
    seen = srgb_to_linear(tooth / 255)
    ratio = seen[0] / seen[2], ESTIMATED[0] / ESTIMATED[2]
    white = own_tooth_white(ESTIMATED, *face((215, 190, 180)))
    assert white[0] / white[2] == pytest.approx(np.sqrt(ratio[0] * ratio[1]), rel=0.01)


def test_teeth_stay_below_clipped_white() -> None:
    assert own_tooth_white(ESTIMATED, *face((255, 255, 250))).max() <= 0.8 + 1e-6


@pytest.mark.parametrize("inside", [CAVITY, TONGUE])
def test_a_mouth_that_shows_no_teeth_says_nothing(inside: tuple[int, int, int]) -> None:
    np.testing.assert_array_equal(own_tooth_white(ESTIMATED, *face(inside)), ESTIMATED)


def test_a_slit_is_too_little_to_tell() -> None:
    np.testing.assert_array_equal(own_tooth_white(ESTIMATED, *face((215, 205, 190), height=2)), ESTIMATED)
