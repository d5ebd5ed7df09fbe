"""Landmarks of the packaged head lie where they are named for."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import cKDTree

from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.model import HeadModel, embed
from tests.heads.cc0_views import (
    FLIP,
    LEFT_LIDS,
    RIGHT_LIDS,
    landmarks,
    unit,
)

# MediaPipe's points along the inner lips.
UPPER_INNER_LIP = (191, 80, 81, 82, 13, 312, 311, 310, 415)
LOWER_INNER_LIP = (95, 88, 178, 87, 14, 317, 402, 318, 324)


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return load_cc0()


def test_landmarks_lie_on_triangles(head: HeadModel) -> None:
    for embedding, n in ((head.landmarks_478, 478), (head.landmarks_68, 68)):
        assert embedding.triangles.shape == (n,)
        assert embedding.triangles.min() >= 0
        assert embedding.triangles.max() < len(head.triangles)
        assert embedding.barycentric.min() >= -1e-6
        np.testing.assert_allclose(embedding.barycentric.sum(1), 1, atol=1e-5)


def landmark_regions(head: HeadModel, points: tuple[int, ...]) -> set[str]:
    held = head.triangle_regions[head.landmarks_478.triangles[list(points)]]
    return {head.region_names[region] for region in held}


def test_landmarks_lie_on_the_regions_they_are_named_for(head: HeadModel) -> None:
    assert landmark_regions(head, tuple(range(468))) <= {"skin", "lips", "lids", "ears", "neck", "scalp"}
    assert landmark_regions(head, tuple(range(468, 478))) <= {"iris", "eyeball"}
    assert landmark_regions(head, UPPER_INNER_LIP + LOWER_INNER_LIP) == {"lips"}
    assert landmark_regions(head, RIGHT_LIDS + LEFT_LIDS) == {"lids"}
    points = landmarks(head, head.mean)
    assert (points[468:473, 0] < -15).all()  # the subject's right
    assert (points[473:478, 0] > 15).all()
    for centre, ring in ((468, range(469, 473)), (473, range(474, 478))):
        radius = np.linalg.norm(points[list(ring)] - points[centre], axis=1)
        assert (radius > 2.5).all()
        assert (radius < 7.5).all()


def test_points_of_the_lower_lip_go_with_the_jaw_and_those_of_the_upper_lip_stay(head: HeadModel) -> None:
    moved = landmarks(head, unit(head, "jawOpen"))[:, 1]
    upper, lower = moved[list(UPPER_INNER_LIP)], moved[list(LOWER_INNER_LIP)]
    assert upper.min() > -10
    assert lower.max() < -15
    # Further to the middle, further down: no point strays to the other lip.
    assert (np.diff(lower[:5]) < 0).all()
    assert (np.diff(lower[4:]) > 0).all()


def test_lids_landmarks_close_with_the_blink(head: HeadModel) -> None:
    moved = landmarks(head, unit(head, "eyeBlinkRight"))[:, 1]
    assert moved[[160, 159, 158]].max() < -6
    assert np.abs(moved[[144, 145, 153]]).max() < 2


@pytest.mark.parametrize("markup", ["landmarks_478", "landmarks_68"])
def test_landmarks_are_symmetric(head: HeadModel, markup: str) -> None:
    points = embed(head.mean, head.triangles, getattr(head, markup))
    distance, partner = map(np.asarray, cKDTree(points).query(points * FLIP))
    assert distance.max() < 0.5
    np.testing.assert_array_equal(partner[partner], np.arange(len(points)))


def test_known_pairs_of_landmarks_face_each_other(head: HeadModel) -> None:
    points = landmarks(head, head.mean)
    right = [33, 133, 159, 145, 61, 78, 178, 132, 234, 172, 58, 64, 48, 105, 468, 469, 471]
    left = [263, 362, 386, 374, 291, 308, 402, 361, 454, 397, 288, 294, 278, 334, 473, 476, 474]
    np.testing.assert_allclose(points[right] * FLIP, points[left], atol=0.5)


def test_no_two_landmarks_are_one(head: HeadModel) -> None:
    points = landmarks(head, head.mean)[:468]
    distance = np.asarray(cKDTree(points).query(points, k=2)[0])
    assert distance[:, 1].min() > 0.3


def test_ibug_points_are_among_the_478(head: HeadModel) -> None:
    points, ibug = landmarks(head, head.mean), embed(head.mean, head.triangles, head.landmarks_68)
    # ibug: 8 chin, 30 nose tip, 36 and 45 outer eye corners, 48 and 54 mouth corners, 62 and 66 inner lips.
    for place, point in ((8, 152), (30, 4), (36, 33), (45, 263), (48, 61), (54, 291), (62, 13), (66, 14)):
        np.testing.assert_allclose(ibug[place], points[point], atol=1.5)
