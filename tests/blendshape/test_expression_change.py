from __future__ import annotations

import numpy as np
import pytest

from synth_affect.blendshape.expression_change import (
    AT_REST,
    CLOSED_MM,
    CLOSING_UNITS,
    EXPRESSIVE,
    IRIS_RADIUS_MM,
    IRISES,
    LID_SCALE,
    LIFT_SCALE,
    LOWER_FACE,
    LOWER_INNER_LIP,
    LOWER_LID_LIFTS,
    LOWER_LIDS,
    MOST_LIFT,
    OVERLAP_MM,
    PARTED_MM,
    UPPER_FACE,
    UPPER_INNER_LIP,
    UPPER_LID_LIFTS,
    UPPER_LIDS,
    WHITE_ABOVE_MM,
    InputExpression,
    changed_expression,
    lid_travel,
    lip_closing,
    shown_share,
)
from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.model import HeadModel, embed

NAMES = ("browDownLeft", "eyeBlinkLeft", "eyeLookUpLeft", "jawOpen", "mouthSmileLeft", "mouthSmileRight")
NOTHING = np.zeros(len(NAMES), dtype=np.float32)


def weights(**named: float) -> np.ndarray:
    return np.array([named.get(name, 0.0) for name in NAMES], dtype=np.float32)


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return load_cc0()


def changed(fitted: np.ndarray, asked: np.ndarray, how: InputExpression = "replace") -> dict[str, float]:
    new = changed_expression(fitted, asked, NAMES, how)
    assert new.shape == fitted.shape
    assert new.dtype == np.float32
    return dict(zip(NAMES, new.tolist(), strict=True))


def test_a_shown_expression_is_taken_away() -> None:
    new = changed(weights(mouthSmileLeft=0.8, mouthSmileRight=0.7, jawOpen=0.3), NOTHING)
    assert new == dict.fromkeys(NAMES, 0.0)


def test_a_target_replaces_what_is_shown() -> None:
    new = changed(weights(mouthSmileLeft=0.8), weights(jawOpen=0.5, browDownLeft=0.25))
    assert new == dict(zip(NAMES, weights(jawOpen=0.5, browDownLeft=0.25).tolist(), strict=True))


def test_a_resting_face_keeps_its_small_weights() -> None:
    rest = weights(mouthSmileLeft=AT_REST, mouthSmileRight=0.1, browDownLeft=0.2)
    np.testing.assert_array_equal(changed_expression(rest, NOTHING, NAMES, "replace"), rest)


def test_halves_of_the_face_are_judged_apart() -> None:
    new = changed(weights(mouthSmileLeft=0.9, browDownLeft=0.2), NOTHING)
    assert new["mouthSmileLeft"] == 0
    assert new["browDownLeft"] == pytest.approx(0.2)


@pytest.mark.parametrize("how", ["replace", "keep"])
def test_gaze_and_the_lids_at_rest_belong_to_the_person(how: InputExpression) -> None:
    new = changed(weights(eyeBlinkLeft=0.6, eyeLookUpLeft=0.7, mouthSmileLeft=0.9, browDownLeft=0.9), NOTHING, how)
    assert new["eyeBlinkLeft"] == pytest.approx(0.6)
    assert new["eyeLookUpLeft"] == pytest.approx(0.7)


def test_keep_adds_and_stays_within_bounds() -> None:
    new = changed(weights(mouthSmileLeft=0.8, jawOpen=0.2), weights(mouthSmileLeft=0.5, jawOpen=0.25), "keep")
    assert new["mouthSmileLeft"] == 1.0
    assert new["jawOpen"] == pytest.approx(0.45)


def test_weights_that_close_lips_do_not_go_below_zero() -> None:
    assert changed(weights(jawOpen=0.1), -weights(jawOpen=0.4), "keep")["jawOpen"] == 0.0


def test_inputs_are_left_alone() -> None:
    fitted, asked = weights(mouthSmileLeft=0.8), weights(jawOpen=0.5)
    for array in (fitted, asked):
        array.flags.writeable = False
    changed_expression(fitted, asked, NAMES, "replace")
    np.testing.assert_array_equal(fitted, weights(mouthSmileLeft=0.8))


