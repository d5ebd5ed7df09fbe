from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth_affect.affect import ValenceArousal
from synth_affect.blendshape.action_units import (
    ARKIT_UNITS,
    AU_MEANINGS,
    AU_TO_UNITS,
    UNIT_INDEX,
    mirrored,
    unit_weights,
)
from synth_affect.blendshape.affect_map import expression_weights
from synth_affect.blendshape.local_units import UNIT_NAMES, ActionUnits, why_not
from synth_affect.errors import InputError, ShapeError

AT_REST = np.zeros(len(ARKIT_UNITS))
JOY = expression_weights(ValenceArousal(0.9, 0.3))
SURPRISE = expression_weights(ValenceArousal(0.2, 0.95))


def named(weights: np.ndarray) -> dict[str, float]:
    return {name: round(float(weights[index]), 9) for name, index in UNIT_INDEX.items() if weights[index] > 0}


def alone(*texts: str) -> dict[str, float]:
    return named(ActionUnits.parse(texts).on(AT_REST))


def test_facs_and_arkit_say_the_same() -> None:
    smile = {"mouthSmileLeft": 0.8, "mouthSmileRight": 0.8}
    assert alone("AU12=0.8") == alone("mouthSmileLeft=.8", "mouthSmileRight=0.80") == smile
    assert alone("AU12L=0.8", "AU12_R=0.8") == alone("AU012=.8") == smile


def test_every_au_alone_is_what_the_table_says() -> None:
    for name in AU_TO_UNITS:
        if any(map(why_not, AU_TO_UNITS[name])) or name == "AU8":
            continue
        weights = ActionUnits.of({name: 0.5}).on(AT_REST)
        np.testing.assert_allclose(weights, unit_weights({name: 0.5}), err_msg=name)


def test_every_au_has_a_meaning() -> None:
    assert {name.partition("_")[0] for name in AU_TO_UNITS} == set(AU_MEANINGS)


def test_the_particular_goes_over_the_general() -> None:
    assert alone("AU12R=0.2", "AU12=0.8") == {"mouthSmileLeft": 0.8, "mouthSmileRight": 0.2}
    assert alone("mouthSmileLeft=0.1", "AU12=0.8", "AU12L=0.5") == {"mouthSmileLeft": 0.1, "mouthSmileRight": 0.8}


def test_action_units_that_share_a_unit_add_up_in_it() -> None:
    assert alone("AU10=0.5", "AU11L=0.5") == {"mouthUpperUpLeft": 0.7, "mouthUpperUpRight": 0.5}
    assert alone("AU24=0.9", "AU23=0.5")["mouthPressLeft"] == 1


def test_the_widest_opening_of_the_jaw_counts() -> None:
    assert alone("AU25=1", "AU26=0.6", "AU27=0.2")["jawOpen"] == pytest.approx(0.27)


def test_a_lip_that_both_sides_share_goes_with_the_stronger() -> None:
    weights = alone("AU23=0.2", "AU23L=1")
    assert (weights["mouthPressLeft"], weights["mouthPressRight"]) == pytest.approx((0.6, 0.12))
    assert weights["mouthRollUpper"] == pytest.approx(0.2)


def test_nothing_asked_for_changes_nothing() -> None:
    assert not ActionUnits()
    np.testing.assert_array_equal(ActionUnits().on(JOY), JOY)


def test_what_is_asked_for_stands_and_the_rest_is_the_affects() -> None:
    combined = ActionUnits.parse(["AU4=0.3", "mouthSmileLeft=0"]).on(JOY)
    changed = {"browDownLeft", "browDownRight", "mouthSmileLeft"}
    for unit, index in UNIT_INDEX.items():
        if unit not in changed:
            assert combined[index] == JOY[index], unit
    assert combined[UNIT_INDEX["browDownLeft"]] == 0.3
    assert combined[UNIT_INDEX["mouthSmileLeft"]] == 0 < combined[UNIT_INDEX["mouthSmileRight"]]


def test_of_the_affect_gives_way_what_would_undo_it() -> None:
    eye_wide, jaw_open, smile = (UNIT_INDEX[u] for u in ("eyeWideLeft", "jawOpen", "mouthSmileRight"))
    assert SURPRISE[eye_wide] > 0.5
    assert SURPRISE[jaw_open] > 0.3
    assert ActionUnits.parse(["AU43=1"]).on(SURPRISE)[eye_wide] == 0
    assert ActionUnits.parse(["AU24=1"]).on(SURPRISE)[jaw_open] == 0
    assert ActionUnits.parse(["AU15R=0.5"]).on(JOY)[smile] == pytest.approx(0.5 * JOY[smile])


def test_a_smile_held_back_is_shown_as_asked() -> None:
    assert alone("AU12=0.8", "AU15=0.4")["mouthSmileLeft"] == 0.8


def test_pressed_lips_of_the_affect_open_with_the_jaw() -> None:
    pressed = unit_weights({"AU24": 0.8})
    assert ActionUnits.parse(["AU27=1"]).on(pressed)[UNIT_INDEX["mouthPressLeft"]] == 0


