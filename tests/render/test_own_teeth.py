from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from synth_affect.arrays import BoolArray, FloatArray, ImageArray
from synth_affect.heads.camera import Camera
from synth_affect.render.compose import render_expression
from synth_affect.render.own_teeth import own_upper_teeth
from synth_affect.render.scene import INTERIOR_KIND, Scene, prepare_scene

SceneMaker = Callable[..., tuple[ImageArray, Scene]]
Displacer = Callable[..., FloatArray]
SMILE = {"mouthSmileLeft": 0.7, "mouthSmileRight": 0.7, "mouthUpperUpLeft": 0.6, "mouthUpperUpRight": 0.6}
ROW, DARK = (200, 215, 235), (60, 20, 20)
"""Nothing that is drawn is so blue."""


def photograph(
    make_scene: SceneMaker, rows_mm: tuple[float, float], row: tuple[int, int, int] = ROW, /, **pose: float
) -> tuple[ImageArray, Scene]:
    """A smile whose opening is dark, but for teeth from so far to so far below its upper rim, mm."""
    image, scene = make_scene(size=(500, 420), px_per_mm=2.0, **{"jawOpen": 0.3, **SMILE, **pose})
    inside = _inside(scene)
    image = image.copy()
    image[inside] = DARK
    depth = np.where(inside, np.cumsum(inside, axis=0), 0) / scene.px_per_mm
    teeth = (depth > rows_mm[0]) & (depth <= rows_mm[1])
    gaps = np.arange(image.shape[1]) % round(7 * scene.px_per_mm) < 1
    image[teeth & ~gaps] = row
    image[teeth & gaps] = 0.75 * np.array(row)
    return image, prepare_scene(image, scene.head, scene.camera, scene.vertices, scene.offsets_px)


def _inside(scene: Scene) -> BoolArray:
    mask = np.zeros((scene.image_size.height, scene.image_size.width), dtype=bool)
    region = scene.region
    mask[region.top : region.bottom, region.left : region.right] = scene.kind_map == INTERIOR_KIND
    return mask


def blue(picture: ImageArray) -> BoolArray:
    """Where a picture shows what only the photograph's own row can be."""
    values = picture.astype(int)
    found: BoolArray = (values[..., 2] > values[..., 0] + 10) & (values.sum(axis=2) > 330)
    return found


@pytest.mark.parametrize("pose", [{}, {"roll_rad": 0.5}, {"yaw_rad": 0.4}], ids=["upright", "rolled", "turned"])
def test_a_wider_mouth_keeps_the_persons_own_row_where_it_was(
    make_scene: SceneMaker, displace: Displacer, pose: dict[str, float]
) -> None:
    image, scene = photograph(make_scene, (0.5, 6.0), **pose)
    assert scene.own_teeth is not None
    assert scene.own_teeth.trust == 1
    wider = render_expression(image, scene, displace(scene, jawOpen=0.4))
    own, kept = blue(image) & _inside(scene), blue(wider)
    assert (kept & own).sum() > 0.7 * own.sum()
    around = cv2.dilate(own.astype(np.uint8), np.ones((5, 5))) > 0
    assert not (kept & _inside(scene) & ~around).any()


def test_a_lip_that_comes_down_covers_the_row(make_scene: SceneMaker, displace: Displacer) -> None:
    image, scene = photograph(make_scene, (0.5, 6.0))
    less = render_expression(image, scene, displace(scene, mouthUpperUpLeft=-0.5, mouthUpperUpRight=-0.5))
    own, kept = blue(image) & _inside(scene), blue(less)
    assert 0.2 * own.sum() < (kept & own).sum() < 0.9 * own.sum()
    rows = [np.flatnonzero(mask.any(axis=1)) for mask in (own, kept & own)]
    assert rows[1][0] > rows[0][0] + 2
    assert abs(int(rows[1][-1]) - int(rows[0][-1])) <= 1


