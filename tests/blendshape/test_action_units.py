import numpy as np
import pytest

from synth_affect.blendshape.action_units import (
    ARKIT_UNITS,
    AU_TO_UNITS,
    UNIT_INDEX,
    arrange,
    mirrored,
    unit_weights,
)
from synth_affect.errors import ShapeError


def named(action_units: dict[str, float]) -> dict[str, float]:
    weights = unit_weights(action_units)
    return {name: weights[index] for name, index in UNIT_INDEX.items() if weights[index] > 0}


def test_the_52_units_come_once_and_in_order() -> None:
    assert len(set(ARKIT_UNITS)) == len(ARKIT_UNITS) == 52
    assert list(ARKIT_UNITS) == sorted(ARKIT_UNITS)


def test_an_au_names_only_units_that_exist() -> None:
    assert {unit for units in AU_TO_UNITS.values() for unit in units} <= set(ARKIT_UNITS)


def test_a_smile_has_two_corners_and_a_wink_one_eye() -> None:
    assert named({"AU12": 0.9}) == {"mouthSmileLeft": 0.9, "mouthSmileRight": 0.9}
    assert named({"AU46_L": 1.0}) == {"eyeBlinkLeft": 1.0}


def test_one_sided_aus_add_up_to_both_sides_and_mirror_each_other() -> None:
    one_sided = [name.removesuffix("_L") for name in AU_TO_UNITS if name.endswith("_L")]
    for stem in one_sided:
        left, right = AU_TO_UNITS[f"{stem}_L"], AU_TO_UNITS[f"{stem}_R"]
        assert {mirrored(unit): weight for unit, weight in left.items()} == right
        if stem in AU_TO_UNITS:
            assert {**left, **right} == AU_TO_UNITS[stem]
            assert not any(unit.endswith("Right") for unit in left)


def test_gaze_to_the_left_turns_both_eyes_to_the_subjects_left() -> None:
    assert named({"AU61": 1.0}) == {"eyeLookOutLeft": 1.0, "eyeLookInRight": 1.0}


def test_contributions_add_up_and_are_clipped() -> None:
    assert named({"AU23": 0.5, "AU24": 0.4})["mouthPressLeft"] == pytest.approx(0.5 * 0.6 + 0.4)
    assert named({"AU23": 1.0, "AU24": 1.0})["mouthPressLeft"] == 1.0


def test_the_widest_opening_of_the_jaw_counts() -> None:
    assert named({"AU25": 1.0, "AU26": 0.6, "AU27": 0.2})["jawOpen"] == pytest.approx(0.27)
    assert named({"AU25": 1.0})["jawOpen"] == pytest.approx(0.08)


def test_lips_close_only_over_an_open_jaw() -> None:
    assert named({"AU8": 1.0}) == {}
    assert named({"AU8": 1.0, "AU27": 0.4})["mouthClose"] == pytest.approx(0.4)


def test_mirroring_keeps_names_without_a_counterpart() -> None:
    assert mirrored("mouthLeft") == "mouthRight"
    assert mirrored("browInnerUp") == "browInnerUp"
    assert all(mirrored(mirrored(unit)) == unit for unit in ARKIT_UNITS)


def test_unknown_aus_and_intensities_off_the_scale_are_refused() -> None:
    with pytest.raises(ShapeError, match="AU99"):
        unit_weights({"AU99": 1.0})
    with pytest.raises(ShapeError, match=r"AU12: expected an intensity in \[0, 1\], got 1.2"):
        unit_weights({"AU12": 1.2})
    with pytest.raises(ShapeError, match="AU12"):
        unit_weights({"AU12": float("nan")})


def test_arranging_goes_by_name() -> None:
    weights = np.arange(52) / 52
    order = [*reversed(ARKIT_UNITS), "pupilDilateLeft"]
    arranged = arrange(weights, order)
    assert arranged.dtype == np.float32
    np.testing.assert_allclose(arranged[:-1], weights[::-1], rtol=1e-6)
    assert arranged[-1] == 0.0
    with pytest.raises(ShapeError, match=r"\(52\), got \(51\)"):
        arrange(weights[1:], order)
