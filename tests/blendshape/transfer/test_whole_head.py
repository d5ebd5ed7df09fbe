from __future__ import annotations

import numpy as np
import pytest

from synth_affect.blendshape.template import face_vertices
from synth_affect.blendshape.transfer.whole_head import WholeHead
from synth_affect.errors import ShapeError
from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.model import HeadModel, region_vertices


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return load_cc0()


@pytest.fixture(scope="module")
def whole_head(head: HeadModel) -> WholeHead:
    return WholeHead(head)


def expression(head: HeadModel, **weights: float) -> np.ndarray:
    return sum(weight * head.expression_units[head.unit_names.index(name)] for name, weight in weights.items())


def test_the_face_gets_the_displacement_itself(whole_head: WholeHead, head: HeadModel) -> None:
    face = face_vertices(head)
    offsets = np.random.default_rng(1).normal(0, 1, (len(face), 3)).astype(np.float32)
    moved = whole_head(offsets)
    assert (moved.shape, moved.dtype) == (head.mean.shape, np.float32)
    np.testing.assert_array_equal(moved[face], offsets)


def test_nothing_moves_when_nothing_is_asked(whole_head: WholeHead, head: HeadModel) -> None:
    assert not whole_head(np.zeros((len(face_vertices(head)), 3), np.float32)).any()


def test_an_expression_of_the_units_is_found_again(whole_head: WholeHead, head: HeadModel) -> None:
    """Jaw, teeth, tongue and neck are where the units would have put them, from the face alone."""
    wanted = expression(head, jawOpen=0.5, mouthSmileLeft=0.7, browInnerUp=0.4)
    moved = whole_head(wanted[face_vertices(head)])
    inside = region_vertices(head, "teeth_upper", "teeth_lower", "gums", "tongue", "mouth_cavity")
    assert np.abs(wanted[inside]).max() > 10
    assert np.abs(moved - wanted)[inside].max() < 0.8
    assert np.abs(moved - wanted)[region_vertices(head, "neck", "scalp", "ears")].max() < 0.8
    weights = whole_head.explain(wanted[face_vertices(head)])
    assert weights.min() >= 0
    assert weights[head.unit_names.index("jawOpen")] == pytest.approx(0.5, abs=0.05)


def test_upper_teeth_stay_while_the_jaw_takes_the_lower_along(whole_head: WholeHead, head: HeadModel) -> None:
    moved = whole_head(expression(head, jawOpen=0.6)[face_vertices(head)])
    assert np.abs(moved[region_vertices(head, "teeth_upper")]).max() < 0.2
    assert moved[region_vertices(head, "teeth_lower"), 1].max() < -4


def test_what_units_cannot_explain_fades_away_from_the_face(whole_head: WholeHead, head: HeadModel) -> None:
    """A face that is moved as a whole: at its rim the head comes along, far from it not."""
    face = face_vertices(head)
    moved = whole_head(np.tile(np.array([0, 0, 3], np.float32), (len(face), 1)))
    around = np.setdiff1d(region_vertices(head, "neck", "scalp", "ears"), face)
    away = np.array([np.linalg.norm(head.mean[face] - place, axis=1).min() for place in head.mean[around]])
    length = np.linalg.norm(moved[around], axis=1)
    assert np.median(length[away < 6]) > 1.5
    assert length[away > 90].max() < 0.6


def test_eyes_are_still_and_lashes_go_with_their_lid(whole_head: WholeHead, head: HeadModel) -> None:
    moved = whole_head(expression(head, eyeBlinkLeft=1.0, eyeLookOutLeft=1.0)[face_vertices(head)])
    assert not moved[region_vertices(head, "eyeball", "iris")].any()
    lashes = region_vertices(head, "lashes")
    assert moved[lashes][head.mean[lashes, 0] > 20, 1].min() < -5
    assert np.abs(moved[lashes][head.mean[lashes, 0] < -20]).max() < 0.3


def test_inputs_stay_and_other_counts_are_refused(whole_head: WholeHead, head: HeadModel) -> None:
    offsets = expression(head, jawOpen=0.2)[face_vertices(head)]
    before = offsets.copy()
    offsets.flags.writeable = False
    whole_head(offsets)
    np.testing.assert_array_equal(offsets, before)
    with pytest.raises(ShapeError, match="face_offsets"):
        whole_head(head.mean)
    with pytest.raises(ShapeError, match="face_offsets"):
        whole_head(np.full_like(offsets, np.nan))