def test_a_row_is_not_continued_under_a_lip_that_goes_up(make_scene: SceneMaker, displace: Displacer) -> None:
    image, scene = photograph(make_scene, (0.5, 6.0))
    bared = render_expression(image, scene, displace(scene, mouthUpperUpLeft=0.6, mouthUpperUpRight=0.6))
    mouth = cv2.dilate(_inside(scene).astype(np.uint8), np.ones((15, 15))) > 0
    assert (blue(image) & mouth).sum() > 500
    assert not (blue(bared) & mouth).any()


def test_a_lip_that_hangs_low_over_a_wide_mouth_lets_the_row_be_seen(
    make_scene: SceneMaker, displace: Displacer
) -> None:
    image, scene = photograph(make_scene, (0.5, 6.0))
    down = {"mouthUpperUpLeft": -1.2, "mouthUpperUpRight": -1.2, "mouthSmileLeft": -0.5, "mouthSmileRight": -0.5}
    wide = render_expression(image, scene, displace(scene, jawOpen=0.4, **down))
    seen = blue(wide)
    middle = seen[:, seen.shape[1] // 2 - 6 : seen.shape[1] // 2 + 6]
    assert middle.sum(axis=0).min() > 2.5 * scene.px_per_mm


@pytest.mark.parametrize(
    ("rows_mm", "row", "jaw"),
    [((0.5, 1.5), ROW, 0.3), ((7, 12), ROW, 0.3), ((0.5, 16), ROW, 0.6), ((0.5, 6), (80, 40, 40), 0.3)],
    ids=["a sliver", "the lower row", "both rows", "no teeth"],
)
def test_what_may_not_be_the_upper_row_is_left_alone(
    make_scene: SceneMaker, rows_mm: tuple[float, float], row: tuple[int, int, int], jaw: float
) -> None:
    _, scene = photograph(make_scene, rows_mm, row, jawOpen=jaw)
    assert scene.own_teeth is None


@pytest.mark.parametrize("line_mm", [5.0, None])
def test_where_both_rows_touch_the_upper_one_ends_at_the_dark_line(
    make_scene: SceneMaker, line_mm: float | None
) -> None:
    image, scene = photograph(make_scene, (0.5, 9.0))
    inside = _inside(scene)
    depth = np.where(inside, np.cumsum(inside, axis=0), 0) / scene.px_per_mm
    if line_mm is not None:
        image[(depth > line_mm) & (depth <= line_mm + 1)] = 0.8 * np.array(ROW)
    own = prepare_scene(image, scene.head, scene.camera, scene.vertices, scene.offsets_px).own_teeth
    assert own is not None
    middle = slice(image.shape[1] // 2 - 10, image.shape[1] // 2 + 10)
    part = scene.region.of(depth)
    upper, lower = (np.zeros_like(part, dtype=bool) for _ in range(2))
    upper[:, middle], lower[:, middle] = ((part > 1) & (part < 4))[:, middle], ((part > 7) & (part < 8))[:, middle]
    assert own.mask[upper].min() > 0.9
    assert (own.mask[lower].max() < 0.1) == (line_mm is not None)


def test_a_mouth_that_is_shut_shows_none(portrait_scene: tuple[ImageArray, Scene]) -> None:
    assert portrait_scene[1].own_teeth is None


@pytest.mark.parametrize("width", [1, 2, 3])
def test_a_bright_line_in_a_mouth_is_no_row(width: int) -> None:
    """Nor is it undefined, be it as narrow as the view can show."""
    pixels = np.full((200, 320, 3), (22, 13, 13), dtype=np.float32)
    opening, lips = np.zeros((2, 200, 320), dtype=bool)
    opening[80:120, 80:240] = True
    lips[60:140, 60:260] = True
    pixels[opening] = (60, 20, 20)
    pixels[82:105, 160 : 160 + width] = 90
    camera = Camera(np.eye(3), np.array([0.0, 0, 600]), 2400.0, np.array([160.0, 100]))
    assert own_upper_teeth(pixels, opening, lips & ~opening, np.full(3, 0.5, np.float32), camera, 4.0) is None
