from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from synth_affect.arrays import BoolArray, FloatArray, ImageArray
from synth_affect.heads.model import region_vertices
from synth_affect.render.compose import STILL_PX, _changed, _soften_steps, render_expression
from synth_affect.render.flow import surface_flow
from synth_affect.render.scene import EYE_KIND, FACE_KIND, INTERIOR_KIND, Scene, prepare_scene
from synth_affect.render.wrinkles import WrinkleMaps, load_wrinkle_maps

SceneMaker = Callable[..., tuple[ImageArray, Scene]]
Displacer = Callable[..., FloatArray]
SMILE = {"mouthSmileLeft": 0.9, "mouthSmileRight": 0.9, "cheekSquintLeft": 0.6, "cheekSquintRight": 0.6}
ALARM = {"jawOpen": 0.7, "eyeWideLeft": 0.8, "eyeWideRight": 0.8, "browInnerUp": 1.0}
SLEEP = {"eyeBlinkLeft": 0.8, "eyeBlinkRight": 0.8, "mouthFrownLeft": 0.6, "mouthFrownRight": 0.6}
CUT_OFF = {"left": (20, 150), "right": (215, 150), "top": (120, 40), "bottom": (120, 270), "corner": (215, 260)}


@pytest.fixture(scope="module")
def roomy(make_scene: SceneMaker) -> tuple[ImageArray, Scene]:
    """A face with wall on all sides of its region."""
    return make_scene(size=(420, 400))


@pytest.fixture(scope="module")
def wrinkle_maps(portrait_scene: tuple[ImageArray, Scene]) -> WrinkleMaps:
    maps = load_wrinkle_maps(portrait_scene[1].head)
    assert maps is not None
    return maps


@pytest.mark.parametrize("units", [SMILE, ALARM, SLEEP], ids=["smile", "alarm", "sleep"])
def test_outside_the_region_nothing_changes(
    roomy: tuple[ImageArray, Scene], displace: Displacer, units: dict[str, float]
) -> None:
    image, scene = roomy
    result = render_expression(image, scene, displace(scene, **units))
    assert result.shape == image.shape
    assert result.dtype == np.uint8
    assert (result != image).any()
    region = scene.region
    result[region.top : region.bottom, region.left : region.right] = scene.pixels.astype(np.uint8)
    np.testing.assert_array_equal(result, image)


@pytest.mark.parametrize("units", [SMILE, ALARM, SLEEP], ids=["smile", "alarm", "sleep"])
def test_the_mask_of_what_changes_has_no_holes(
    roomy: tuple[ImageArray, Scene], displace: Displacer, units: dict[str, float]
) -> None:
    surface = surface_flow(roomy[1], displace(roomy[1], **units))
    mask = _changed(surface, surface.relight)
    assert mask[np.abs(surface.flow).max(axis=2) > STILL_PX].all()
    # A flood from the border over what stays reaches all of it.
    framed = np.pad((~mask).astype(np.uint8), 1, constant_values=1)
    cv2.floodFill(framed, None, (0, 0), 2)
    assert 0.1 < mask.mean() < 0.9
    assert not (framed == 1).any()


def test_a_local_expression_leaves_the_rest_of_the_face_alone(
    roomy: tuple[ImageArray, Scene], displace: Displacer
) -> None:
    image, scene = roomy
    rows = scene.projected[:, 1] + scene.region.top
    lids, lips = (rows[region_vertices(scene.head, name)] for name in ("lids", "lips"))
    jaw = render_expression(image, scene, displace(scene, jawOpen=0.5))
    brows = render_expression(image, scene, displace(scene, browInnerUp=1.0))
    np.testing.assert_allclose(jaw[: int(lids.min())], image[: int(lids.min())], atol=4)
    np.testing.assert_allclose(brows[int(lips.min()) :], image[int(lips.min()) :], atol=4)


def test_no_change_is_the_same_bytes_in_new_memory(portrait_scene: tuple[ImageArray, Scene]) -> None:
    image, scene = portrait_scene
    result = render_expression(image, scene, scene.vertices)
    np.testing.assert_array_equal(result, image)
    assert not np.shares_memory(result, image)


