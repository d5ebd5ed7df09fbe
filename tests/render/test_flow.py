from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest

from synth_affect.arrays import FloatArray, ImageArray
from synth_affect.heads.model import region_vertices
from synth_affect.render.flow import (
    FACING,
    FADE_MM,
    LIGHT_FADE_MM,
    RELIGHT_LIMIT,
    RIM_REACH_MM,
    sample,
    surface_flow,
)
from synth_affect.render.rasterizer import interpolate
from synth_affect.render.scene import EYE_KIND, FACE_KIND, INTERIOR_KIND, MARGIN_MM, Scene, face_mask, prepare_scene
from synth_affect.render.surroundings import FASTEST

SceneMaker = Callable[..., tuple[ImageArray, Scene]]
Displacer = Callable[..., FloatArray]
SHIFT_PX = np.array([2, -3], dtype=np.float32)
SURPRISE = {"jawOpen": 0.8, "browInnerUp": 1.0, "browOuterUpLeft": 1.0, "browOuterUpRight": 1.0}


@pytest.fixture(scope="module")
def shifted_scene(portrait_scene: tuple[ImageArray, Scene]) -> Scene:
    """The whole mesh is drawn 2 px further right and 3 px higher than at rest."""
    scene = portrait_scene[1]
    return replace(scene, offsets_px=scene.offsets_px + SHIFT_PX)


def test_teeth_that_reach_into_the_skin_of_a_lip_stay_behind_it(
    portrait_scene: tuple[ImageArray, Scene], displace: Displacer
) -> None:
    """The same jaw, six millimetres further forward, shows no tooth outside the opening."""
    scene = portrait_scene[1]
    vertices = displace(scene, jawOpen=0.5, mouthSmileLeft=0.8, mouthSmileRight=0.8)
    forward = vertices.copy()
    forward[region_vertices(scene.head, "teeth_lower")] += [0, 0, 6]
    count, parts = cv2.connectedComponents((surface_flow(scene, forward).kind_map == INTERIOR_KIND).astype(np.uint8))
    sizes = np.bincount(parts.ravel(), minlength=count)[1:]
    assert sizes.max() > 50
    assert sizes.sum() == sizes.max(), "specks of teeth on the skin"


def test_no_displacement_is_no_flow_and_no_change_of_light(portrait_scene: tuple[ImageArray, Scene]) -> None:
    scene = portrait_scene[1]
    surface = surface_flow(scene, scene.vertices)
    assert not surface.flow.any()
    assert (surface.relight == 1).all()
    np.testing.assert_array_equal(surface.kind_map, scene.kind_map)
    np.testing.assert_array_equal(sample(scene.pixels, surface.flow), scene.pixels)


def test_shapes_and_dtypes(portrait_scene: tuple[ImageArray, Scene], displace: Displacer) -> None:
    scene = portrait_scene[1]
    surface = surface_flow(scene, displace(scene, jawOpen=0.4))
    height, width = scene.pixels.shape[:2]
    assert surface.flow.shape == surface.own_flow.shape == (height, width, 2)
    assert surface.shown.shape == surface.kind_map.shape == surface.relight.shape == (height, width)
    assert (surface.flow.dtype, surface.relight.dtype, surface.shown.dtype) == (np.float32, np.float32, np.bool_)
    assert surface.vertices.shape == surface.projected.shape == surface.vertex_normals.shape == scene.vertices.shape
    assert np.isfinite(surface.flow).all()


def test_the_face_at_rest_is_what_the_photograph_shows(portrait_scene: tuple[ImageArray, Scene]) -> None:
    scene = portrait_scene[1]
    surface = surface_flow(scene, scene.vertices)
    assert surface.shown[scene.kind_map == EYE_KIND].all()
    facing = interpolate(scene.fragments, scene.triangles, scene.facing[:, None])[..., 0]
    face = scene.kind_map == FACE_KIND
    np.testing.assert_array_equal(surface.shown[face], facing[face] > FACING[0])
    assert not surface.shown[scene.kind_map == 0].any()


