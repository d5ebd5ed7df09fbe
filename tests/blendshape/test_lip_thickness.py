from __future__ import annotations

import numpy as np
import pytest

from synth_affect.arrays import FloatArray
from synth_affect.blendshape.lip_thickness import LOWER, UPPER, LipThickness
from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.model import HeadModel, embed, head_vertices, region_vertices

FRONT = np.eye(3)
PX_PER_MM = 2.0


@pytest.fixture(scope="module")
def cc0() -> HeadModel:
    return load_cc0()


@pytest.fixture(scope="module")
def lips(cc0: HeadModel) -> LipThickness:
    return LipThickness(cc0)


def weights(head: HeadModel, **units: float) -> FloatArray:
    return np.array([units.get(name, 0.0) for name in head.unit_names], dtype=np.float32)


def drawn(head: HeadModel, vertices: FloatArray) -> FloatArray:
    """(478, 2) px, orthographic: y down."""
    return embed(vertices, head.triangles, head.landmarks_478)[:, :2] * [PX_PER_MM, -PX_PER_MM]


def thickness(points: FloatArray) -> list[FloatArray]:
    """(9,) mm of the upper and of the lower lip."""
    return [
        sign * (points[list(inner)] - points[list(outer)])[:, 1] / PX_PER_MM
        for (outer, inner), sign in zip((UPPER, LOWER), (1, -1), strict=True)
    ]


def flattened(head: HeadModel, vertices: FloatArray, share: float) -> FloatArray:
    """Offsets that make lips `share` as thick as they are, mm: a person whom the model draws too full."""
    offsets = np.zeros_like(vertices)
    points = embed(vertices, head.triangles, head.landmarks_478)
    near = region_vertices(head, "lips", "skin")
    middle = points[[13, 14], 1].mean()
    within = near[np.abs(vertices[near, 1] - middle) < 12]
    offsets[within, 1] = (share - 1) * (vertices[within, 1] - middle)
    return offsets


SMILE = {"mouthSmileLeft": 0.7, "mouthSmileRight": 0.7, "mouthUpperUpLeft": 0.6, "mouthUpperUpRight": 0.6}


def test_the_mean_face_is_as_the_model_has_it(cc0: HeadModel, lips: LipThickness) -> None:
    smile, rest = weights(cc0, **SMILE), weights(cc0)
    start, end = (head_vertices(cc0, np.zeros(len(cc0.identity_basis), np.float32), w) for w in (smile, rest))
    corrected = lips.correct(end, (drawn(cc0, start), drawn(cc0, end)), (smile, rest), FRONT, PX_PER_MM)
    np.testing.assert_allclose(corrected, end, atol=0.02)


def test_nothing_moves_where_nothing_changes(cc0: HeadModel, lips: LipThickness) -> None:
    smile = weights(cc0, **SMILE)
    points = drawn(cc0, cc0.mean)
    corrected = lips.correct(cc0.mean, (points, points), (smile, smile), FRONT, PX_PER_MM)
    np.testing.assert_array_equal(corrected, cc0.mean)


def test_thin_lips_unfold_by_the_share_that_the_model_unfolds(cc0: HeadModel, lips: LipThickness) -> None:
    smile, rest = weights(cc0, **SMILE), weights(cc0)
    identity = np.zeros(len(cc0.identity_basis), np.float32)
    start, end = (head_vertices(cc0, identity, w) for w in (smile, rest))
    offsets = flattened(cc0, start, 0.5)
    before, plain = drawn(cc0, start + offsets), drawn(cc0, end + offsets)
    corrected = lips.correct(end, (before, plain), (smile, rest), FRONT, PX_PER_MM)
    after = drawn(cc0, corrected + offsets)
    of_model = [new / old for old, new in zip(thickness(drawn(cc0, start)), thickness(drawn(cc0, end)), strict=True)]
    for lip in (0, 1):
        wanted = thickness(before)[lip] * of_model[lip]
        missed = [np.abs(thickness(points)[lip] - wanted)[2:-2].max() for points in (plain, after)]
        assert missed[0] > 0.4, "mm"
        assert missed[1] < 0.5 * missed[0]
    inner = [*UPPER[1], *LOWER[1], 61, 291]
    np.testing.assert_allclose(after[inner], plain[inner], atol=0.3)
    moved = np.abs(corrected - end).max(axis=1) > 1e-3
    far = np.abs(end[:, 1] - embed(end, cc0.triangles, cc0.landmarks_478)[13, 1]) > 30
    assert moved.any()
    assert not (moved & far).any()
