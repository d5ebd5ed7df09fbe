import numpy as np
import pytest

from synth_affect.fitting.priors import (
    READINGS_AT_REST,
    ExpressionBelief,
    Lens,
    expression_prior,
    lens_distance_mm,
    mirrored_pairs,
)
from synth_affect.heads.camera import ImageSize

NAMES = (
    "eyeLookInLeft",
    "eyeLookOutRight",
    "jawLeft",
    "jawRight",
    "mouthSmileLeft",
    "mouthSmileRight",
    "mouthFrownLeft",
)


def _minimum(readings: dict[str, float], belief: ExpressionBelief | None = None) -> dict[str, float]:
    """Where the prior alone would put the weights, without bounds."""
    prior = expression_prior(NAMES, readings, belief if belief is not None else ExpressionBelief())
    return dict(zip(NAMES, np.linalg.solve(prior.curvature, -prior.slope), strict=True))


def test_without_readings_every_unit_is_drawn_to_zero() -> None:
    assert max(_minimum({}).values()) < 0


def test_a_full_reading_is_believed_and_a_small_one_is_not_enough_by_itself() -> None:
    full = _minimum({"mouthSmileLeft": 1.0, "mouthSmileRight": 1.0})
    assert full["mouthSmileLeft"] == pytest.approx(1.0)
    assert full["mouthSmileRight"] == pytest.approx(1.0)
    slight = _minimum({"mouthSmileLeft": 0.1, "mouthSmileRight": 0.1})
    assert slight["mouthSmileLeft"] < 0


def test_the_readings_of_a_face_at_rest_say_nothing() -> None:
    names = tuple(f"{unit}{side}" for unit in READINGS_AT_REST for side in ("Left", "Right"))
    resting = {name: READINGS_AT_REST[name.removesuffix("Left").removesuffix("Right")] for name in names}
    rest, none = (expression_prior(names, r, ExpressionBelief()) for r in (resting, dict.fromkeys(names, 0.0)))
    np.testing.assert_array_equal(rest.slope, none.slope)
    np.testing.assert_array_equal(rest.curvature, none.curvature)


def test_units_that_the_detector_reads_badly_are_not_held_at_their_reading() -> None:
    belief = ExpressionBelief()
    with_reading = expression_prior(NAMES, {"mouthFrownLeft": 0.0, "jawLeft": 0.0}, belief).curvature
    assert with_reading[NAMES.index("mouthFrownLeft")].sum() == pytest.approx(belief.unread_sd**-2)
    assert with_reading[NAMES.index("jawLeft")].sum() == pytest.approx(belief.reading_sd**-2)


def test_pairs_join_the_sides_and_leave_opposites_apart() -> None:
    named = [(NAMES[i], NAMES[j]) for i, j in mirrored_pairs(NAMES)]
    assert named == [("eyeLookInLeft", "eyeLookOutRight"), ("mouthSmileLeft", "mouthSmileRight")]


def test_balance_costs_a_difference_but_not_the_one_that_was_read() -> None:
    tight = ExpressionBelief(balance_sd=1e-3)
    crooked = _minimum({"mouthSmileLeft": 0.9, "mouthSmileRight": 0.5}, tight)
    read = {side: (value - 0.05) / 0.95 for side, value in (("Left", 0.9), ("Right", 0.5))}
    assert crooked["mouthSmileLeft"] - crooked["mouthSmileRight"] == pytest.approx(
        read["Left"] - read["Right"], abs=1e-3
    )


def test_the_curvature_is_positive_definite() -> None:
    curvature = expression_prior(NAMES, {}, ExpressionBelief()).curvature
    np.testing.assert_array_equal(curvature, curvature.T)
    assert np.linalg.eigvalsh(curvature).min() > 0


def test_distance_of_a_whole_picture_follows_the_lens_and_of_a_crop_the_portrait() -> None:
    lens = Lens(focal_per_side=1.5, portrait_mm=900.0)
    assert lens_distance_mm(lens, ImageSize(800, 1200), 0.5) == pytest.approx(1.5 * 1200 / 0.5)
    assert lens_distance_mm(lens, ImageSize(300, 300), 2.0) == 900.0
