"""Lids and lips of the packaged head: they close, nothing pierces them, and what lies behind goes with them."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from synth_affect.heads.camera import project
from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.model import HeadModel, region_vertices
from tests.heads.cc0_views import (
    EYE,
    LEFT_LIDS,
    PIXEL_MM,
    RIGHT_LIDS,
    YAWS_DEG,
    eyes_seen,
    inside_mouth_seen,
    landmarks,
    random_heads,
    seen_from,
    unit,
)


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return load_cc0()


@cache
def blink_heads() -> tuple[np.ndarray, ...]:
    return tuple(random_heads(load_cc0(), 12, seed=3))


@pytest.mark.parametrize("yaw_deg", YAWS_DEG)
def test_closed_lids_cover_the_eyeballs_of_the_mean(head: HeadModel, yaw_deg: float) -> None:
    opened, _ = eyes_seen(head, head.mean, yaw_deg)
    assert opened.sum() * PIXEL_MM**2 > 150  # mm^2: an open eye is seen, so the test can fail
    closed, _ = eyes_seen(head, head.mean + unit(head, "eyeBlinkLeft", "eyeBlinkRight"), yaw_deg)
    assert closed.sum() == 0


@pytest.mark.parametrize("yaw_deg", YAWS_DEG)
def test_closed_lids_cover_the_eyeballs_of_random_people(head: HeadModel, yaw_deg: float) -> None:
    """Identity opens eyes more or less and the unit is one for all: what stays open in the corners is below 1 mm^2."""
    blink = unit(head, "eyeBlinkLeft", "eyeBlinkRight")
    left_open = [eyes_seen(head, vertices + blink, yaw_deg)[0].sum() * PIXEL_MM**2 for vertices in blink_heads()]
    assert max(left_open) < 1.0
    assert np.median(left_open) == 0


@pytest.mark.parametrize("weight", [0.0, 0.25, 0.5, 0.75])
def test_half_closed_lids_are_not_pierced(head: HeadModel, weight: float) -> None:
    """All that is seen of the eyeballs lies in the opening of the lids (1 mm for the coarseness of its outline)."""
    blink = weight * unit(head, "eyeBlinkLeft", "eyeBlinkRight")
    rows, columns = np.mgrid[:240, :480] + 0.5
    for vertices in (head.mean, *blink_heads()[:6]):
        for yaw_deg in YAWS_DEG:
            seen, camera = eyes_seen(head, vertices + blink, yaw_deg)
            outline = landmarks(head, project(camera, vertices + blink))[:, :2]
            pixels = np.stack([columns[seen], rows[seen]], 1)
            outside = np.minimum(*(outside_polygon(pixels, outline[list(eye)]) for eye in (RIGHT_LIDS, LEFT_LIDS)))
            assert not len(pixels) or outside.max() * PIXEL_MM < 1.0, yaw_deg


def outside_polygon(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """(n,) distance of points to a polygon, 0 within (even-odd rule)."""
    a, b = corners, np.roll(corners, -1, axis=0)
    along = np.clip(((points[:, None] - a) * (b - a)).sum(-1) / ((b - a) ** 2).sum(-1), 0, 1)
    distance = np.linalg.norm(points[:, None] - (a + along[..., None] * (b - a)), axis=-1).min(1)
    crosses = (a[:, 1] > points[:, 1:]) != (b[:, 1] > points[:, 1:])
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = a[:, 0] + (points[:, 1:] - a[:, 1]) / (b[:, 1] - a[:, 1]) * (b[:, 0] - a[:, 0])
    within = (crosses & (points[:, :1] < crossing)).sum(1) % 2 == 1
    return np.where(within, 0, distance)


def test_a_blink_ends_at_the_lower_lid(head: HeadModel) -> None:
    """The upper lid comes down over the lower one by less than half the opening, in both halves of the eye."""
    points = landmarks(head, head.mean)
    closed = landmarks(head, head.mean + unit(head, "eyeBlinkLeft", "eyeBlinkRight"))
    for upper, lower in ((159, 145), (158, 153), (160, 144), (386, 374), (385, 380), (387, 373)):
        opening = points[upper, 1] - points[lower, 1]
        overlap = closed[lower, 1] - closed[upper, 1]
        assert opening > 6
        assert 0 < overlap < 0.5 * opening


def test_a_blink_leaves_the_other_eye_alone(head: HeadModel) -> None:
    front = region_vertices(head, "skin", "lips", "lids", "lashes", *EYE)
    right = front[head.mean[front, 0] < -5]
    assert np.abs(unit(head, "eyeBlinkLeft")[right]).max() < 0.05


@pytest.mark.parametrize("yaw_deg", YAWS_DEG)
def test_lips_meet_in_the_neutral_mean(head: HeadModel, yaw_deg: float) -> None:
    assert inside_mouth_seen(head, head.mean + 0.3 * unit(head, "jawOpen"), yaw_deg).sum() > 500
    assert inside_mouth_seen(head, head.mean, yaw_deg).sum() == 0


def test_lips_meet_on_almost_all_random_people(head: HeadModel) -> None:
    """48 of 50 when this was written; what stays open is small."""
    gaps = [inside_mouth_seen(head, vertices).sum() * PIXEL_MM**2 for vertices in random_heads(head, 50)]
    assert sum(gap > 0 for gap in gaps) <= 4
    assert max(gaps) < 8.0


def test_lower_teeth_and_tongue_go_with_the_jaw_and_upper_teeth_stay(head: HeadModel) -> None:
    jaw = unit(head, "jawOpen")
    assert np.abs(jaw[region_vertices(head, "teeth_upper")]).max() == 0
    lower, tongue = jaw[region_vertices(head, "teeth_lower"), 1], jaw[region_vertices(head, "tongue"), 1]
    assert lower.max() < -8
    front = np.argmax(head.mean[region_vertices(head, "tongue"), 2])
    assert tongue[front] < -20
    assert tongue.max() < 1.5  # its root hardly moves
    # A jaw turns as a whole: the distances between lower teeth stay.
    teeth = region_vertices(head, "teeth_lower")[::40]
    before, after = (cdist(v[teeth], v[teeth]) for v in (head.mean, head.mean + 0.3 * jaw))
    np.testing.assert_allclose(after, before, atol=3.0)


def test_an_open_mouth_shows_teeth_and_tongue(head: HeadModel) -> None:
    opened = head.mean + 0.6 * unit(head, "jawOpen")
    for name, least_mm2 in (("teeth_upper", 3), ("teeth_lower", 20), ("tongue", 50), ("mouth_cavity", 20)):
        shown, _ = seen_from(head, opened, (name,), 0.0, (0.0, -75.0, 0.0))
        assert shown.sum() * PIXEL_MM**2 > least_mm2, name
