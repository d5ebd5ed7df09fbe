"""What changes between two drawings of a face."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from synth_affect.arrays import FloatArray
from synth_affect.editors.face_change import change_between, likest

SIDE = 64


def drawing(*, smile: float = 0.0, zoom: float = 1.0, tone: float = 0.0, opened: float = 0.0) -> FloatArray:
    """A blurred face: eyes, nose, mouth. smile : px that the corners of the mouth rise by.  zoom : of the whole face.
    opened : how dark the mouth is inside.
    """
    rows, columns = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    x, y = (columns - 31.5) / zoom, (rows - 31.5) / zoom

    def spot(at: tuple[float, float], size: tuple[float, float]) -> FloatArray:
        found: FloatArray = np.exp(-(((x - at[0]) / size[0]) ** 2) - ((y - at[1]) / size[1]) ** 2)
        return found

    face = 0.4 - 0.7 * spot((-9, -10), (4, 2)) - 0.7 * spot((9, -10), (4, 2)) - 0.3 * spot((0, 0), (2, 4))
    curve = smile * np.minimum((x / 8) ** 2, 1.5)
    face -= 0.8 * np.exp(-((x / 9) ** 4) - ((y - 11 + curve) / 2) ** 2)
    face -= opened * spot((0, 16), (5, 2.5))
    shaded: FloatArray = (face + tone)[..., np.newaxis].repeat(3, axis=2).astype(np.float32)
    return shaded


def test_a_drawing_that_stays_changes_nothing() -> None:
    same = change_between(drawing(), drawing())
    assert not same.moves.any()
    assert not same.rest.any()
    assert (same.moves.shape, same.rest.shape, same.moves.dtype) == ((64, 64, 2), (64, 64, 3), np.float32)


def test_corners_of_a_mouth_that_rise_are_a_movement() -> None:
    change = change_between(drawing(), drawing(smile=4))
    right, middle = change.moves[38:42, 22:25, 1].mean() * SIDE, change.moves[42:44, 30:33, 1].mean() * SIDE
    assert 1.5 < right < 5, "what comes to the corner lay lower"
    assert abs(middle) < 1
    assert np.abs(change.moves[18:25]).max() * SIDE < 0.7, "eyes rest"


def test_a_crop_that_was_aligned_by_another_mouth_is_brought_back() -> None:
    """A smile enlarges the crop; the eyes of the photograph stay where they are."""
    apart = change_between(drawing(), drawing(zoom=1.08))
    assert np.abs(apart.moves[16:28, 16:48]).max() * SIDE < 0.5
    unaligned = drawing(zoom=1.08) - drawing()
    assert np.abs(apart.rest[16:28, 16:48]).max() < 0.3 * np.abs(unaligned[16:28, 16:48]).max()


def test_light_and_most_of_a_colour_stay_the_photographs() -> None:
    lighter = change_between(drawing(), drawing(tone=0.3))
    assert np.abs(lighter.rest).max() < 0.05
    red = drawing()
    patch = cv2.GaussianBlur(np.pad(np.full((6, 6), 0.6, np.float32), ((44, 14), (29, 29))), (0, 0), 1.5)
    red[..., 0] += patch
    rest = change_between(drawing(), red).rest[44:50, 29:35].mean(axis=(0, 1))
    assert 0 < rest[0] - rest[1] < 0.5 * (patch[44:50, 29:35].mean())


def test_a_mouth_that_opens_is_added_and_the_gain_multiplies() -> None:
    one, two = (change_between(drawing(), drawing(opened=0.8), gain) for gain in (1.0, 2.0))
    assert one.rest[46:50, 29:35].mean() < -0.15
    np.testing.assert_allclose(two.rest, 2 * one.rest, atol=1e-6)
    np.testing.assert_allclose(two.moves, 2 * one.moves, atol=1e-6)


@pytest.mark.parametrize("shown", [0, 1, 2])
def test_the_likest_drawing_is_found_under_another_tone(shown: int) -> None:
    drawings = np.stack([drawing(), drawing(smile=5), drawing(opened=0.8)])
    crop = np.clip(0.6 * drawings[shown] + 0.3, -1, 1)
    assert likest(crop, drawings, [0, 1, 1]) == shown


def test_of_two_that_are_as_like_the_milder_one_is_taken() -> None:
    drawings = np.stack([drawing(opened=0.8), drawing(), drawing(smile=1)])
    between = (drawing() + drawing(smile=1)) / 2
    assert likest(between, drawings[[2, 1]], [1, 0]) == 1
    assert likest(between, drawings[[2, 1]], [0, 1]) == 0
