from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from synth_affect.arrays import FloatArray, ImageArray
from synth_affect.heads.model import HeadModel, region_vertices
from synth_affect.render.eyes import LID_SHADE, RINGS, EyeTexture, eye_colours, eye_radius, eye_texture
from synth_affect.render.flow import surface_flow
from synth_affect.render.rasterizer import interpolate
from synth_affect.render.scene import EYE_KIND, Scene

SceneMaker = Callable[..., tuple[ImageArray, Scene]]
Displacer = Callable[..., FloatArray]
PX_PER_MM = 3.0
SIZE = (900, 720)


@pytest.fixture(scope="module")
def narrow_eyes(make_scene: SceneMaker) -> Scene:
    """Lids a fifth closed: part of iris and white is hidden."""
    return make_scene(size=SIZE, px_per_mm=PX_PER_MM, texture=0.0, eyeBlinkLeft=0.2, eyeBlinkRight=0.2)[1]


BESIDE = np.array([[0.0, 0.5], [1.0, 0.5]])
"""Both eyes in the middle of a picture's sides, as shares of its size."""


def rings(n: int = 10, left: float = 100.0, right: float = 200.0) -> EyeTexture:
    """A texture of n x n pixels that the photograph does not show; colours fall with the radius."""
    fall = np.linspace(0, 48, RINGS + 1)[:, None]
    colours = np.stack([left - fall, right - fall]) * np.ones(3)
    return EyeTexture(
        np.zeros((n, n), np.float32),
        np.zeros(0, np.float32),
        colours.astype(np.float32),
        np.array([[0, n / 2], [n, n / 2]]),
    )


def test_the_radius_grows_from_the_pupil_to_the_rim(cc0_head: HeadModel) -> None:
    radius = eye_radius(cc0_head)
    iris, ball = region_vertices(cc0_head, "iris"), region_vertices(cc0_head, "eyeball")
    eyes = np.union1d(iris, ball)
    assert radius.dtype == np.float32
    assert not np.delete(radius, eyes).any()
    assert radius[eyes].max() == pytest.approx(1, abs=0.01)
    assert radius[iris].max() <= radius[ball].min() + 0.01  # they meet in one ring
    for side in (-1, 1):
        mine = eyes[cc0_head.mean[eyes, 0] * side > 0]
        pole = cc0_head.mean[mine[radius[mine].argmin()]]
        away = np.linalg.norm(cc0_head.mean[mine] - pole, axis=1)
        assert np.corrcoef(away, radius[mine])[0, 1] > 0.98


def test_the_radius_is_the_same_in_both_eyes(cc0_head: HeadModel) -> None:
    radius = eye_radius(cc0_head)
    np.testing.assert_allclose(radius, radius[cc0_head.mirror], atol=0.01)


def test_where_the_photograph_shows_the_eye_its_pixels_stay(make_scene: SceneMaker, displace: Displacer) -> None:
    scene = make_scene(size=SIZE, px_per_mm=PX_PER_MM, eyeWideLeft=0.5, eyeWideRight=0.5)[1]
    surface = surface_flow(scene, displace(scene, eyeWideLeft=0.3, eyeWideRight=0.3))
    mask = surface.kind_map == EYE_KIND
    radius = interpolate(surface.fragments, scene.triangles, scene.eyes.radius[:, None])[..., 0]
    colours = eye_colours(scene.eyes, scene.pixels, mask, radius[mask], scene.px_per_mm)
    sure = scene.eyes.trust[mask] == 1
    assert sure.sum() > 150
    np.testing.assert_array_equal(colours[sure], scene.pixels[mask][sure])
    assert (scene.eyes.trust[scene.kind_map != EYE_KIND] < 0.5).all()


def test_what_the_lids_uncover_continues_iris_and_white(
    narrow_eyes: Scene, make_scene: SceneMaker, displace: Displacer
) -> None:
    wider = {"eyeWideLeft": 0.6, "eyeWideRight": 0.6}
    surface = surface_flow(narrow_eyes, displace(narrow_eyes, eyeBlinkLeft=-0.2, eyeBlinkRight=-0.2, **wider))
    mask = surface.kind_map == EYE_KIND
    radius = interpolate(surface.fragments, narrow_eyes.triangles, narrow_eyes.eyes.radius[:, None])[..., 0]
    colours = np.zeros((*mask.shape, 3), np.float32)
    colours[mask] = eye_colours(narrow_eyes.eyes, narrow_eyes.pixels, mask, radius[mask], narrow_eyes.px_per_mm)
    true = make_scene(size=SIZE, px_per_mm=PX_PER_MM, texture=0.0, **wider)[1]  # the same face with its eyes open
    assert true.region == narrow_eyes.region
    uncovered = mask & (narrow_eyes.kind_map != EYE_KIND)
    regions = narrow_eyes.regions[surface.fragments.pix_to_face[0, :, :, 0]]
    for name, tolerance in (("iris", 0.12), ("eyeball", 0.12)):
        part = uncovered & (regions == narrow_eyes.head.region_names.index(name))
        assert part.sum() > 300
        shade = np.median(colours[part] / true.pixels[part])
        assert LID_SHADE - tolerance < shade < 1 + tolerance  # in the shadow of the lid, never brighter
    dark = colours[uncovered & (regions == narrow_eyes.head.region_names.index("iris"))]
    bright = colours[uncovered & (regions == narrow_eyes.head.region_names.index("eyeball"))]
    assert np.median(bright) > 1.5 * np.median(dark)