def test_the_share_rises_without_a_kink_from_resting_to_expressive() -> None:
    def share(strongest: float) -> float:
        return shown_share(weights(mouthSmileLeft=strongest, jawOpen=0.01), NAMES, LOWER_FACE)

    middle = (AT_REST + EXPRESSIVE) / 2
    assert (share(AT_REST), share(EXPRESSIVE), share(1.0)) == (0, pytest.approx(1), 1)
    assert share(middle) == pytest.approx(0.5)
    rising = [share(w) for w in np.linspace(AT_REST, EXPRESSIVE, 41)]
    steps = np.diff(rising)
    assert (steps > 0).all()
    assert max(steps[0], steps[-1]) < 0.1 * steps.max()
    assert shown_share(weights(mouthSmileLeft=0.9), NAMES, UPPER_FACE) == 0
    assert shown_share(weights(mouthSmileLeft=0.9), NAMES, ("tongue",)) == 0  # no unit of that name at all


# --- Lips ---


def opened_by(head: HeadModel, unit_weights: np.ndarray) -> np.ndarray:
    """(9,) mm: how much the units open the gaps between the inner lips."""
    offsets = np.tensordot(unit_weights, head.expression_units, 1)
    moved = embed(offsets, head.triangles, head.landmarks_478)[:, 1]
    return moved[list(UPPER_INNER_LIP)] - moved[list(LOWER_INNER_LIP)]


def a_mouth_parted_by(head: HeadModel, jaw: float) -> np.ndarray:
    unit_weights = np.zeros(len(head.unit_names))
    unit_weights[head.unit_names.index("jawOpen")] = jaw
    return opened_by(head, unit_weights)


def test_lips_that_are_closed_are_left_alone(head: HeadModel) -> None:
    for gaps in (np.zeros(9), np.full(9, -2.0), np.full(9, CLOSED_MM)):
        closing = lip_closing(head, gaps)
        assert closing.shape == (len(head.unit_names),)
        assert not closing.any()


@pytest.mark.parametrize("jaw", [0.1, 0.2, 0.3])
def test_lips_that_the_jaw_parted_are_brought_together(head: HeadModel, jaw: float) -> None:
    gaps = a_mouth_parted_by(head, jaw)
    assert gaps.max() > PARTED_MM
    left = gaps + opened_by(head, lip_closing(head, gaps))
    assert np.abs(left + OVERLAP_MM).mean() < 0.25 * gaps.mean()
    assert left[4] < 0.1 * gaps[4]


def test_gaps_shrink_whatever_their_profile(head: HeadModel) -> None:
    for gaps in (np.full(9, 3.0), 5 * np.hanning(11)[1:-1], np.linspace(1, 4, 9)):
        left = gaps + opened_by(head, lip_closing(head, gaps))
        assert np.abs(left).mean() < 0.6 * gaps.mean()


def test_only_units_that_part_the_lips_are_used(head: HeadModel) -> None:
    closing = lip_closing(head, a_mouth_parted_by(head, 0.3))
    used = {name for name, weight in zip(head.unit_names, closing, strict=True) if weight}
    assert used <= set(CLOSING_UNITS)
    assert closing[head.unit_names.index("jawOpen")] < -0.1


def test_closing_sets_in_gradually(head: HeadModel) -> None:
    sizes = [np.abs(lip_closing(head, np.full(9, mm))).sum() for mm in np.linspace(CLOSED_MM, PARTED_MM, 11)]
    assert sizes[0] == 0
    assert (np.diff(sizes) > 0).all()
    assert sizes[1] < 0.15 * sizes[-1]


