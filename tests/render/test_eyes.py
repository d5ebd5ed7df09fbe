from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from synth_affect.arrays import FloatArray, ImageArray
from synth_affect.render.eyes import (
    LEAST_WHITE,
    LID_SHADE,
    LID_SHADOW_MM,
    RINGS,
    RINGS_OF_IRIS,
    EyeTexture,
    eye_colours,
    eye_texture,
)
from synth_affect.render.flow import surface_flow
from synth_affect.render.irises import Irises
from synth_affect.render.scene import EYE_KIND, Scene

SceneMaker = Callable[..., tuple[ImageArray, Scene]]
Displacer = Callable[..., FloatArray]
PX_PER_MM = 3.0
SIZE = (900, 720)


@pytest.fixture(scope="module")
def narrow_eyes(make_scene: SceneMaker) -> Scene:
    """Lids a fifth closed: part of iris and white is hidden."""
    return make_scene(size=SIZE, px_per_mm=PX_PER_MM, texture=0.0, eyeBlinkLeft=0.2, eyeBlinkRight=0.2)[1]


def rings(centres: FloatArray, n: int = 10, left: float = 100.0, right: float = 200.0) -> EyeTexture:
    """A texture of n x n pixels that the photograph does not show; colours fall with the radius, irises are 4 px."""
    fall = np.linspace(0, 48, RINGS + 1)[:, None]
    colours = np.stack([left - fall, right - fall]) * np.ones(3)
    return EyeTexture(
        np.full((n, n), -1e6, np.float32),
        np.zeros((n, n), np.float32),
        Irises(centres.astype(np.float32), np.stack([np.eye(2, dtype=np.float32) / 4] * 2)),
        colours.astype(np.float32),
        np.ones((n, n), np.float32),
    )


def test_where_the_photograph_shows_the_eye_its_pixels_stay(make_scene: SceneMaker, displace: Displacer) -> None:
    scene = make_scene(size=SIZE, px_per_mm=PX_PER_MM, eyeWideLeft=0.5, eyeWideRight=0.5)[1]
    surface = surface_flow(scene, displace(scene, eyeWideLeft=0.3, eyeWideRight=0.3))
    mask = surface.kind_map == EYE_KIND
    colours = eye_colours(scene.eyes, scene.pixels, mask, scene.px_per_mm)
    sure = (scene.eyes.trust[mask] == 1) & (scene.eyes.inside_mm[mask] > LID_SHADOW_MM)
    assert sure.sum() > 150
    np.testing.assert_array_equal(colours[sure], scene.pixels[mask][sure])
    assert not scene.eyes.trust[scene.kind_map != EYE_KIND].any()


def test_where_no_lid_moves_every_pixel_stays(make_scene: SceneMaker) -> None:
    """Lashes and the shade of lids are in place there: none is taken away."""
    scene = make_scene(size=SIZE, px_per_mm=PX_PER_MM)[1]
    mask = scene.kind_map == EYE_KIND
    colours = eye_colours(scene.eyes, scene.pixels, mask, scene.px_per_mm)
    np.testing.assert_array_equal(colours, scene.pixels[mask])


def test_what_the_lids_uncover_continues_iris_and_white(
    narrow_eyes: Scene, make_scene: SceneMaker, displace: Displacer
) -> None:
    wider = {"eyeWideLeft": 0.6, "eyeWideRight": 0.6}
    surface = surface_flow(narrow_eyes, displace(narrow_eyes, eyeBlinkLeft=-0.2, eyeBlinkRight=-0.2, **wider))
    mask = surface.kind_map == EYE_KIND
    colours = np.zeros((*mask.shape, 3), np.float32)
    colours[mask] = eye_colours(narrow_eyes.eyes, narrow_eyes.pixels, mask, narrow_eyes.px_per_mm)
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
    texture = replace(rings(np.array([[0, 5], [10, 5]])), ring_colours=np.full((2, RINGS + 1, 3), 100, np.float32))
    texture.ring_colours[1] = 200
    colours = eye_colours(texture, np.zeros((10, 10, 3), np.float32), eyes, 1e-3).reshape(2, 6, 3)
    np.testing.assert_allclose(colours[:, :3], 100, rtol=1e-5)
    np.testing.assert_allclose(colours[:, 3:], 200, rtol=1e-5)


def test_colours_are_interpolated_between_rings() -> None:
    eyes = np.zeros((10, 10), bool)
    eyes[4, :3] = True
    texture = rings(np.array([[0.5, 4.5], [99, 4.5]]))
    colours = eye_colours(texture, np.zeros((10, 10, 3), np.float32), eyes, 1e-3)
    radius = np.array([0, 1, 2]) / 4  # of the iris
    np.testing.assert_allclose(colours[:, 0], 100 - 48 * radius * RINGS_OF_IRIS / RINGS, rtol=1e-4)