def test_a_shifted_mesh_flows_back_by_its_shift(shifted_scene: Scene) -> None:
    surface = surface_flow(shifted_scene, shifted_scene.vertices)
    face = face_mask(shifted_scene, surface.fragments)
    assert face.sum() > 15_000
    np.testing.assert_allclose(surface.flow[face], np.broadcast_to(-SHIFT_PX, (face.sum(), 2)), atol=1e-4)
    assert (surface.relight == 1).all()
    rows, columns = np.nonzero(face)
    moved = sample(shifted_scene.pixels, surface.flow)[rows, columns]
    np.testing.assert_allclose(moved, shifted_scene.pixels[rows + 3, columns - 2], atol=1e-2)


def test_the_flow_fades_to_nothing_around_the_face(shifted_scene: Scene) -> None:
    # As before a wall of one colour: nothing is further away than it is.
    shifted_scene = replace(shifted_scene, apart_mm=np.zeros_like(shifted_scene.apart_mm))
    surface = surface_flow(shifted_scene, shifted_scene.vertices)
    face = face_mask(shifted_scene, surface.fragments)
    distance_mm = cv2.distanceTransform((~face).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    distance_mm /= shifted_scene.px_per_mm
    length = np.linalg.norm(surface.flow, axis=2)
    assert (length <= np.linalg.norm(SHIFT_PX) + 1e-4).all()
    beyond = distance_mm > FADE_MM * 1.05  # OpenCV's quick distance is a few per cent off
    assert beyond.sum() > 500
    assert not surface.flow[beyond].any()
    near = (distance_mm > 0) & (distance_mm < 3)
    assert length[near].min() > 0.8 * np.linalg.norm(SHIFT_PX)
    middle = np.abs(distance_mm - FADE_MM / 2) < 1
    np.testing.assert_allclose(length[middle], 0.5 * np.linalg.norm(SHIFT_PX), rtol=0.15)
    step = np.abs(np.diff(length, axis=1)).max()
    assert step < 4 * np.linalg.norm(SHIFT_PX) / (FADE_MM * shifted_scene.px_per_mm)  # nowhere a seam


def test_the_flow_fades_sooner_past_an_edge(shifted_scene: Scene) -> None:
    walled = replace(shifted_scene, apart_mm=np.full_like(shifted_scene.apart_mm, 200))
    plain = replace(shifted_scene, apart_mm=np.zeros_like(shifted_scene.apart_mm))
    sooner, later = (surface_flow(scene, shifted_scene.vertices) for scene in (walled, plain))
    face = face_mask(shifted_scene, sooner.fragments)
    np.testing.assert_array_equal(sooner.flow[face], later.flow[face])
    distance_mm = cv2.distanceTransform((~face).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    distance_mm /= shifted_scene.px_per_mm
    assert not sooner.flow[distance_mm > 1.05 * FADE_MM / FASTEST].any()
    assert np.abs(later.flow[(distance_mm > 12) & (distance_mm < 15)]).max(axis=1).min() > 1


@pytest.mark.parametrize("yaw_rad", [-0.8, 0.0, 0.8])
def test_the_flow_ends_before_the_region_does(make_scene: SceneMaker, displace: Displacer, yaw_rad: float) -> None:
    scene = make_scene(size=(420, 400), yaw_rad=yaw_rad)[1]
    assert (scene.region.top, scene.region.left) > (0, 0)
    assert scene.region.bottom < 420
    assert scene.region.right < 400
    flow = surface_flow(scene, displace(scene, jawOpen=1, jawLeft=1, mouthSmileLeft=1, browInnerUp=1)).flow
    assert np.abs(flow).max() > 5
    for border in (flow[0], flow[-1], flow[:, 0], flow[:, -1]):
        assert not border.any()


def test_the_flow_leads_each_surface_point_back_to_where_it_was(make_scene: SceneMaker, displace: Displacer) -> None:
    scene = make_scene(size=(360, 300), yaw_rad=0.3)[1]
    surface = surface_flow(scene, displace(scene, **SURPRISE, mouthSmileLeft=0.6))
    # Near the outline and on what was seen flatly the flow is continued from around.
    well_seen = interpolate(surface.fragments, scene.triangles, scene.facing[:, None])[..., 0] > FACING[1]
    inside = cv2.erode((surface.kind_map > 0).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    # And on the rims of the opened mouth it is evened out.
    from_mouth = cv2.distanceTransform((surface.kind_map != INTERIOR_KIND).astype(np.uint8), cv2.DIST_L2, 5)
    inside &= from_mouth > 2 * RIM_REACH_MM * scene.px_per_mm
    rows, columns = np.nonzero(surface.shown & (surface.kind_map == FACE_KIND) & well_seen & inside)
    some = np.random.default_rng(3).choice(len(rows), 300, replace=False)
    seen, weights = surface.fragments.pix_to_face[0, :, :, 0], surface.fragments.bary_coords[0, :, :, 0]
    for row, column in zip(rows[some], columns[some], strict=True):
        corners = scene.triangles[seen[row, column]]
        # Barycentrics are those of the surface; in the picture, each corner weighs by how near it is.
        at_rest = (weights[row, column] / scene.projected[corners, 2]) @ scene.projected[corners, :2]
        at_rest /= (weights[row, column] / scene.projected[corners, 2]).sum()
        there = np.array([column + 0.5, row + 0.5]) + surface.flow[row, column]
        assert np.abs(there - at_rest).max() < 0.1  # the flow itself is linear in the surface, not in the picture


def test_a_displacement_that_is_a_seventh_flows_a_seventh(
    portrait_scene: tuple[ImageArray, Scene], displace: Displacer
) -> None:
    scene = portrait_scene[1]
    whole = surface_flow(scene, displace(scene, browInnerUp=0.7))
    part = surface_flow(scene, displace(scene, browInnerUp=0.1))
    assert np.abs(whole.flow).max() > 2
    difference = np.abs(7 * part.flow - whole.flow)
    assert np.quantile(difference, 0.995) < 0.15 * np.abs(whole.flow).max()  # edges of lids cover other pixels
    assert np.median(difference) < 0.02


def test_what_was_behind_closed_lids_and_lips_is_not_shown(make_scene: SceneMaker, displace: Displacer) -> None:
    scene = make_scene(eyeBlinkLeft=1, eyeBlinkRight=1, mouthShrugLower=0.5)[1]
    assert not (scene.kind_map >= EYE_KIND).any()
    opened = surface_flow(scene, displace(scene, eyeBlinkLeft=-1, eyeBlinkRight=-1, jawOpen=0.7))
    for kind, least in ((EYE_KIND, 150), (INTERIOR_KIND, 300)):
        inner = opened.kind_map == kind
        assert inner.sum() > least
        assert not opened.shown[inner].any()


def test_skin_that_faced_away_is_not_shown_and_takes_its_flow_from_the_rest(make_scene: SceneMaker) -> None:
    scene = make_scene(size=(360, 320), yaw_rad=0.6)[1]
    turn = -0.7  # to the other side
    about_y = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]], np.float32)
    surface = surface_flow(scene, scene.vertices @ about_y.T)
    facing = interpolate(surface.fragments, scene.triangles, scene.facing[:, None])[..., 0]
    away = (surface.kind_map == FACE_KIND) & (facing < 0)
    assert away.sum() > 300
    assert not surface.shown[away].any()
    assert np.isfinite(surface.flow).all()