def test_a_parting_on_the_left_is_closed_as_its_mirror_image(head: HeadModel) -> None:
    gaps = np.linspace(0.5, 3, 9)
    left, right = lip_closing(head, gaps), lip_closing(head, gaps[::-1])
    for name in CLOSING_UNITS:
        other = name.replace("Left", "#").replace("Right", "Left").replace("#", "Right")
        mine, others = left[head.unit_names.index(name)], right[head.unit_names.index(other)]
        assert mine == pytest.approx(others, abs=0.02), name


# --- Lids ---


def openings(head: HeadModel, vertices: np.ndarray) -> dict[str, float]:
    points = embed(vertices, head.triangles, head.landmarks_478)[:, 1]
    return {name: float(points[upper] - points[LOWER_LIDS[name]]) for name, upper in UPPER_LIDS.items()}


def full(head: HeadModel) -> np.ndarray:
    return np.ones(len(head.unit_names), dtype=np.float32)


def test_only_the_lids_are_scaled(head: HeadModel) -> None:
    travel = lid_travel(head, head.mean * 0.8, np.zeros(len(head.unit_names)), full(head))
    assert travel.shape == (len(head.unit_names),)
    of_lids = {*UPPER_LIDS, *UPPER_LID_LIFTS, *LOWER_LID_LIFTS}
    other = [k for k, name in enumerate(head.unit_names) if name not in of_lids]
    np.testing.assert_array_equal(travel[other], 1)
    assert (travel[[head.unit_names.index(name) for name in UPPER_LIDS]] < 1).all()
    assert (np.delete(travel, other) != 1).all()


def test_lids_that_lie_on_one_another_have_a_finite_way(head: HeadModel) -> None:
    vertices = np.zeros_like(head.mean)  # an opening of nothing
    travel = lid_travel(head, vertices, np.zeros(len(head.unit_names)), full(head))
    assert np.isfinite(travel).all()


@pytest.mark.parametrize("narrowed", [0.0, 0.15, 0.3])
def test_a_lid_that_is_raised_in_full_bares_little_white(head: HeadModel, narrowed: float) -> None:
    """However high it stood at rest."""
    vertices = head.mean.copy()
    for name in UPPER_LIDS:
        vertices += narrowed * head.expression_units[head.unit_names.index(name)]
    travel = lid_travel(head, vertices, np.zeros(len(head.unit_names)), full(head))
    for lift, name in UPPER_LID_LIFTS.items():
        k = head.unit_names.index(lift)
        raised = embed(vertices + travel[k] * head.expression_units[k], head.triangles, head.landmarks_478)
        white_mm = raised[UPPER_LIDS[name], 1] - raised[IRISES[name], 1] - IRIS_RADIUS_MM
        assert LIFT_SCALE[0] < travel[k] <= LIFT_SCALE[1]
        assert white_mm <= WHITE_ABOVE_MM + 0.05
        lift_mm = white_mm - (
            embed(vertices, head.triangles, head.landmarks_478)[UPPER_LIDS[name], 1]
            - raised[IRISES[name], 1]
            - IRIS_RADIUS_MM
        )
        most_mm = MOST_LIFT * openings(head, vertices)[name]
        assert lift_mm <= most_mm + 0.05
        if travel[k] < LIFT_SCALE[1]:
            assert white_mm == pytest.approx(WHITE_ABOVE_MM, abs=0.05) or lift_mm == pytest.approx(most_mm, abs=0.05)


def test_a_squint_that_is_taken_away_counts_as_opening(head: HeadModel) -> None:
    """A smile narrows eyes: how far they may open or squint is told from the face without it."""
    fitted = np.zeros(len(head.unit_names), dtype=np.float32)
    vertices = head.mean.copy()
    for name in LOWER_LID_LIFTS:
        fitted[head.unit_names.index(name)] = 0.5
        vertices += 0.5 * head.expression_units[head.unit_names.index(name)]
    smiling, resting = (
        lid_travel(head, vertices, fitted, full(head)),
        lid_travel(head, head.mean, np.zeros(len(head.unit_names)), full(head)),
    )
    for name in (*LOWER_LID_LIFTS, *UPPER_LID_LIFTS):
        k = head.unit_names.index(name)
        assert smiling[k] == pytest.approx(resting[k], abs=0.03)