def test_no_strength_of_folds_is_no_folds(
    portrait_scene: tuple[ImageArray, Scene], displace: Displacer, wrinkle_maps: WrinkleMaps
) -> None:
    image, scene = portrait_scene
    none = np.zeros(len(wrinkle_maps.groups), np.float32)
    np.testing.assert_array_equal(render_expression(image, scene, scene.vertices, wrinkle_maps, none), image)
    vertices = displace(scene, **SMILE)
    np.testing.assert_array_equal(
        render_expression(image, scene, vertices, wrinkle_maps, none), render_expression(image, scene, vertices)
    )


def test_folds_change_skin_and_nothing_else(
    make_scene: SceneMaker, displace: Displacer, wrinkle_maps: WrinkleMaps
) -> None:
    image, scene = make_scene(size=(600, 480), px_per_mm=2.0)
    vertices = displace(scene, **SMILE)
    strengths = np.ones(len(wrinkle_maps.groups), np.float32)
    folded = render_expression(image, scene, vertices, wrinkle_maps, strengths)
    difference = np.abs(folded.astype(int) - render_expression(image, scene, vertices)).max(axis=2)
    region = scene.region
    inside = difference[region.top : region.bottom, region.left : region.right]
    skin = surface_flow(scene, vertices).kind_map == FACE_KIND
    assert (inside[skin] > 4).sum() > 1000
    inside[skin] = 0
    assert difference.max() <= 2  # the soft edge of the lids, and what blending evens out


@pytest.mark.parametrize("centre", CUT_OFF.values(), ids=CUT_OFF)
def test_a_face_cut_off_by_the_border_is_rendered_up_to_it(
    make_scene: SceneMaker, displace: Displacer, centre: tuple[float, float]
) -> None:
    whole_image, whole = make_scene(size=(500, 440), centre=(centre[0] + 100, centre[1] + 100))
    image = whole_image[100:400, 100:340].copy()
    camera = replace(whole.camera, principal_point=np.array(centre))
    scene = prepare_scene(image, whole.head, camera, whole.vertices, whole.offsets_px)
    units = {**ALARM, **SMILE}
    result = render_expression(image, scene, displace(scene, **units))
    expected = render_expression(whole_image, whole, displace(whole, **units))[100:400, 100:340]
    assert (result != image).any(axis=2).sum() > 2000
    # At the cut, neither flow nor blending know what lies beyond: they may differ from the whole picture a little.
    difference = np.abs(result.astype(int) - expected).max(axis=2)
    assert difference.mean() < 1.0
    assert np.quantile(difference, 0.99) < 12