def test_skin_behind_the_nose_is_not_shown(make_scene: SceneMaker) -> None:
    """Seen from the side, the nose hides the far cheek: after a turn its texture would be the nose's."""
    scene = make_scene(size=(360, 320), yaw_rad=1.0)[1]
    turn = -1.0
    about_y = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]], np.float32)
    surface = surface_flow(scene, scene.vertices @ about_y.T)
    carried = interpolate(surface.fragments, scene.triangles, np.column_stack([scene.projected, scene.facing]))
    rows, columns = np.nonzero((surface.kind_map == FACE_KIND) & (carried[..., 3] > FACING[0]))
    column, row, depth, _ = carried[rows, columns].T
    nearest = scene.fragments.zbuf[0, :, :, 0][row.astype(int), column.astype(int)]
    hidden = depth > nearest + 4
    assert hidden.sum() > 400
    assert surface.shown[rows, columns][hidden].mean() < 0.01  # at an edge, the pixel beside decides
    assert surface.shown[rows, columns][depth < nearest + 1].mean() > 0.99


def test_light_follows_the_surface_within_its_limits(make_scene: SceneMaker, displace: Displacer) -> None:
    scene = make_scene()[1]
    relight = surface_flow(scene, displace(scene, mouthSmileLeft=1, mouthSmileRight=1, cheekPuff=1)).relight
    assert RELIGHT_LIMIT[0] - 1e-4 <= relight.min() < 0.95
    assert 1.03 < relight.max() <= RELIGHT_LIMIT[1] + 1e-4
    forehead = relight[: relight.shape[0] // 4]
    np.testing.assert_allclose(forehead, 1, atol=0.02)


def test_a_mirrored_face_flows_in_the_mirror(make_scene: SceneMaker, displace: Displacer) -> None:
    image, scene = make_scene(size=(320, 280), yaw_rad=0.3)
    mirror, flip = scene.head.mirror, np.array([-1, 1, 1], np.float32)
    camera = replace(
        scene.camera,
        rotation=np.diag(flip) @ scene.camera.rotation @ np.diag(flip),
        principal_point=np.array([280 - scene.camera.principal_point[0], scene.camera.principal_point[1]]),
    )
    swapped = prepare_scene(image[:, ::-1].copy(), scene.head, camera, scene.vertices[mirror] * flip, scene.offsets_px)
    moved = displace(scene, mouthSmileLeft=1, jawOpen=0.4, browInnerUp=0.7)
    flow = surface_flow(scene, moved).flow
    mirrored = surface_flow(swapped, moved[mirror] * flip).flow[:, ::-1] * [-1, 1]
    assert flow.shape == mirrored.shape
    assert np.abs(flow).max() > 4
    difference = np.abs(flow - mirrored).max(axis=2)
    assert np.quantile(difference, 0.99) < 0.1
    assert difference.mean() < 0.01


def test_nothing_is_written_to(portrait_scene: tuple[ImageArray, Scene], displace: Displacer) -> None:
    scene = portrait_scene[1]
    before = {
        name: np.array(getattr(scene, name)) for name in ("vertices", "projected", "pixels", "kind_map", "facing")
    }
    vertices = displace(scene, jawOpen=0.5)
    vertices.flags.writeable = False
    surface_flow(scene, vertices)
    for name, value in before.items():
        np.testing.assert_array_equal(getattr(scene, name), value)


def test_sampling_reads_halfway_between_pixels() -> None:
    ramp = np.broadcast_to(10 * np.arange(12, dtype=np.float32)[None, :, None], (9, 12, 3)).copy()
    half = sample(ramp, np.full((9, 12, 2), (0.5, 0), np.float32))
    np.testing.assert_allclose(half[:, 2:-3], ramp[:, 2:-3] + 5, atol=0.05)


def test_sampling_beyond_the_region_repeats_its_border() -> None:
    pixels = np.random.default_rng(0).uniform(0, 255, (6, 8, 3)).astype(np.float32)
    far = sample(pixels, np.full((6, 8, 2), (-50, 0), np.float32))
    np.testing.assert_allclose(far, np.broadcast_to(pixels[:, :1], pixels.shape), atol=1e-3)


def test_the_region_is_wider_than_the_fade() -> None:
    assert MARGIN_MM > FADE_MM


def test_the_light_stops_at_the_outline(make_scene: SceneMaker, displace: Displacer) -> None:
    """A wall behind the face keeps its brightness, also where it moves a little with the cheek."""
    scene = make_scene(size=(360, 300), yaw_rad=0.3)[1]
    surface = surface_flow(scene, displace(scene, **SURPRISE, mouthSmileLeft=0.6))
    outside = (~face_mask(scene, surface.fragments)).astype(np.uint8)
    distance_mm = cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_5) / scene.px_per_mm
    beyond = distance_mm > LIGHT_FADE_MM
    assert np.abs(surface.flow[beyond]).max() > 0.5
    np.testing.assert_array_equal(surface.relight[beyond], 1)
    assert np.abs(surface.relight[distance_mm == 0] - 1).max() > 0.02


def test_a_picture_that_is_all_skin_has_a_finite_flow(make_scene: SceneMaker) -> None:
    """A cheek, cut off on all sides."""
    _, scene = make_scene(size=(150, 60), px_per_mm=2.0, centre=(-74.0, 75.0), roll_rad=-np.pi / 2)
    assert np.isfinite(surface_flow(scene, scene.vertices).flow).all()