@pytest.mark.parametrize("narrowed", [0.0, 0.2, 0.4])
def test_a_squint_leaves_the_same_share_of_narrow_eyes(head: HeadModel, narrowed: float) -> None:
    vertices = head.mean.copy()
    for name in UPPER_LIDS:
        vertices += narrowed * head.expression_units[head.unit_names.index(name)]
    travel = lid_travel(head, vertices, np.zeros(len(head.unit_names)), full(head))
    for squint, name in LOWER_LID_LIFTS.items():
        k = head.unit_names.index(squint)
        share, of_model = (
            openings(head, shape + factor * head.expression_units[k])[name] / openings(head, shape)[name]
            for shape, factor in ((vertices, travel[k]), (head.mean, 1))
        )
        assert share == pytest.approx(of_model, abs=0.02)


@pytest.mark.parametrize("narrowed", [0.0, 0.2, 0.4])
def test_a_full_blink_closes_the_middle_of_the_lids(head: HeadModel, narrowed: float) -> None:
    """On eyes that are narrowed by something else than a blink."""
    vertices = head.mean.copy()
    for name in ("eyeSquintLeft", "eyeSquintRight"):
        vertices += narrowed * head.expression_units[head.unit_names.index(name)]
    travel = lid_travel(head, vertices, np.zeros(len(head.unit_names)), full(head))
    for name in UPPER_LIDS:
        k = head.unit_names.index(name)
        assert LID_SCALE[0] < travel[k] < LID_SCALE[1]
        closed = openings(head, vertices + travel[k] * head.expression_units[k])[name]
        assert closed == pytest.approx(0, abs=0.01)


def test_half_a_blink_leaves_narrow_eyes_more_of_their_opening(head: HeadModel) -> None:
    """And eyes like the model's half of it; a full one closes all of them."""
    left = []
    for narrowed in (0.0, 0.1, 0.25):
        vertices = head.mean.copy()
        for name in LOWER_LID_LIFTS:
            vertices += 3 * narrowed * head.expression_units[head.unit_names.index(name)]
        travel = lid_travel(head, vertices, np.zeros(len(head.unit_names)), 0.5 * full(head))
        k = head.unit_names.index("eyeBlinkLeft")
        drooping = vertices + 0.5 * travel[k] * head.expression_units[k]
        left.append(openings(head, drooping)["eyeBlinkLeft"] / openings(head, vertices)["eyeBlinkLeft"])
    assert left[0] == pytest.approx(0.5, abs=0.01)
    assert left[0] + 0.05 < left[1] < left[2] - 0.05
    assert left[2] < 0.8


def test_eyes_that_are_half_closed_have_half_the_way_to_go(head: HeadModel) -> None:
    """Weights count from what the fit shows: full weight, scaled, closes them still."""
    fitted = np.zeros(len(head.unit_names), dtype=np.float32)
    k = head.unit_names.index("eyeBlinkLeft")
    fitted[k] = 0.3
    half_closed = head.mean + 0.3 * head.expression_units[k]
    travel = lid_travel(head, half_closed, fitted, full(head))
    closed = half_closed + (1 - fitted[k]) * travel[k] * head.expression_units[k]
    assert openings(head, closed)["eyeBlinkLeft"] == pytest.approx(0, abs=0.01)


def test_the_scale_keeps_within_its_bounds(head: HeadModel) -> None:
    nothing = np.zeros(len(head.unit_names))
    k = head.unit_names.index("eyeBlinkRight")
    assert lid_travel(head, head.mean * [1, 0.01, 1], nothing, full(head))[k] == pytest.approx(LID_SCALE[0])
    assert lid_travel(head, head.mean * [1, 4, 1], nothing, full(head))[k] == pytest.approx(LID_SCALE[1])


def test_lids_that_the_fit_has_closed_do_not_divide_by_nothing(head: HeadModel) -> None:
    fitted = np.ones(len(head.unit_names))
    assert np.isfinite(lid_travel(head, head.mean, fitted, full(head))).all()