def test_each_eye_has_its_own_colours() -> None:
    eyes = np.zeros((10, 10), bool)
    eyes[4:6, 2:8] = True
    colours = eye_colours(rings(), np.zeros((10, 10, 3), np.float32), eyes, np.zeros(12), 1e-3).reshape(2, 6, 3)
    np.testing.assert_allclose(colours[:, :3], 100, rtol=1e-5)
    np.testing.assert_allclose(colours[:, 3:], 200, rtol=1e-5)


def test_colours_are_interpolated_between_rings() -> None:
    eyes = np.zeros((10, 10), bool)
    eyes[4, :3] = True
    radius = np.array([0.0, 0.5, 0.5 + 0.5 / RINGS])
    colours = eye_colours(rings(), np.zeros((10, 10, 3), np.float32), eyes, radius, 1e-3)
    np.testing.assert_allclose(colours[:, 0], [100, 76, 76 - 24 / RINGS], rtol=1e-4)


def test_eyes_one_above_the_other_keep_their_colours() -> None:
    """A head that lies on its side."""
    eyes = np.zeros((10, 10), bool)
    eyes[2:8, 4:6] = True
    texture = replace(rings(), centres=np.array([[5, 2], [5, 8]]))
    colours = eye_colours(texture, np.zeros((10, 10, 3), np.float32), eyes, np.zeros(12), 1e-3).reshape(6, 2, 3)
    np.testing.assert_allclose(colours[:3], 100, rtol=1e-5)
    np.testing.assert_allclose(colours[3:], 200, rtol=1e-5)


def test_the_lids_throw_a_shadow_on_what_they_uncover() -> None:
    eyes = np.zeros((30, 30), bool)
    eyes[5:25, 2:13] = True  # in the picture's left half
    flat = EyeTexture(
        np.zeros((30, 30), np.float32),
        np.zeros(0, np.float32),
        np.full((2, RINGS + 1, 3), 90, np.float32),
        np.array([[7, 15], [23, 15]]),
    )
    colours = np.zeros((30, 30, 3), np.float32)
    colours[eyes] = eye_colours(flat, np.zeros((30, 30, 3), np.float32), eyes, np.zeros(eyes.sum()), 1.0)
    across = colours[15, 2:8, 0]
    assert (np.diff(across) >= 0).all()
    assert across[0] < 0.85 * across[-1]
    assert across[-1] == pytest.approx(90)


def test_no_eye_in_view_has_no_colours() -> None:
    none = np.zeros((10, 10), bool)
    assert eye_colours(rings(), np.zeros((10, 10, 3), np.float32), none, np.zeros(0), 1.0).shape == (0, 3)


def test_closed_eyes_give_a_texture_of_finite_colours(make_scene: SceneMaker) -> None:
    eyes = make_scene(eyeBlinkLeft=1, eyeBlinkRight=1)[1].eyes
    assert not eyes.trust.any()
    assert np.isfinite(eyes.ring_colours).all()
    assert (eyes.ring_colours >= 0).all()
    assert (eyes.ring_colours <= 255).all()


def test_rings_hold_the_mean_colour_of_their_pixels(portrait_scene: tuple[ImageArray, Scene]) -> None:
    """A disc on a painted eye 40 px wide: iris below radius 0.5, white beyond; seen down to radius 0.75 only."""
    scene = portrait_scene[1]
    n = 120
    y, x = np.mgrid[:n, :n]
    radius = np.hypot(x - 60, y - 60).astype(np.float32) / 60
    pixels = np.where(radius[..., None] < 0.5, np.array([90, 60, 30]), np.array([220, 215, 210])).astype(np.float32)
    # The subject's right eye is under the disc, the left one far away.
    apart = np.where(scene.head.mean[:, :1] < 0, 60, 1000) + np.zeros((1, 3), np.float32)
    grey = np.full(3, 128, np.float32)
    texture = eye_texture(scene.head, pixels, radius < 0.75, radius, eye_radius(scene.head), apart, 10.0, grey)
    left = texture.ring_colours[0]
    assert left.shape == (RINGS + 1, 3)
    np.testing.assert_allclose(left[: RINGS // 2], np.broadcast_to([90, 60, 30], (RINGS // 2, 3)), atol=1e-3)
    # Rings that are hidden go on like the last that was seen.
    np.testing.assert_allclose(left[RINGS // 2 + 1 :], np.broadcast_to([220, 215, 210], (RINGS // 2, 3)), atol=1e-3)
    # The other eye shows nothing: its white is the one that was given, its iris darker.
    np.testing.assert_allclose(texture.ring_colours[1, -1], grey)
    assert texture.ring_colours[1, 0].max() < 128
    assert texture.trust[60, 60] == 1
    assert not texture.trust[radius > 0.76].any()


def test_the_shade_of_lashes_does_not_stay_behind(make_scene: SceneMaker) -> None:
    """A dark band under the upper lid is less trusted; the same eye without it is not."""
    scene = make_scene(size=SIZE, px_per_mm=PX_PER_MM, eyeWideLeft=0.5, eyeWideRight=0.5)[1]
    opening = scene.kind_map == EYE_KIND
    radius = interpolate(scene.fragments, scene.triangles, scene.eyes.radius[:, None])[..., 0]
    shaded = scene.pixels.copy()
    band = opening & ~np.roll(opening, round(1.5 * PX_PER_MM), axis=0)
    shaded[band] *= 0.25
    white = np.full(3, 200, dtype=np.float32)
    bare, lashed = (
        eye_texture(
            scene.head, pixels, opening, radius, scene.eyes.radius, scene.projected, scene.px_per_mm, white
        ).trust
        for pixels in (scene.pixels, shaded)
    )
    assert bare[band].mean() > 0.4
    assert lashed[band].mean() < 0.4 * bare[band].mean()
    deep = opening & (bare == 1) & ~band
    assert lashed[deep].mean() > 0.95
