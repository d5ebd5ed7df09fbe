from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from synth_affect.arrays import FloatArray, ImageArray
from synth_affect.render.drooping_lids import REACH_MM, RIM_MM, TUCKED, unroll_lids
from synth_affect.render.flow import surface_flow
from synth_affect.render.scene import EYE_KIND, Scene

SceneMaker = Callable[..., tuple[ImageArray, Scene]]
Displacer = Callable[..., FloatArray]

PX_PER_MM = 4.0
UP = np.array([0.0, -1.0], dtype=np.float32)
TOP, BOTTOM, LEFT, RIGHT = 120, 140, 60, 180
DROP = 12.0
SKIN = np.full((200, 240, 3), 180, dtype=np.float32)


@pytest.fixture
def eyes() -> np.ndarray:
    """One eye, a box: its upper lid is at row TOP."""
    mask = np.zeros((200, 240), dtype=bool)
    mask[TOP:BOTTOM, LEFT:RIGHT] = True
    return mask


def at_rest(eyes: np.ndarray, drop: float = DROP) -> np.ndarray:
    """The eye before its lid came down."""
    rest = np.zeros_like(eyes)
    rest[TOP - round(drop) : BOTTOM, LEFT:RIGHT] = True
    return rest


def stretched(lid_mm: float) -> np.ndarray:
    """The flow of a mesh whose lid, `lid_mm` high now, has come down by DROP: all of it is gone at the fold."""
    above = np.clip(np.arange(200)[:, None] - TOP + lid_mm * PX_PER_MM, 0, lid_mm * PX_PER_MM) / (lid_mm * PX_PER_MM)
    flow = np.zeros((200, 240, 2), dtype=np.float32)
    flow[..., 1] = -DROP * above
    return flow


def test_the_rim_of_the_lid_keeps_its_width_and_the_skin_above_gives_way(eyes: np.ndarray) -> None:
    flow = stretched(4.0)
    unroll_lids(flow, eyes, at_rest(eyes), SKIN, UP, PX_PER_MM)
    middle = flow[:, 120, 1]
    rim = slice(TOP - int(RIM_MM * PX_PER_MM) + 2, TOP)
    np.testing.assert_allclose(middle[rim], -DROP, atol=0.07 * DROP)
    assert np.ptp(middle[rim]) < 0.01 * DROP
    assert np.abs(np.diff(middle[TOP - 40 : TOP])).max() < 0.6 * DROP / (4.0 * PX_PER_MM)  # a gentler stretch
    places = np.arange(200) + middle
    assert (np.diff(places[: TOP + 1]) > 0).all()  # and nothing folds over itself
    np.testing.assert_allclose(middle[: TOP - int((REACH_MM + 2) * PX_PER_MM)], 0, atol=1e-4)


def test_a_line_that_is_painted_along_the_lid_keeps_its_width(eyes: np.ndarray) -> None:
    """It is 3 mm wide on one half of the lid, and there is none on the other."""
    made_up = SKIN.copy()
    edge = TOP - round(DROP)
    made_up[edge - round(3 * PX_PER_MM) : edge, :120] = 30
    flow = stretched(4.0)
    unroll_lids(flow, eyes, at_rest(eyes), made_up, UP, PX_PER_MM)
    line, bare = (flow[TOP - round(2.8 * PX_PER_MM) : TOP, column, 1] for column in (85, 155))
    assert np.ptp(line) < 0.05 * DROP
    assert np.ptp(bare) > 0.1 * DROP


def test_below_and_beside_the_eye_nothing_changes(eyes: np.ndarray) -> None:
    before = np.random.default_rng(2).normal(size=(200, 240, 2)).astype(np.float32) + stretched(4.0)
    flow = before.copy()
    unroll_lids(flow, eyes, at_rest(eyes), SKIN, UP, PX_PER_MM)
    np.testing.assert_allclose(flow[BOTTOM:], before[BOTTOM:], atol=0.02)
    np.testing.assert_allclose(flow[TOP + 5 : BOTTOM, :LEFT], before[TOP + 5 : BOTTOM, :LEFT], atol=0.02)


