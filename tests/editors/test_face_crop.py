"""Cutting a face out and pasting it back."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from synth_affect.arrays import FloatArray, ImageArray
from synth_affect.editors.face_crop import (
    LEFT_EYE,
    MOUTH_CORNERS,
    PLACES,
    RIGHT_EYE,
    FaceCrop,
    align,
    cut_out,
    paste_back,
)
from synth_affect.errors import FitError, ShapeError


def face_points(yaw_rad: float = 0.0) -> FloatArray:
    """(68, 2) places of a plain face, 1 wide, turned about the vertical."""
    angle = np.linspace(np.pi, 0, 17)
    jaw = np.column_stack([0.33 * np.cos(angle), 0.46 + 0.44 * np.sin(angle), -0.2 - 0.2 * np.abs(np.cos(angle))])
    brows = np.column_stack([np.r_[-0.24:-0.06:5j, 0.06:0.24:5j], np.full(10, 0.26), np.zeros(10)])
    nose = np.column_stack([np.r_[np.zeros(4), -0.06:0.06:5j], np.r_[0.34:0.5:4j, np.full(5, 0.53)], np.full(9, 0.15)])
    turn = np.linspace(0, 2 * np.pi, 6, endpoint=False)
    eye = np.column_stack([0.05 * np.cos(turn), 0.34 + 0.02 * np.sin(turn), np.zeros(6)])
    turn = np.linspace(np.pi, 3 * np.pi, 12, endpoint=False)
    lips = np.column_stack([0.1 * np.cos(turn), 0.66 - 0.04 * np.sin(turn), np.full(12, 0.05)])
    offset = np.array([0.14, 0, 0])
    parts = [jaw, brows, nose, eye - offset, eye + offset, lips, lips[[0, 2, 3, 4, 6, 8, 9, 10]]]
    solid = np.concatenate(parts)
    x = solid[:, 0] * np.cos(yaw_rad) + solid[:, 2] * np.sin(yaw_rad)
    return np.column_stack([x + 0.5, solid[:, 1]])


def picture(height: int = 240, width: int = 320, dtype: type = np.uint8, seed: int = 0) -> ImageArray:
    """Smooth blobs with a little grain."""
    rng = np.random.default_rng(seed)
    coarse = cv2.resize(rng.uniform(0.2, 0.8, (8, 10, 3)), (width, height), interpolation=cv2.INTER_CUBIC)
    most = np.iinfo(dtype).max
    pixels: ImageArray = np.clip((coarse + rng.normal(0, 0.01, coarse.shape)) * most, 0, most).astype(dtype)
    return pixels


def placed(scale: float, turn: float, x: float, y: float, points: FloatArray | None = None) -> FloatArray:
    cos, sin = scale * np.cos(turn), scale * np.sin(turn)
    moved: FloatArray = (face_points() if points is None else points) @ np.array([[cos, -sin], [sin, cos]]).T + [x, y]
    return moved


def inside(crop: FaceCrop, shape: tuple[int, ...]) -> np.ndarray:
    """Pixels whose centres are within the region."""
    outline = (crop.region @ crop.matrix[:2, :2].T + crop.matrix[:2, 2]).astype(np.float32)
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    tests = [cv2.pointPolygonTest(outline, (float(a), float(b)), False) for a, b in zip(x.flat, y.flat, strict=True)]
    return np.reshape(tests, shape[:2]) >= 0


def test_eyes_and_mouth_come_to_their_places() -> None:
    points = placed(120, 0.3, 90, 40)
    crop = align(points.astype(np.float32))
    assert crop.side_px == pytest.approx(120, rel=1e-5)
    for group, place in zip((RIGHT_EYE, LEFT_EYE, MOUTH_CORNERS), PLACES, strict=True):
        at = crop.matrix @ [*place, 1]
        np.testing.assert_allclose(at[:2], points[list(group)].mean(axis=0), atol=1e-3)
    moved = align(placed(240, 0.3, 10, -30))
    areas = [cv2.contourArea(one.region.astype(np.float32)) for one in (crop, moved)]
    assert areas[0] == pytest.approx(areas[1], rel=1e-4)
    assert crop.region.min() >= 0.019
    assert crop.region.max() <= 0.981


def test_a_crop_shows_what_is_there() -> None:
    image = np.zeros((200, 200, 3), dtype=np.uint8)
    points = placed(100, 0.0, 50, 50)
    image[84, 86] = 255  # the pixel whose centre is (86.5, 84.5): place (0.365, 0.345)
    crop = cut_out(image, align(points), 100)
    assert crop.shape == (100, 100, 3)
    assert crop.dtype == np.float32
    assert divmod(int(crop[..., 0].argmax()), 100) == (34, 36)
    assert crop[34, 36, 0] == pytest.approx(1, abs=1e-3)
    assert crop[0, 0, 0] == -1
    ramp = np.repeat(np.arange(200, dtype=np.uint8)[np.newaxis, :, np.newaxis], 200, axis=0).repeat(3, axis=2)
    for size in (10, 25, 64, 100, 300):  # smaller ones average all pixels, and none shifts
        line = (cut_out(ramp, align(points), size)[size // 2, :, 0] + 1) * 127.5
        wanted = 50 + (np.arange(size) + 0.5) * 100 / size - 0.5
        np.testing.assert_allclose(line, wanted, atol=0.51)


def test_a_crop_that_shrinks_skips_no_pixel() -> None:
    checks = ((np.indices((600, 600)).sum(axis=0) % 2) * 255).astype(np.uint8)[..., np.newaxis].repeat(3, axis=2)
    crop = cut_out(checks, align(placed(500, 0.2, 100, 20)), 50)
    assert np.abs(crop).max() < 0.15


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(
    ("scale", "turn", "x", "y"),
    [(120, 0.2, 90, 50), (300, 0.0, 20, -20), (100, -0.3, -40, 150), (90, 0.0, 270, -30), (20, 0.1, 100, 100)],
    ids=["within", "large", "lower left border", "upper right border", "tiny"],
)
def test_the_background_keeps_its_bytes(dtype: type, scale: float, turn: float, x: float, y: float) -> None:
    image = picture(dtype=dtype)
    image.flags.writeable = False
    crop = align(placed(scale, turn, x, y))
    edited = np.random.default_rng(1).uniform(-1, 1, (64, 64, 3)).astype(np.float32)
    result = paste_back(image, crop, edited)
    assert (result.dtype, result.shape) == (image.dtype, image.shape)
    changed = (result != image).any(axis=2)
    assert changed.sum() > 0.2 * scale**2 * (0.4 if x < 0 or y < 0 or x > 200 else 1)
    grown = cv2.dilate(inside(crop, image.shape).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert not (changed & ~grown).any()


@pytest.mark.parametrize("yaw_deg", [-85, -45, 60])
def test_a_turned_face_changes_where_it_is(yaw_deg: float) -> None:
    image = picture()
    points = placed(120, 0.0, 100, 60, face_points(np.radians(yaw_deg)))
    crop = align(points)
    assert 60 < crop.side_px < 125
    changed = (paste_back(image, crop, np.ones((32, 32, 3), dtype=np.float32)) != image).any(axis=2)
    assert changed.sum() > 1500
    assert not changed[:, :90].any()
    assert not changed[:, 230:].any()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_an_unchanged_crop_changes_nothing_that_is_seen(dtype: type) -> None:
    image = picture(dtype=dtype)
    crop = align(placed(130, 0.15, 80, 40))
    result = paste_back(image, crop, cut_out(image, crop, 130))
    scale = 255 / np.iinfo(dtype).max
    assert np.abs(result.astype(float) - image).mean() * scale < 0.5
    assert np.abs(result.astype(float) - image).max() * scale < 12


def test_no_seam_where_the_network_sees_another_light() -> None:
    image = picture()
    crop = align(placed(130, 0.15, 80, 40))
    result = paste_back(image, crop, np.clip(cut_out(image, crop, 130) + 0.3, -1, 1))
    before, after = image.astype(float), result.astype(float)
    for axis in (0, 1):  # no step that was not there
        new = np.abs(np.diff(after, axis=axis)) - np.abs(np.diff(before, axis=axis))
        assert new.max() < 14, "of 38 grey levels that the crop was brightened"
    whole = paste_back(image, crop, np.full((64, 64, 3), 0.9, dtype=np.float32))
    assert np.abs(whole.astype(float) - before).max() > 5, "a crop without the face takes it away"


def test_grey_stays_grey() -> None:
    image: ImageArray = np.repeat(picture()[..., :1], 3, axis=2).astype(np.uint8)
    crop = align(placed(120, 0.2, 90, 50))
    edited = np.random.default_rng(1).uniform(-1, 1, (64, 64, 3)).astype(np.float32)
    result = paste_back(image, crop, edited)
    assert (result != image).any()
    assert (np.ptp(result, axis=2) == 0).all()


def test_a_face_outside_the_picture_leaves_it_as_it_is() -> None:
    image = picture()
    crop = align(placed(100, 0.0, 500, 50))
    np.testing.assert_array_equal(paste_back(image, crop, cut_out(image, crop, 16)), image)


def test_what_is_no_face_is_refused() -> None:
    with pytest.raises(FitError, match="a face of 5 px is too small"):
        align(placed(5, 0.0, 100, 100))
    with pytest.raises(ShapeError, match="points"):
        align(np.zeros((5, 2)))
    with pytest.raises(ShapeError, match="finite"):
        align(np.full((68, 2), np.nan))
    with pytest.raises(FitError, match="too small"):
        align(np.zeros((68, 2)))
