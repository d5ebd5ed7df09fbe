"""Things drawn in front of a known face are found where they are, and stay there while the face moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest

from synth_affect.arrays import BoolArray, FloatArray, ImageArray
from synth_affect.heads.model import embed
from synth_affect.render.compose import render_expression
from synth_affect.render.face_frame import FaceFrame, face_frame
from synth_affect.render.scene import Scene, prepare_scene

SceneMaker = Callable[..., tuple[ImageArray, Scene]]
Displacer = Callable[..., FloatArray]
BLACK, BROWN, GREY, BLUE = (24, 22, 22), (84, 52, 32), (84, 84, 88), (50, 80, 170)
SIZE = {"size": (600, 480), "px_per_mm": 2.0}


def frame_of(scene: Scene) -> FaceFrame:
    points = embed(scene.projected[:, :2], scene.head.triangles, scene.head.landmarks_478)
    return face_frame(points, scene.camera, scene.px_per_mm)


def painted(image: ImageArray, scene: Scene, mask: FloatArray, colour: tuple[int, int, int]) -> ImageArray:
    """`image` with `colour` where `mask` (of the scene's region, [0, 1]) is set."""
    result = image.copy()
    target = scene.region.of(result)
    target[...] = np.rint(target * (1 - mask[..., None]) + mask[..., None] * np.array(colour)).astype(np.uint8)
    return result


def glasses(scene: Scene, thickness_mm: float) -> FloatArray:
    """(height, width) float32 in [0, 1]: two rims and a bridge, drawn with four samples a pixel along each axis."""
    frame, fine = frame_of(scene), 4
    height, width = scene.pixels.shape[:2]
    mask = np.zeros((height * fine, width * fine), np.uint8)
    line = round(thickness_mm * scene.px_per_mm * fine)
    angles = np.linspace(0, 2 * np.pi, 120)
    rims = [
        eye + np.array([0, 2.0]) + np.stack([25 * np.sign(np.cos(angles)) * np.abs(np.cos(angles)) ** 0.7,
                                             18 * np.sign(np.sin(angles)) * np.abs(np.sin(angles)) ** 0.7], axis=1)
        for eye in frame.eyes()
    ]  # fmt: skip
    bridge = np.array([[rims[0][:, 0].max() - 1, -2.0], [0.0, -4.0], [rims[1][:, 0].min() + 1, -2.0]])
    for way in (*rims, bridge):
        cv2.polylines(mask, [np.rint(frame.to_pixels(way) * fine).astype(np.int32)], False, 255, line)
    drawn: FloatArray = cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    return drawn


def bar(scene: Scene, middle_mm: float, half_width_mm: float = 12.0) -> FloatArray:
    """(height, width) float32, 0 or 1: an upright bar that comes from below and ends on the chin."""
    frame = frame_of(scene)
    chin = frame.points_mm[152, 1]
    left, right, top, bottom = middle_mm - half_width_mm, middle_mm + half_width_mm, chin - 24, chin + 60
    corners = frame.to_pixels(np.array([[left, top], [right, top], [right, bottom], [left, bottom]]))
    mask = np.zeros(scene.pixels.shape[:2], np.float32)
    cv2.fillConvexPoly(mask, np.rint(corners).astype(np.int32), 1)
    return mask


def again(image: ImageArray, scene: Scene) -> Scene:
    return prepare_scene(image, scene.head, scene.camera, scene.vertices, scene.offsets_px)


def within(mask: FloatArray, scene: Scene) -> BoolArray:
    """What of `mask` lies on the face, without its own soft edge."""
    inner: BoolArray = (cv2.erode(mask, np.ones((3, 3), np.uint8)) > 0.99) & (scene.kind_map > 0)
    return inner


@pytest.fixture(scope="module")
def portrait(make_scene: SceneMaker) -> tuple[ImageArray, Scene]:
    return make_scene(**SIZE)


@pytest.mark.parametrize("yaw_rad", [0.0, 0.4])
@pytest.mark.parametrize("roll_rad", [0.0, 0.5])
def test_a_face_alone_has_nothing_in_front(make_scene: SceneMaker, yaw_rad: float, roll_rad: float) -> None:
    image, scene = make_scene(**SIZE, yaw_rad=yaw_rad, roll_rad=roll_rad)
    assert scene.occluders is None
    half = np.linspace(0.15, 1, image.shape[1])[None, :, None]
    assert again((image * half).astype(np.uint8), scene).occluders is None  # side light


@pytest.mark.parametrize("thickness_mm", [1.5, 4.0])
@pytest.mark.parametrize("colour", [BLACK, BROWN], ids=["black", "brown"])
@pytest.mark.parametrize("roll_rad", [0.0, 0.4])
def test_the_frame_of_glasses_is_found(
    make_scene: SceneMaker, thickness_mm: float, colour: tuple[int, int, int], roll_rad: float
) -> None:
    image, scene = make_scene(**SIZE, roll_rad=roll_rad)
    mask = glasses(scene, thickness_mm)
    worn = again(painted(image, scene, mask, colour), scene)
    assert worn.occluders is not None
    cover = worn.occluders.cover
    assert cover.shape == mask.shape
    assert cover.min() >= 0
    assert cover.max() <= 1
    assert cover[within(mask, scene)].mean() > 0.95
    far = cv2.dilate(mask, np.ones((9, 9), np.uint8)) < 0.01
    assert cover[far].sum() < 0.05 * mask.sum()
    assert cover[scene.kind_map == 2].max() < 0.05  # the eyes behind the lenses move


def test_a_brow_that_touches_the_frame_is_no_part_of_it(portrait: tuple[ImageArray, Scene]) -> None:
    """A rim 3 mm thick with hair half as dark as it along its upper edge: brows rise, frames stay."""
    image, scene = portrait
    frame, rims = frame_of(scene), glasses(scene, 3.0)
    brows = np.zeros_like(rims)
    for eye in frame.eyes():
        arc = np.linspace(-2.6, -0.5, 30)
        line = eye + np.array([0.0, -2.5]) + np.stack([23 * np.cos(arc), 18 * np.sin(arc)], axis=1)
        cv2.polylines(brows, [np.rint(frame.to_pixels(line)).astype(np.int32)], False, 1.0, round(7 * scene.px_per_mm))
    haired = painted(image, scene, brows * (1 - rims) * 0.55, BLACK)
    worn = again(painted(haired, scene, rims, BLACK), scene)
    assert worn.occluders is not None
    cover = worn.occluders.cover
    assert cover[within(rims, scene)].mean() > 0.95
    hair = (brows > 0) & (cv2.dilate(rims, np.ones((5, 5), np.uint8)) == 0)
    assert hair.sum() > 500
    assert cover[hair].mean() < 0.04


@pytest.mark.parametrize("colour", [GREY, BLACK, BLUE], ids=["grey", "black", "blue"])
@pytest.mark.parametrize("middle_mm", [14.0, -25.0])
def test_a_thing_before_the_chin_is_found(
    portrait: tuple[ImageArray, Scene], colour: tuple[int, int, int], middle_mm: float
) -> None:
    image, scene = portrait
    mask = bar(scene, middle_mm)
    held = again(painted(image, scene, mask, colour), scene)
    assert held.occluders is not None
    assert held.occluders.cover[within(mask, scene)].mean() > 0.9
    far = (cv2.dilate(mask, np.ones((13, 13), np.uint8)) == 0) & (scene.kind_map > 0)
    assert held.occluders.cover[far].sum() < 0.05 * mask.sum()


def test_a_beard_is_part_of_the_face(portrait: tuple[ImageArray, Scene]) -> None:
    image, scene = portrait
    frame = frame_of(scene)
    outline = frame.points_mm[[132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361]]
    corners = frame.to_pixels(np.concatenate([outline, outline[::-1] * 0.7 + np.array([0, 22.0])]))
    mask = np.zeros(scene.pixels.shape[:2], np.float32)
    cv2.fillPoly(mask, [np.rint(corners).astype(np.int32)], 1)
    mask = cv2.GaussianBlur(mask, (0, 0), 6) * np.random.default_rng(0).uniform(0.5, 1, mask.shape).astype(np.float32)
    assert again(painted(image, scene, mask, (40, 30, 26)), scene).occluders is None


@pytest.mark.parametrize("thing", ["glasses", "bar"])
def test_what_stands_in_front_stays_and_nothing_of_it_comes_along(
    portrait: tuple[ImageArray, Scene], displace: Displacer, thing: str
) -> None:
    image, scene = portrait
    mask = glasses(scene, 3.0) if thing == "glasses" else bar(scene, 14.0)
    worn = painted(image, scene, mask, BLACK)
    prepared = again(worn, scene)
    vertices = displace(prepared, jawOpen=0.5, browInnerUp=1, browOuterUpLeft=1, browOuterUpRight=1, cheekPuff=0.5)
    picture = render_expression(worn, prepared, vertices)
    moved = render_expression(worn, replace(prepared, occluders=None, skin=prepared.pixels), vertices)
    inner = within(mask, scene)
    kept, carried = (
        np.abs(scene.region.of(p)[inner].astype(int) - scene.region.of(worn)[inner]).mean() for p in (picture, moved)
    )
    assert kept < 1.0
    assert carried > 4 * max(kept, 1.0)
    assert not np.array_equal(picture, worn)
    # The skin is bright everywhere: above the mouth no black may be left where none was.
    new = (scene.region.of(picture).max(axis=2) < 60) & (cv2.dilate(mask, np.ones((5, 5), np.uint8)) == 0)
    upper = cv2.erode((scene.kind_map == 1).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    upper[int(frame_of(scene).to_pixels(np.array([0.0, 50.0]))[1]) :] = False
    assert not (new & upper).any()


def test_pixels_of_the_frame_stay_to_the_bit(portrait: tuple[ImageArray, Scene], displace: Displacer) -> None:
    image, scene = portrait
    worn = painted(image, scene, glasses(scene, 4.0), BLACK)
    prepared = again(worn, scene)
    assert prepared.occluders is not None
    picture = render_expression(worn, prepared, displace(prepared, browDownLeft=1, browDownRight=1, cheekSquintLeft=1))
    whole = prepared.occluders.cover == 1
    assert whole.sum() > 500
    np.testing.assert_array_equal(scene.region.of(picture)[whole], scene.region.of(worn)[whole])
