from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from synth_affect.arrays import ImageArray
from synth_affect.errors import FitError
from synth_affect.heads.camera import project
from synth_affect.heads.model import embed, region_vertices
from synth_affect.render.appearance import skin_texture
from synth_affect.render.colour import luminance, srgb_to_linear
from synth_affect.render.scene import (
    EYE_KIND,
    EYES,
    FACE,
    FACE_KIND,
    INTERIOR,
    INTERIOR_KIND,
    Region,
    Scene,
    _skin,
    prepare_scene,
)
from synth_affect.render.spherical_harmonics import Lighting, shading

SceneMaker = Callable[..., tuple[ImageArray, Scene]]
SIZE = (300, 240)
CUT_OFF = {"left": (-20, 150), "right": (255, 150), "top": (120, -60), "bottom": (120, 340), "corner": (230, 300)}


def again(image: ImageArray, scene: Scene) -> Scene:
    return prepare_scene(image, scene.head, scene.camera, scene.vertices, scene.offsets_px)


@pytest.mark.parametrize("centre", CUT_OFF.values(), ids=CUT_OFF)
def test_a_face_cut_off_by_the_border_has_a_region_inside_the_picture(
    make_scene: SceneMaker, centre: tuple[float, float]
) -> None:
    image, scene = make_scene(size=SIZE, centre=centre)
    region = scene.region
    assert 0 <= region.top < region.bottom <= SIZE[0]
    assert 0 <= region.left < region.right <= SIZE[1]
    assert scene.pixels.shape == (region.size.height, region.size.width, 3)
    np.testing.assert_array_equal(scene.pixels, image[region.top : region.bottom, region.left : region.right])
    assert (scene.kind_map == FACE_KIND).sum() > 500


def test_a_face_outside_its_picture_is_refused(make_scene: SceneMaker) -> None:
    with pytest.raises(FitError):
        make_scene(size=SIZE, centre=(-400.0, 150.0))


def test_the_region_holds_the_face_with_a_margin(make_scene: SceneMaker) -> None:
    scene = make_scene(size=(420, 400))[1]
    face = scene.projected[region_vertices(scene.head, *FACE), :2]
    assert face.min() > 30
    assert (scene.region.size.width - face[:, 0].max()) > 30
    assert (scene.region.size.height - face[:, 1].max()) > 50  # room for the jaw


def test_a_region_is_a_view_of_its_part_of_the_picture() -> None:
    image = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
    region = Region(top=1, bottom=4, left=2, right=6)
    part = region.of(image)
    assert (region.size.height, region.size.width) == (3, 4)
    np.testing.assert_array_equal(part, image[1:4, 2:6])
    assert np.shares_memory(part, image)


def test_vertices_lie_in_the_region_where_the_camera_sees_them(portrait_scene: tuple[ImageArray, Scene]) -> None:
    scene = portrait_scene[1]
    moved = replace(scene, offsets_px=scene.offsets_px + np.array([1.5, -2], np.float32))
    offset_scene = again(portrait_scene[0], moved)
    seen = project(scene.camera, scene.vertices.astype(np.float64))
    for each, offset in ((scene, (0, 0)), (offset_scene, (1.5, -2))):
        corner = (each.region.left, each.region.top)
        np.testing.assert_allclose(each.projected[:, :2], seen[:, :2] + offset - np.array(corner), atol=1e-2)
        np.testing.assert_allclose(each.projected[:, 2], seen[:, 2], rtol=1e-5)


@pytest.mark.parametrize("px_per_mm", [0.5, 1.0, 2.5])
def test_scale_is_that_of_the_face(make_scene: SceneMaker, px_per_mm: float) -> None:
    scene = make_scene(size=(int(300 * px_per_mm), int(240 * px_per_mm)), px_per_mm=px_per_mm)[1]
    eyes = embed(scene.vertices, scene.triangles, scene.head.landmarks_478)[[33, 263]]
    seen = project(scene.camera, eyes.astype(np.float64))[:, :2]
    measured = np.linalg.norm(seen[0] - seen[1]) / np.linalg.norm(eyes[0] - eyes[1])
    assert scene.px_per_mm == pytest.approx(measured, rel=0.03)


def test_kinds_are_those_of_the_regions(portrait_scene: tuple[ImageArray, Scene]) -> None:
    scene = portrait_scene[1]
    names = np.array(scene.head.region_names)[scene.regions]
    assert len(scene.triangles) == len(scene.kinds) == len(scene.regions)
    assert "lashes" not in names
    for kind, members in ((FACE_KIND, FACE), (EYE_KIND, EYES), (INTERIOR_KIND, INTERIOR)):
        np.testing.assert_array_equal(scene.kinds == kind, np.isin(names, members))


