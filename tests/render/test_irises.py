from __future__ import annotations

import cv2
import numpy as np
import pytest

from synth_affect.arrays import FloatArray
from synth_affect.render.irises import RADIUS_MM, find_irises

PX_PER_MM = 3.0
SIZE = (160, 320)
EXPECTED = np.array([[90.0, 80.0], [230.0, 80.0]])
BROWN, WHITE, SKIN = (70, 45, 35), (205, 200, 195), (190, 140, 120)


def eyes(
    moved_mm: tuple[float, float] = (0.0, 0.0),
    radius_mm: float = RADIUS_MM,
    *,
    half_opening_mm: float = 5.0,
    tilt: float = 0.0,
    noise: float = 0.0,
) -> tuple[FloatArray, FloatArray]:
    """A picture of two eyes between lids, both irises beside where they are expected, and how far inside the lids."""
    picture = np.full((*SIZE, 3), SKIN, dtype=np.float32)
    opening = np.zeros(SIZE, dtype=np.uint8)
    big, iris = picture.repeat(4, axis=0).repeat(4, axis=1), np.zeros((4 * SIZE[0], 4 * SIZE[1]), dtype=np.uint8)
    for x, y in EXPECTED:
        at = (x + moved_mm[0] * PX_PER_MM, y + moved_mm[1] * PX_PER_MM)
        axes = (radius_mm * PX_PER_MM * np.sqrt(1 - tilt**2), radius_mm * PX_PER_MM)
        cv2.ellipse(iris, [int(32 * v - 4) for v in at], [int(32 * a) for a in axes], 0, 0, 360, 1, -1, cv2.LINE_8, 3)
        half = (round(15 * PX_PER_MM), round(half_opening_mm * PX_PER_MM))
        cv2.ellipse(opening, (int(x), int(y)), half, 0, 0, 360, 1, -1)
    big[iris > 0], big[iris == 0] = BROWN, WHITE
    painted = cv2.resize(big, SIZE[::-1], interpolation=cv2.INTER_AREA)
    picture[opening > 0] = painted[opening > 0]
    picture += noise * np.random.default_rng(3).normal(size=picture.shape).astype(np.float32)
    return picture, cv2.distanceTransform(opening, cv2.DIST_L2, cv2.DIST_MASK_5) / PX_PER_MM


@pytest.mark.parametrize("moved_mm", [(0.0, 0.0), (2.0, 0.5), (-1.3, -0.7)])
@pytest.mark.parametrize("radius_mm", [5.2, 5.8, 6.3])
def test_an_iris_is_found_beside_its_expected_place(moved_mm: tuple[float, float], radius_mm: float) -> None:
    picture, inside = eyes(moved_mm, radius_mm, noise=4.0)
    irises = find_irises(picture, inside, EXPECTED, EXPECTED, PX_PER_MM)
    assert irises.centres.dtype == np.float32
    assert irises.to_iris.shape == (2, 2, 2)
    off_mm = (irises.centres - EXPECTED) / PX_PER_MM - moved_mm
    assert np.abs(off_mm[:, 0]).max() < 0.2
    assert np.abs(off_mm[:, 1]).max() < 0.4  # lids hide what would tell
    for eye in (0, 1):
        assert irises.radius_px(eye) / PX_PER_MM == pytest.approx(radius_mm, abs=0.3)


def test_narrow_eyes_show_enough() -> None:
    picture, inside = eyes((1.5, 0.0), 5.5, half_opening_mm=2.8)
    irises = find_irises(picture, inside, EXPECTED, EXPECTED, PX_PER_MM)
    assert np.abs((irises.centres[:, 0] - EXPECTED[:, 0]) / PX_PER_MM - 1.5).max() < 0.3


def test_lamps_in_an_iris_do_not_move_it() -> None:
    picture, inside = eyes()
    for x, y in EXPECTED.astype(int):
        picture[y - 12 : y - 4, x + 6 : x + 14] = 255
    irises = find_irises(picture, inside, EXPECTED, EXPECTED, PX_PER_MM)
    assert np.abs(irises.centres - EXPECTED).max() < 0.4 * PX_PER_MM


@pytest.mark.parametrize("closed", [True, False])
def test_irises_that_are_not_seen_are_where_they_are_expected(closed: bool) -> None:
    picture = np.full((*SIZE, 3), SKIN, dtype=np.float32)
    inside = np.zeros(SIZE, dtype=np.float32) if closed else eyes()[1]
    irises = find_irises(picture, inside, EXPECTED, EXPECTED, PX_PER_MM)
    np.testing.assert_allclose(irises.centres, EXPECTED)
    np.testing.assert_allclose(irises.radius_px(0), RADIUS_MM * PX_PER_MM, rtol=1e-4)


def test_an_iris_that_looks_aside_is_narrower() -> None:
    """The ball's middle lies 0.5 of its radius beside: the iris is seen at an angle of 30 degrees."""
    picture, inside = eyes(tilt=0.5)
    balls = EXPECTED - [0.5 * 15.0 * PX_PER_MM, 0]
    irises = find_irises(picture, inside, EXPECTED, balls, PX_PER_MM)
    at_the_side = irises.radius(np.array([90 + 10]), np.array([80]), np.array([0]))
    below = irises.radius(np.array([90]), np.array([80 + 10]), np.array([0]))
    assert at_the_side[0] / below[0] == pytest.approx(1 / np.sqrt(1 - 0.25), rel=0.06)


def test_each_pixel_has_its_nearer_eye() -> None:
    irises = find_irises(*eyes(), EXPECTED, EXPECTED, PX_PER_MM)
    np.testing.assert_array_equal(
        irises.nearest(np.array([10, 140, 180, 300]), np.array([80, 20, 20, 150])), [0, 0, 1, 1]
    )
