from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest

from synth_affect.arrays import BoolArray, FloatArray, ImageArray
from synth_affect.heads.model import region_vertices
from synth_affect.render.colour import luminance, srgb_to_linear
from synth_affect.render.flow import SurfaceFlow, surface_flow
from synth_affect.render.mouth import Interior, even_rim, into_mouth_mm, lip_contact, mouth_interior
from synth_affect.render.scene import INTERIOR_KIND, Scene
from synth_affect.render.upper_teeth import LONGEST_DROP_MM, show_upper_teeth

SceneMaker = Callable[..., tuple[ImageArray, Scene]]
Displacer = Callable[..., FloatArray]
GRIN = {
    "jawOpen": 0.35,
    "mouthUpperUpLeft": 1.0,
    "mouthUpperUpRight": 1.0,
    "mouthLowerDownLeft": 1.0,
    "mouthLowerDownRight": 1.0,
}


@pytest.fixture(scope="module")
def closed(make_scene: SceneMaker) -> Scene:
    return make_scene(size=(600, 480), px_per_mm=2.0, mouthShrugLower=0.5)[1]


@pytest.fixture(scope="module")
def grin(closed: Scene, displace: Displacer) -> tuple[SurfaceFlow, Interior]:
    return opened(closed, displace(closed, **GRIN))


def opened(scene: Scene, vertices: FloatArray) -> tuple[SurfaceFlow, Interior]:
    surface = surface_flow(scene, vertices)
    interior = mouth_interior(scene, surface)
    assert interior is not None
    return surface, interior


def light_of(scene: Scene, surface: SurfaceFlow, interior: Interior, region: str) -> FloatArray:
    """(n,) luminance of the pixels of one region that nothing else shares."""
    mask = pixels_of(scene, surface, region)
    box = interior.box
    alone = mask[box.top : box.bottom, box.left : box.right] & (interior.coverage > 0.99)
    assert alone.any(), region
    return luminance(srgb_to_linear(interior.colours[alone] / 255))


def pixels_of(scene: Scene, surface: SurfaceFlow, region: str) -> BoolArray:
    seen = surface.fragments.pix_to_face[0, :, :, 0]
    return (seen >= 0) & (scene.regions[seen] == scene.head.region_names.index(region))


def test_a_closed_mouth_has_no_interior(closed: Scene, displace: Displacer) -> None:
    assert mouth_interior(closed, surface_flow(closed, closed.vertices)) is None
    assert mouth_interior(closed, surface_flow(closed, displace(closed, browInnerUp=1.0))) is None