@pytest.mark.parametrize(("px_per_mm", "size"), [(0.28, (84, 68)), (6.0, (1740, 1100))], ids=["60 px", "1200 px"])
def test_small_and_large_faces(
    make_scene: SceneMaker, displace: Displacer, px_per_mm: float, size: tuple[int, int]
) -> None:
    image, scene = make_scene(size=size, px_per_mm=px_per_mm)
    eyes = scene.kind_map == EYE_KIND
    assert eyes.any()
    result = render_expression(image, scene, displace(scene, **ALARM))
    assert result.shape == image.shape
    # The jaw drops as far in either: what was skin over the opened mouth is now dark.
    surface = surface_flow(scene, displace(scene, **ALARM))
    mouth = np.zeros(size, bool)
    mouth[scene.region.top : scene.region.bottom, scene.region.left : scene.region.right] = (
        surface.kind_map == INTERIOR_KIND
    )
    mouth = cv2.erode(mouth.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    assert mouth.any()
    assert np.median(result[mouth]) < 0.5 * np.median(image[mouth])


def test_the_input_is_not_written_to(portrait_scene: tuple[ImageArray, Scene], displace: Displacer) -> None:
    image, scene = portrait_scene
    frozen, pixels = image.copy(), scene.pixels.copy()
    frozen.flags.writeable = False
    render_expression(frozen, scene, displace(scene, **ALARM))
    np.testing.assert_array_equal(frozen, image)
    np.testing.assert_array_equal(scene.pixels, pixels)


def test_the_same_request_gives_the_same_bytes(
    portrait_scene: tuple[ImageArray, Scene], displace: Displacer, wrinkle_maps: WrinkleMaps
) -> None:
    image, scene = portrait_scene
    strengths = np.linspace(-1, 1, len(wrinkle_maps.groups), dtype=np.float32)
    first = render_expression(image, scene, displace(scene, **ALARM), wrinkle_maps, strengths)
    render_expression(image, scene, displace(scene, **SMILE))  # nothing is remembered in between
    np.testing.assert_array_equal(
        render_expression(image, scene, displace(scene, **ALARM), wrinkle_maps, strengths), first
    )


def test_a_picture_of_a_view_into_a_larger_array(portrait_scene: tuple[ImageArray, Scene], displace: Displacer) -> None:
    image, scene = portrait_scene
    framed: Any = np.pad(image, ((5, 9), (3, 2), (0, 0)))[5:-9, 3:-2]
    assert not framed.flags.c_contiguous
    again = prepare_scene(framed, scene.head, scene.camera, scene.vertices, scene.offsets_px)
    np.testing.assert_array_equal(
        render_expression(framed, again, displace(again, **ALARM)),
        render_expression(image, scene, displace(scene, **ALARM)),
    )


def test_sixteen_bits_are_those_of_eight_and_finer(
    portrait_scene: tuple[ImageArray, Scene], displace: Displacer
) -> None:
    image, scene = portrait_scene
    deep = image.astype(np.uint16) * 257
    deep_scene = prepare_scene(deep, scene.head, scene.camera, scene.vertices, scene.offsets_px)
    np.testing.assert_array_equal(render_expression(deep, deep_scene, scene.vertices), deep)
    vertices = displace(scene, **ALARM)
    result = render_expression(deep, deep_scene, vertices)
    assert result.dtype == np.uint16
    np.testing.assert_allclose(result / 257, render_expression(image, scene, vertices), atol=0.51)
    region = scene.region
    assert len(np.unique(region.of(result) % 257)) > 200  # what is new uses the depth
    region.of(result)[...] = region.of(deep)
    np.testing.assert_array_equal(result, deep)


@pytest.mark.parametrize("level", [0, 255])
def test_pictures_without_contrast_stay_finite_and_in_range(
    portrait_scene: tuple[ImageArray, Scene], displace: Displacer, level: int
) -> None:
    image, scene = portrait_scene
    flat = np.full_like(image, level)
    blank = prepare_scene(flat, scene.head, scene.camera, scene.vertices, scene.offsets_px)
    result = render_expression(flat, blank, displace(blank, **ALARM))
    skin = surface_flow(blank, displace(blank, **ALARM)).kind_map == FACE_KIND
    inner = cv2.erode(skin.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    part = result[blank.region.top : blank.region.bottom, blank.region.left : blank.region.right][inner]
    assert np.abs(part.astype(int) - level).max() < 45  # folded and shaded, but of the same skin


def test_a_lifted_brow_moves_its_pixels(make_scene: SceneMaker, displace: Displacer) -> None:
    """A dot on the brow goes where the mesh goes."""
    image, scene = make_scene(size=(420, 400), texture=0.0)
    vertices = displace(scene, browInnerUp=1.0, browOuterUpLeft=1.0, browOuterUpRight=1.0)
    brow = int(np.argmin(np.linalg.norm(scene.head.mean - np.array([25.0, 22.0, 20.0]), axis=1)))
    column, row = scene.projected[brow, :2] + [scene.region.left, scene.region.top]
    y, x = np.mgrid[: image.shape[0], : image.shape[1]] + 0.5
    dot = np.exp(-0.5 * ((x - column) ** 2 + (y - row) ** 2) / 2.0**2)[..., None]
    marked = np.rint(image * (1 - dot) + np.array([20, 60, 200]) * dot).astype(np.uint8)
    again = prepare_scene(marked, scene.head, scene.camera, scene.vertices, scene.offsets_px)
    moved = render_expression(marked, again, vertices).astype(np.float64)
    plain = render_expression(image, replace(scene, lighting=again.lighting), vertices)
    weight = np.clip(moved[..., 2] - plain[..., 2] - 10, 0, None)
    found = np.array([(x * weight).sum(), (y * weight).sum()]) / weight.sum()
    expected = surface_flow(again, vertices).projected[brow, :2] + [scene.region.left, scene.region.top]
    assert row - expected[1] > 3
    np.testing.assert_allclose(found, expected, atol=0.4)


def test_what_the_photograph_shows_in_a_mouth_stays_as_long_as_the_mouth_hardly_changes(
    make_scene: SceneMaker, displace: Displacer
) -> None:
    """Part of a row from the photograph and part drawn looks broken: it is the one or the other."""
    image, scene = make_scene(size=(420, 420), px_per_mm=1.5, jawOpen=0.45)
    marked = image.copy()
    marked[scene_mask(scene)] = mark = (10, 90, 20)  # no drawn mouth is so green, and no tooth so dark
    scene = prepared_again(marked, scene)
    same = render_expression(marked, scene, displace(scene, browInnerUp=0.5, mouthSmileLeft=0.02))
    wider = render_expression(marked, scene, displace(scene, jawOpen=0.55))

    def green(picture: ImageArray) -> float:
        return float(np.mean(np.abs(picture[scene_mask(scene)].astype(int) - mark).max(axis=1) < 20))

    assert green(same) > 0.5
    assert green(wider) == 0


def scene_mask(scene: Scene) -> BoolArray:
    """(height, width) bool of the whole picture: the inside of the mouth, without its rim."""
    mask = np.zeros((scene.image_size.height, scene.image_size.width), dtype=np.uint8)
    region = scene.region
    mask[region.top : region.bottom, region.left : region.right] = scene.kind_map == INTERIOR_KIND
    inner: BoolArray = cv2.erode(mask, np.ones((3, 3), np.uint8)) > 0
    return inner


def prepared_again(image: ImageArray, scene: Scene) -> Scene:
    return prepare_scene(image, scene.head, scene.camera, scene.vertices, scene.offsets_px)


def test_a_collar_pressed_together_by_the_chin_is_no_stair(make_scene: SceneMaker, displace: Displacer) -> None:
    image, scene = make_scene(size=(420, 420), px_per_mm=1.5)
    face = np.flatnonzero((scene.kind_map > 0).any(axis=1))
    chin = scene.region.top + int(face[-1])
    dressed = image.copy()
    dressed[chin + 1 : chin + 7] = 200
    dressed[chin + 7 :] = 20
    scene = prepared_again(dressed, scene)
    result = render_expression(dressed, scene, displace(scene, jawOpen=1.0)).astype(int)
    # The edge is straight; where it is pressed down it slopes, without steps of a whole pixel.
    under = result[chin : chin + 20, 150:270, 0]
    assert (under != dressed[chin : chin + 20, 150:270, 0]).sum() > 200
    assert np.abs(np.diff(under, axis=1)).max() < 150


def test_where_surfaces_meet_that_were_apart_the_border_is_soft(make_scene: SceneMaker) -> None:
    _, scene = make_scene(size=(420, 420), px_per_mm=1.5)
    surface = surface_flow(scene, scene.vertices)
    rows, columns = np.mgrid[: surface.kind_map.shape[0], : surface.kind_map.shape[1]]
    under = rows > surface.kind_map.shape[0] // 3 + columns // 5  # a border that climbs: from pixel to pixel a stair
    flow = np.where(under[..., None], np.float32(6), np.float32(0)).repeat(2, axis=2)
    hard = np.where(under[..., None], np.float32(60), np.float32(180)).repeat(3, axis=2)
    soft = hard.copy()
    _soften_steps(soft, replace(surface, flow=flow))
    skin = cv2.erode((surface.kind_map == FACE_KIND).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    border = skin & (np.abs(np.gradient(hard[..., 0], axis=0)) > 0)
    assert border.sum() > 50
    assert np.abs(np.diff(soft[..., 0], axis=0))[border[:-1]].max() < 0.75 * 120
    away = cv2.distanceTransform((~border).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5) > 8
    np.testing.assert_array_equal(soft[skin & away], hard[skin & away])