@pytest.mark.parametrize("drop", [0.0, -DROP])
def test_lids_that_stay_or_rise_with_the_brow_are_left_alone(eyes: np.ndarray, drop: float) -> None:
    before = np.zeros((200, 240, 2), dtype=np.float32)
    before[..., 1] = -drop * (1 + 0.2 * np.clip(TOP - np.arange(200), 0, 40)[:, None] / 40)
    flow = before.copy()
    unroll_lids(flow, eyes, at_rest(eyes, drop), SKIN, UP, PX_PER_MM)
    np.testing.assert_allclose(flow, before, atol=1e-6)


def test_without_eyes_there_is_nothing_to_do() -> None:
    flow = stretched(4.0)
    none = np.zeros((200, 240), dtype=bool)
    unroll_lids(flow, none, none, SKIN, UP, PX_PER_MM)
    np.testing.assert_array_equal(flow, stretched(4.0))


def test_a_head_that_lies_on_its_side_has_its_own_up(eyes: np.ndarray) -> None:
    upright, lying = stretched(4.0), np.ascontiguousarray(stretched(4.0).transpose(1, 0, 2)[..., ::-1])
    rest = at_rest(eyes)
    unroll_lids(upright, eyes, rest, SKIN, UP, PX_PER_MM)
    unroll_lids(
        lying,
        np.ascontiguousarray(eyes.T),
        np.ascontiguousarray(rest.T),
        np.ones((240, 200, 3), np.float32),
        UP[::-1].copy(),
        PX_PER_MM,
    )
    np.testing.assert_allclose(lying, upright.transpose(1, 0, 2)[..., ::-1], atol=0.1)


def test_skin_that_comes_down_leaves_the_rim_of_a_lid_that_rises(eyes: np.ndarray) -> None:
    """A mesh whose brow hangs over the lid shows brow down to the eye; lashes and the lid's edge stay before it."""
    rise, hang = 6, 10.0
    flow = np.zeros((200, 240, 2), dtype=np.float32)
    flow[..., 1] = -hang
    unroll_lids(flow, eyes, at_rest(eyes, -rise), SKIN, UP, PX_PER_MM)
    middle = flow[:, 120, 1]
    np.testing.assert_allclose(middle[TOP - int(RIM_MM * PX_PER_MM) + 2 : TOP], rise, atol=0.4)
    fold = int((RIM_MM + 1) * PX_PER_MM + TUCKED * (rise + hang))
    np.testing.assert_allclose(middle[: TOP - fold], -hang, atol=0.05)
    assert (np.diff((np.arange(200) + middle)[:TOP]) > 0).all()  # and nothing folds over itself


def test_an_eye_that_the_photograph_hides_keeps_the_flow_of_its_lid(eyes: np.ndarray) -> None:
    flow = stretched(4.0)
    unroll_lids(flow, eyes, np.zeros_like(eyes), SKIN, UP, PX_PER_MM)
    np.testing.assert_allclose(flow[TOP - 4 : TOP, 120, 1], -DROP, atol=0.07 * DROP)


def test_lashes_come_down_with_the_lid(make_scene: SceneMaker, displace: Displacer) -> None:
    scene = make_scene(size=(900, 720), px_per_mm=3.0)[1]
    surface = surface_flow(scene, displace(scene, eyeBlinkLeft=0.5, eyeBlinkRight=0.5))
    eyes = surface.kind_map == EYE_KIND
    column = int(np.median(np.nonzero(eyes)[1][np.nonzero(eyes)[1] > eyes.shape[1] / 2]))
    top = int(np.flatnonzero(eyes[:, column])[0])
    above = slice(top - 30, top - 1)
    stretch, of_the_mesh = (np.abs(np.diff(f[above, column, 1])).max() for f in (surface.flow, surface.own_flow))
    assert surface.flow[top - 1, column, 1] < -6
    assert stretch < 0.75 * of_the_mesh