def test_a_slit_that_the_rim_closes_has_no_interior(
    closed: Scene, displace: Displacer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the border of a picture leaves of a mouth may be one column of samples."""
    opened = surface_flow(closed, displace(closed, jawOpen=0.3))
    assert mouth_interior(closed, opened) is not None
    monkeypatch.setattr("synth_affect.render.mouth.even_rim", lambda fine, _: np.zeros(fine.shape, dtype=np.float32))
    assert mouth_interior(closed, opened) is None


def test_an_opened_mouth_is_drawn_where_it_is(closed: Scene, grin: tuple[SurfaceFlow, Interior]) -> None:
    surface, interior = grin
    box = interior.box
    height, width = closed.pixels.shape[:2]
    assert 0 <= box.top < box.bottom <= height
    assert 0 <= box.left < box.right <= width
    assert interior.coverage.shape == (box.size.height, box.size.width)
    assert interior.colours.shape == (box.size.height, box.size.width, 3)
    assert interior.colours.dtype == np.float32
    inside = np.zeros((height, width), bool)
    inside[box.top : box.bottom, box.left : box.right] = interior.coverage > 0.5
    outline = inside ^ (surface.kind_map == INTERIOR_KIND)
    assert outline.sum() < 0.05 * inside.sum()


def test_coverage_is_a_share_and_soft_at_the_edge_only(grin: tuple[SurfaceFlow, Interior]) -> None:
    coverage = grin[1].coverage
    assert coverage.min() == 0
    assert coverage.max() == 1
    partial = (coverage > 0) & (coverage < 1)
    assert partial.sum() > 30
    assert len(np.unique(np.round(coverage[partial], 3))) > 4  # several samples a pixel
    around = np.pad(coverage, 1, mode="edge")
    neighbours = np.stack(
        [around[i : i + coverage.shape[0], j : j + coverage.shape[1]] for i in range(3) for j in range(3)]
    )
    assert (neighbours.max(axis=0)[partial] > neighbours.min(axis=0)[partial]).all()


def test_colours_are_finite_codes(grin: tuple[SurfaceFlow, Interior]) -> None:
    colours = grin[1].colours
    assert np.isfinite(colours).all()
    assert colours.min() >= 0
    assert colours.max() <= 255


def test_teeth_are_brighter_than_tongue_and_tongue_than_the_cavity(
    closed: Scene, displace: Displacer, grin: tuple[SurfaceFlow, Interior]
) -> None:
    teeth = np.median(light_of(closed, *grin, "teeth_upper"))
    yawn = opened(closed, displace(closed, jawOpen=1.0, mouthStretchLeft=1, mouthStretchRight=1, mouthUpperUpLeft=1))
    tongue, cavity = (np.median(light_of(closed, *yawn, name)) for name in ("tongue", "mouth_cavity"))
    assert teeth > 4 * tongue
    assert tongue > 1.3 * cavity


def test_a_tooth_is_never_brighter_than_the_white_of_the_face(
    closed: Scene, grin: tuple[SurfaceFlow, Interior]
) -> None:
    teeth = light_of(closed, *grin, "teeth_upper")
    white = float(luminance(closed.white))
    assert teeth.max() <= 1.01 * white
    assert np.quantile(teeth, 0.9) > 0.25 * white


def test_deeper_teeth_are_darker(closed: Scene, grin: tuple[SurfaceFlow, Interior]) -> None:
    surface, interior = grin
    box = interior.box
    mask = pixels_of(closed, surface, "teeth_upper")[box.top : box.bottom, box.left : box.right]
    columns = np.nonzero(mask & (interior.coverage > 0.99))[1]
    light = light_of(closed, surface, interior, "teeth_upper")
    off_middle = np.abs(columns - np.median(columns))
    front = light[off_middle < np.quantile(off_middle, 0.3)]
    back = light[off_middle > np.quantile(off_middle, 0.8)]
    assert np.median(back) < 0.8 * np.median(front)


def test_brightness_follows_the_white_of_the_face(closed: Scene, grin: tuple[SurfaceFlow, Interior]) -> None:
    half = mouth_interior(replace(closed, white=closed.white / 2), grin[0])
    assert half is not None
    full = srgb_to_linear(grin[1].colours / 255)
    np.testing.assert_allclose(srgb_to_linear(half.colours / 255), full / 2, atol=1e-4)


def test_lower_teeth_go_with_the_jaw_and_upper_ones_stay(closed: Scene, displace: Displacer) -> None:
    rows = {}
    for jaw in (0.4, 0.8):
        surface = surface_flow(closed, displace(closed, **{**GRIN, "jawOpen": jaw}))
        for name in ("teeth_upper", "teeth_lower"):
            vertices = region_vertices(closed.head, name)
            assert pixels_of(closed, surface, name).any(), f"no {name} in view"
            rows[name, jaw] = surface.projected[vertices, 1].mean()
    assert rows["teeth_lower", 0.8] > rows["teeth_lower", 0.4] + 4
    assert rows["teeth_upper", 0.8] == pytest.approx(rows["teeth_upper", 0.4], abs=0.01)


def test_a_wider_jaw_shows_more(closed: Scene, displace: Displacer) -> None:
    areas = [opened(closed, displace(closed, jawOpen=jaw))[1].coverage.sum() for jaw in (0.2, 0.4, 0.6, 0.8, 1.0)]
    assert (np.diff(areas) > 0.1 * areas[-1]).all()


def test_a_mouth_cut_off_by_the_picture_is_drawn(make_scene: SceneMaker, displace: Displacer) -> None:
    scene = make_scene(size=(300, 240), centre=(120.0, 228.0))[1]  # the mouth's middle lies 72 mm below the centre
    surface, interior = opened(scene, displace(scene, jawOpen=1.0))
    assert interior.box.bottom == surface.kind_map.shape[0]
    assert interior.coverage[-1].max() > 0.9


def test_depth_into_the_mouth_is_measured_from_the_lips(closed: Scene) -> None:
    into = into_mouth_mm(closed, closed.vertices)
    lips = region_vertices(closed.head, "lips")
    assert np.mean(into[lips] < 0) == pytest.approx(0.1, abs=0.02)
    assert into[region_vertices(closed.head, "teeth_upper")].min() > 3
    moved = into_mouth_mm(closed, closed.vertices + np.array([5, -7, 30], np.float32))
    np.testing.assert_allclose(moved, into, atol=1e-4)


@pytest.fixture(scope="module")
def gape(closed: Scene, displace: Displacer) -> FloatArray:
    """A mouth wide open under a long upper lip, which covers the teeth."""
    return displace(closed, jawOpen=0.9, mouthFunnel=0.4, mouthShrugLower=0.3, mouthPressLeft=0.4, mouthPressRight=0.4)


def drop_mm(scene: Scene, vertices: FloatArray) -> float:
    shown = show_upper_teeth(scene, vertices)
    return float((vertices - shown)[region_vertices(scene.head, "teeth_upper"), 1].max())


def test_a_wide_open_mouth_shows_upper_teeth(closed: Scene, gape: FloatArray) -> None:
    covered = gape.copy()
    covered[region_vertices(closed.head, "teeth_upper"), 1] += 4
    surface, _ = opened(closed, covered)
    box = pixels_of(closed, surface, "teeth_upper")
    assert box.any(axis=1).sum() / closed.px_per_mm > 2
    untouched = np.setdiff1d(np.arange(len(gape)), region_vertices(closed.head, "teeth_upper", "gums"))
    np.testing.assert_array_equal(show_upper_teeth(closed, covered)[untouched], covered[untouched])


def test_teeth_stay_where_they_are_to_be_seen_or_behind_shut_lips(closed: Scene, displace: Displacer) -> None:
    assert drop_mm(closed, closed.vertices) == 0
    assert drop_mm(closed, displace(closed, **GRIN)) == 0


def test_teeth_that_the_photograph_hides_as_well_stay_hidden(make_scene: SceneMaker, displace: Displacer) -> None:
    yawning = make_scene(size=(420, 420), px_per_mm=1.5, jawOpen=0.8, mouthFunnel=0.6)[1]
    assert drop_mm(yawning, yawning.vertices) == 0
    assert drop_mm(yawning, displace(yawning, browInnerUp=1.0)) == 0


def test_teeth_come_down_without_a_step_and_never_far(closed: Scene, gape: FloatArray) -> None:
    upper = region_vertices(closed.head, "teeth_upper")
    drops = []
    for raised in np.arange(0, 10, 0.5):
        higher = gape.copy()
        higher[upper, 1] += raised
        drops.append(drop_mm(closed, higher))
    assert max(drops) == pytest.approx(LONGEST_DROP_MM, abs=1e-3)
    assert np.all((np.diff(drops) >= -1e-3) & (np.diff(drops) < 0.6))


def test_lips_are_darker_where_they_roll_into_the_mouth(grin: tuple[SurfaceFlow, Interior]) -> None:
    interior = grin[1]
    beside = (interior.coverage < 0.5) & (cv2.dilate((interior.coverage > 0.5).astype(np.uint8), np.ones((3, 3))) > 0)
    assert interior.lip_light[beside].max() < 0.97
    assert interior.lip_light[0].min() > 0.99


def test_the_rim_of_the_opening_has_no_notches() -> None:
    opening = cv2.ellipse(np.zeros((120, 160), np.uint8), (80, 60), (60, 40), 0, 0, 360, 1, -1)
    notched = opening.copy()
    notched[58:61, 134:150] = 1  # where lips meet in a corner
    notched[40:43, 20:40] = 0
    even = even_rim(notched > 0, px_per_mm=4.0) > 0
    # What reached 20 px into the rim reaches 4 px at most.
    rim = cv2.distanceTransform(opening, cv2.DIST_L2, 5) + cv2.distanceTransform(1 - opening, cv2.DIST_L2, 5)
    assert rim[even != (opening > 0)].max(initial=0) < 4 < rim[notched != opening].max()


def test_a_slit_stays_open() -> None:
    slit = np.zeros((40, 160), bool)
    slit[18:22, 10:150] = True
    assert even_rim(slit, px_per_mm=8.0).sum() > 0.95 * slit.sum()


def test_lips_just_parted_show_a_dark_line(
    closed: Scene, displace: Displacer, grin: tuple[SurfaceFlow, Interior]
) -> None:
    parted = displace(closed, mouthUpperUpLeft=0.4, mouthUpperUpRight=0.4, jawOpen=0.1)
    _, slit = opened(closed, parted)
    inside = slit.colours[slit.coverage > 0.8]
    assert len(inside) > 20
    wide = luminance(srgb_to_linear(grin[1].colours[grin[1].coverage > 0.99] / 255))
    assert np.median(luminance(srgb_to_linear(inside / 255))) < 0.5 * np.percentile(wide, 90)
    assert (inside[:, 0] > inside[:, 2]).mean() > 0.9


@pytest.mark.parametrize(
    ("px_per_mm", "size", "darkest"), [(0.5, (150, 130), (0.6, 0.95)), (4.0, (1200, 960), (0.3, 0.6))]
)
def test_lips_that_close_get_a_line_as_fine_as_the_picture(
    make_scene: SceneMaker, px_per_mm: float, size: tuple[int, int], darkest: tuple[float, float]
) -> None:
    scene = make_scene(size=size, px_per_mm=px_per_mm, jawOpen=0.4)[1]
    shut = scene.vertices - 0.4 * scene.head.expression_units[scene.head.unit_names.index("jawOpen")]
    line = lip_contact(scene, surface_flow(scene, shut))
    assert darkest[0] < line.min() < darkest[1]
    # From corner to corner, and not down the corners: many times wider than it is high.
    dark = line < 0.5 * (1 + line.min())
    assert dark.any(axis=0).sum() > 3 * dark.any(axis=1).sum()
    np.testing.assert_array_equal(lip_contact(scene, surface_flow(scene, scene.vertices)) < 0.97, False)