def test_the_irises_lie_on_the_eyes_and_the_nose_on_the_face(portrait_scene: tuple[ImageArray, Scene]) -> None:
    scene = portrait_scene[1]
    points = embed(scene.projected[:, :2], scene.head.triangles, scene.head.landmarks_478)
    for landmark, kind in ((468, EYE_KIND), (473, EYE_KIND), (1, FACE_KIND), (152, FACE_KIND), (0, FACE_KIND)):
        column, row = points[landmark].astype(int)
        assert scene.kind_map[row, column] == kind, landmark


def test_facing_is_the_cosine_to_the_camera(make_scene: SceneMaker) -> None:
    scene = make_scene(yaw_rad=0.5, roll_rad=0.3)[1]
    for vertex in range(0, len(scene.vertices), 1500):
        # In the camera's frame, where it stands at the origin.
        axes = np.diag([1, -1, -1]) @ scene.camera.rotation
        point, normal = axes @ scene.vertices[vertex] + scene.camera.translation, axes @ scene.normals[vertex]
        assert scene.facing[vertex] == pytest.approx(-point @ normal / np.linalg.norm(point), abs=1e-4)


@pytest.mark.parametrize("yaw_rad", [0.0, 0.5])
def test_the_light_of_the_picture_is_found(make_scene: SceneMaker, studio_light: Lighting, yaw_rad: float) -> None:
    scene = make_scene(yaw_rad=yaw_rad, texture=0.05)[1]
    skin = region_vertices(scene.head, "skin")
    normals = scene.normals[skin][scene.facing[skin] > 0.3]
    found, true = shading(scene.lighting, normals), shading(studio_light, normals)
    albedo = found / true
    np.testing.assert_allclose(albedo, np.broadcast_to(np.median(albedo, axis=0), albedo.shape), rtol=0.04)


def test_a_lamp_from_the_other_side_is_found_there(portrait_scene: tuple[ImageArray, Scene]) -> None:
    image, scene = portrait_scene
    mirrored = again(image[:, ::-1].copy(), scene)  # frontal, symmetric, in the middle
    right, left = scene.lighting.coefficients[3], mirrored.lighting.coefficients[3]
    assert (right > 0).all()
    np.testing.assert_allclose(left, -right, rtol=0.1)


def test_a_tooth_is_a_little_brighter_than_the_skin_and_never_blown_out(make_scene: SceneMaker) -> None:
    for darkness in (1.0, 0.5, 0.1):
        image, scene = make_scene(px_per_mm=2.0, size=(600, 480))
        dim = again((image * darkness).astype(np.uint8), scene)
        skin = luminance(srgb_to_linear(dim.pixels[dim.kind_map == FACE_KIND] / 255))
        level = float(luminance(dim.white))
        assert 0.9 * np.percentile(skin, 50) < level < 2.2 * np.percentile(skin, 95) + 0.01
        assert (dim.white >= 0.01).all()
        assert (dim.white <= 0.8).all()


def test_warm_light_makes_warm_teeth(make_scene: SceneMaker) -> None:
    image, scene = make_scene(px_per_mm=2.0, size=(600, 480))
    warm = again((image * np.array([1.0, 0.8, 0.5])).astype(np.uint8), scene)
    assert warm.white[0] / warm.white[2] > 1.1 * scene.white[0] / scene.white[2]


def test_rough_skin_reads_as_rougher(make_scene: SceneMaker) -> None:
    smooth, rough = (make_scene(px_per_mm=2.0, size=(600, 480), texture=t)[1].skin_texture for t in (0.0, 0.3))
    assert 0 <= smooth < 0.01
    assert rough > 3 * smooth


def test_without_inner_skin_the_texture_is_a_number() -> None:
    assert np.isfinite(skin_texture(np.full((8, 8, 3), 90, np.float32), np.zeros((8, 8), bool), 1.0))


def test_nothing_is_written_to(portrait_scene: tuple[ImageArray, Scene]) -> None:
    image, scene = portrait_scene
    frozen, vertices, offsets = image.copy(), scene.vertices.copy(), scene.offsets_px.copy()
    for array in (frozen, vertices, offsets):
        array.flags.writeable = False
    prepare_scene(frozen, scene.head, scene.camera, vertices, offsets)


def test_an_opening_of_one_colour_shows_no_teeth() -> None:
    pixels = np.full((24, 24, 3), 90, dtype=np.float32)
    kinds = np.full((24, 24), FACE_KIND, dtype=np.uint8)
    kinds[12, 8:16] = INTERIOR_KIND
    np.testing.assert_allclose(_skin(pixels, kinds, kinds == FACE_KIND, 2.0), pixels, atol=1e-3)