def test_eyes_one_above_the_other_keep_their_colours() -> None:
    """A head that lies on its side."""
    eyes = np.zeros((10, 10), bool)
    eyes[2:8, 4:6] = True
    colours = np.full((2, RINGS + 1, 3), 100, np.float32)
    colours[1] = 200
    texture = replace(rings(np.array([[5, 2], [5, 8]])), ring_colours=colours)
    seen = eye_colours(texture, np.zeros((10, 10, 3), np.float32), eyes, 1e-3).reshape(6, 2, 3)
    np.testing.assert_allclose(seen[:3], 100, rtol=1e-5)
    np.testing.assert_allclose(seen[3:], 200, rtol=1e-5)


def test_the_lids_throw_a_shadow_on_what_they_uncover() -> None:
    eyes = np.zeros((30, 30), bool)
    eyes[5:25, 2:13] = True  # in the picture's left half
    flat = replace(rings(np.array([[7, 15], [23, 15]]), n=30), ring_colours=np.full((2, RINGS + 1, 3), 90, np.float32))
    colours = np.zeros((30, 30, 3), np.float32)
    colours[eyes] = eye_colours(flat, np.zeros((30, 30, 3), np.float32), eyes, 1.0)
    across = colours[15, 2:8, 0]
    assert (np.diff(across) >= 0).all()
    assert across[0] < 0.85 * across[-1]
    assert across[-1] == pytest.approx(90)


def test_a_lid_that_goes_away_takes_its_shadow_along() -> None:
    """A pixel that lay in it becomes as bright as its ring, and no brighter."""
    eyes = np.ones((31, 31), bool)
    eyes[0] = eyes[-1] = False
    photograph = np.full((31, 31, 3), 60, np.float32)
    ringed = replace(
        rings(np.array([[15, 15], [999, 15]]), n=31),
        inside_mm=np.full((31, 31), 0.4, np.float32),
        trust=np.ones((31, 31), np.float32),
        ring_colours=np.full((2, RINGS + 1, 3), 80, np.float32),
    )
    middle = eye_colours(ringed, photograph, eyes, 1.0).reshape(29, 31, 3)[14, 15]
    assert (middle > 70).all()
    assert (middle <= 80).all()


def test_no_eye_in_view_has_no_colours() -> None:
    none = np.zeros((10, 10), bool)
    texture = rings(np.array([[0, 5], [10, 5]]))
    assert eye_colours(texture, np.zeros((10, 10, 3), np.float32), none, 1.0).shape == (0, 3)


def test_closed_eyes_give_a_texture_of_finite_colours(make_scene: SceneMaker) -> None:
    eyes = make_scene(eyeBlinkLeft=1, eyeBlinkRight=1)[1].eyes
    assert not eyes.trust.any()
    assert np.isfinite(eyes.ring_colours).all()
    assert (eyes.ring_colours >= 0).all()
    assert (eyes.ring_colours <= 255).all()


@pytest.fixture
def painted_eye(portrait_scene: tuple[ImageArray, Scene]) -> tuple[FloatArray, FloatArray]:
    """A brown disc of the size of an iris in white, at 10 px a millimetre, and where the head's vertices are: the
    subject's right eye on it, the left one far away.
    """
    head = portrait_scene[1].head
    n = 240
    y, x = np.mgrid[:n, :n] + 0.5
    apart = np.hypot(x - 120, y - 120)
    pixels = np.where(apart[..., None] < 58, np.array([90, 60, 30]), np.array([220, 215, 210])).astype(np.float32)
    at = np.where(head.mean[:, :1] < 0, 120, 3000) + np.zeros((1, 3), np.float32)
    return pixels, at.astype(np.float32)


def test_rings_hold_the_mean_colour_of_their_pixels(
    portrait_scene: tuple[ImageArray, Scene], painted_eye: tuple[FloatArray, FloatArray]
) -> None:
    """Seen in a disc that is a third larger than the iris only."""
    pixels, at = painted_eye
    y, x = np.mgrid[:240, :240] + 0.5
    opening = np.hypot(x - 120, y - 120) < 90
    grey = np.full(3, 128, np.float32)
    texture = eye_texture(portrait_scene[1].head, pixels, opening, at, 10.0, grey)
    right, left = texture.ring_colours
    assert right.shape == (RINGS + 1, 3)
    np.testing.assert_allclose(right[: RINGS_OF_IRIS - 3], np.tile([90, 60, 30], (RINGS_OF_IRIS - 3, 1)), atol=1)
    # Rings that are hidden go on like the last that was seen.
    hidden = RINGS - RINGS_OF_IRIS - 3
    np.testing.assert_allclose(right[-hidden:], np.tile([220, 215, 210], (hidden, 1)), atol=1)
    np.testing.assert_allclose(left, right, atol=1e-3)  # the other eye shows nothing: it has this one's colours
    assert texture.trust[120, 120] == 1
    assert not texture.trust[~opening].any()