def test_parted_lips_leave_an_open_jaw_open() -> None:
    jaw_open = UNIT_INDEX["jawOpen"]
    assert ActionUnits.parse(["AU25=0.5"]).on(SURPRISE)[jaw_open] == SURPRISE[jaw_open]
    assert ActionUnits.parse(["AU26=0"]).on(SURPRISE)[jaw_open] == 0


def test_lips_close_only_over_an_open_jaw() -> None:
    assert alone("AU8=1", "AU27=0.4") == {"mouthClose": 0.4, "jawOpen": 0.4}
    with pytest.raises(InputError, match=r"mouthClose \(AU8\) closes lips over an open jaw"):
        ActionUnits.parse(["AU8=0.5"])
    closed = unit_weights({"AU8": 0.5, "AU27": 0.5})
    assert ActionUnits.parse(["jawOpen=0.1"]).on(closed)[UNIT_INDEX["mouthClose"]] == pytest.approx(0.1)


@given(
    st.dictionaries(st.sampled_from(sorted(UNIT_NAMES)), st.floats(0, 1), max_size=6),
    st.floats(-1, 1),
    st.floats(-1, 1),
)
def test_whatever_is_asked_for_is_refused_or_a_face(asked: dict[str, float], valence: float, arousal: float) -> None:
    affect = expression_weights(ValenceArousal(valence, arousal))
    before = affect.copy()
    try:
        units = ActionUnits.of(asked)
    except InputError:
        return
    combined = units.on(affect)
    np.testing.assert_array_equal(affect, before)
    assert combined.min() >= 0
    assert combined.max() <= 1
    assert combined[UNIT_INDEX["mouthClose"]] <= combined[UNIT_INDEX["jawOpen"]]
    for name, intensity in asked.items():
        if name in UNIT_INDEX and name != "mouthClose":
            assert combined[UNIT_INDEX[name]] == intensity
    swapped = {"L": "R", "R": "L"}
    mirror = {
        name[:-1] + swapped.get(name[-1], name[-1]) if name.startswith("AU") else mirrored(name): intensity
        for name, intensity in asked.items()
    }
    flipped = ActionUnits.of(mirror).on(affect[[UNIT_INDEX[mirrored(unit)] for unit in ARKIT_UNITS]])
    np.testing.assert_allclose(flipped, combined[[UNIT_INDEX[mirrored(unit)] for unit in ARKIT_UNITS]])


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["AU12"], "'AU12' is not a unit with its intensity, such as AU12=0.8"),
        (["AU12=much"], "'AU12=much' is not a unit with its intensity"),
        (["AU12=1.2"], r"AU12=1.2 is not in \[0, 1\]"),
        (["AU12=nan"], r"AU12=nan is not in \[0, 1\]"),
        (["AU12=-0.1"], r"AU12=-0.1 is not in \[0, 1\]"),
        (["AU12=0.5", "AU012=0.5"], "AU12 is given twice"),
        (["AU12_r=0.5"], "'AU12_r' is no unit; is AU12 meant"),
        (["mouthSmileleft=1"], "'mouthSmileleft' is no unit; is mouthSmileLeft meant"),
        (["=0.5"], "'' is no unit; synth-affect units lists them"),
        (["AU99=0"], "AU99: no unit of the face shows it"),
        (["AU51=1"], "AU51: no unit of the face shows it"),
        (["AU1L=1"], "AU1L: AU1 has no sides"),
        (["AU46=1"], "AU46 is of one side; ask for AU46L or AU46R"),
        (["AU61=1"], "AU61 cannot be shown: the eyes of a photograph cannot be turned"),
        (["AU19=0.1"], "AU19 cannot be shown: the tongue"),
        (["AU5=1", "AU43L=0.5"], "eyeWideLeft and eyeBlinkLeft exclude each other"),
        (["AU30L=1", "AU30R=0.5"], "jawLeft and jawRight exclude each other"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(texts: list[str], message: str) -> None:
    with pytest.raises(InputError, match=f"^--au: {message}"):
        ActionUnits.parse(texts)


def test_a_head_without_the_unit_says_so() -> None:
    units = ActionUnits.parse(["AU12=0.8", "AU9R=0"])
    without_nose = [unit for unit in ARKIT_UNITS if "nose" not in unit]
    units.check_head("bare", without_nose)
    with pytest.raises(InputError, match="AU12 needs mouthSmileRight, which the head model bare lacks"):
        units.check_head("bare", [unit for unit in without_nose if unit != "mouthSmileRight"])


def test_the_strength_is_of_a_part_of_the_face() -> None:
    units = ActionUnits.parse(["AU4=0.9", "AU26=1"])
    assert units.strength(("mouth", "jaw")) == 0.45
    assert units.strength(("brow",)) == 0.9
    assert units.strength(("nose",)) == 0


def test_it_describes_itself_the_same_whatever_the_order() -> None:
    one = ActionUnits.parse(["mouthPucker=0.5", "AU12_L=0.25", "AU4=1"])
    assert json.dumps(one.described()) == '{"AU4": 1.0, "AU12L": 0.25, "mouthPucker": 0.5}'
    assert one == ActionUnits.of(reversed(one.asked)) == pickle.loads(pickle.dumps(one))


def test_weights_in_another_order_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"\(52\), got \(51\)"):
        ActionUnits().on(AT_REST[1:])