def test_eyes_that_both_show_nothing_have_an_iris_in_the_white_that_was_given(
    portrait_scene: tuple[ImageArray, Scene], painted_eye: tuple[FloatArray, FloatArray]
) -> None:
    pixels, at = painted_eye
    grey = np.full(3, 128, np.float32)
    texture = eye_texture(portrait_scene[1].head, pixels, np.zeros((240, 240), bool), at, 10.0, grey)
    np.testing.assert_allclose(texture.ring_colours[:, -1], [grey, grey])
    assert texture.ring_colours[:, 0].max() < 100


def test_a_lamp_in_an_iris_is_none_of_its_colour(
    portrait_scene: tuple[ImageArray, Scene], painted_eye: tuple[FloatArray, FloatArray]
) -> None:
    pixels, at = painted_eye
    pixels[90:115, 120:145] = 255
    texture = eye_texture(
        portrait_scene[1].head, pixels, np.ones((240, 240), bool), at, 10.0, np.full(3, 128, np.float32)
    )
    np.testing.assert_allclose(texture.ring_colours[0, : RINGS_OF_IRIS - 3, 0], 90, atol=1)


def test_a_white_of_which_only_the_shade_of_lids_is_seen_is_brighter(
    portrait_scene: tuple[ImageArray, Scene], painted_eye: tuple[FloatArray, FloatArray]
) -> None:
    pixels, at = painted_eye
    pixels[pixels[..., 0] > 200] = (100, 90, 85)
    white = np.full(3, 200, np.float32)
    colours = eye_texture(portrait_scene[1].head, pixels, np.ones((240, 240), bool), at, 10.0, white).ring_colours
    np.testing.assert_allclose(colours[:, -1].sum(axis=1), LEAST_WHITE * 600, rtol=1e-3)
    assert (np.diff(colours[:, -1], axis=1) < 0).all()  # and as tinted as it is
    np.testing.assert_allclose(colours[0, : RINGS_OF_IRIS - 3, 0], 90, atol=1)


def test_an_eye_in_the_shade_on_one_side_stays_so_where_it_was_hidden(
    portrait_scene: tuple[ImageArray, Scene], painted_eye: tuple[FloatArray, FloatArray]
) -> None:
    pixels, at = painted_eye
    pixels *= np.linspace(0.6, 1.2, 240, dtype=np.float32)[:, None]
    opening = np.zeros((240, 240), bool)
    opening[70:170, 10:230] = True
    texture = eye_texture(portrait_scene[1].head, pixels, opening, at, 10.0, np.full(3, 128, np.float32))
    above = texture.shade[50]
    assert above[40] < 0.9 < 1.1 < above[200]


def test_the_shade_of_lashes_does_not_stay_behind(make_scene: SceneMaker) -> None:
    """A dark band under the upper lid is less trusted; the same eye without it is not."""
    scene = make_scene(size=SIZE, px_per_mm=PX_PER_MM, eyeWideLeft=0.5, eyeWideRight=0.5)[1]
    opening = scene.kind_map == EYE_KIND
    shaded = scene.pixels.copy()
    band = opening & ~np.roll(opening, round(1.5 * PX_PER_MM), axis=0)
    shaded[band] *= 0.25
    white = np.full(3, 200, dtype=np.float32)
    bare, lashed = (
        eye_texture(scene.head, pixels, opening, scene.projected, scene.px_per_mm, white).trust
        for pixels in (scene.pixels, shaded)
    )
    assert bare[band].mean() > 0.25
    assert lashed[band].mean() < 0.4 * bare[band].mean()
    deep = opening & (bare == 1) & ~band
    assert lashed[deep].mean() > 0.95


@pytest.mark.parametrize("px_per_mm", [0.4, 2.0])
def test_eyes_beyond_the_border_of_the_picture_leave_finite_distances(make_scene: SceneMaker, px_per_mm: float) -> None:
    """A mouth and a chin, cut off under the eyes."""
    _, scene = make_scene(size=(60, 120), px_per_mm=px_per_mm, centre=(60.0, -40 * px_per_mm))
    assert not (scene.kind_map == EYE_KIND).any()
    assert np.isfinite(scene.eyes.inside_mm).all()
    assert (scene.eyes.inside_mm < 0).all()
    assert np.isfinite(scene.eyes.shade).all()
