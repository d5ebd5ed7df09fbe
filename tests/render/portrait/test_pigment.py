"""Colours of skin and hair from their pigments."""

from __future__ import annotations

import numpy as np
import pytest

from synth_affect.render.portrait.pigment import (
    TYPOLOGY_RANGE_DEG,
    hair_reflectance,
    melanin_of,
    skin_reflectance,
    typology_deg,
)


def test_typology_of_known_colours() -> None:
    # sRGB (230, 200, 180) and (60, 45, 40) by hand through CIE Lab under D65.
    linear = ((np.array([[230, 200, 180], [60, 45, 40]]) / 255 + 0.055) / 1.055) ** 2.4
    light, dark = typology_deg(linear)
    assert light == pytest.approx(65.7, abs=1.5)
    assert dark < -70


@pytest.mark.parametrize("blood", [0.6, 1.0, 1.6])
def test_melanin_gives_the_tone_that_was_asked_for_over_the_whole_range(blood: float) -> None:
    for asked in np.linspace(*TYPOLOGY_RANGE_DEG, 13):
        amount = melanin_of(float(asked), blood)
        assert typology_deg(skin_reflectance(amount, blood)) == pytest.approx(asked, abs=0.6)


def test_more_pigment_is_darker_in_every_channel() -> None:
    skin = skin_reflectance(np.linspace(0, 3, 20), np.ones(20))
    assert (np.diff(skin, axis=0) < 0).all()
    assert (hair_reflectance(0.9, 0.1, 0.0) < hair_reflectance(0.3, 0.1, 0.0)).all()


def test_blood_reddens() -> None:
    pale, flushed = skin_reflectance(0.3, 0.5), skin_reflectance(0.3, 2.0)
    assert flushed[0] / flushed[1] > pale[0] / pale[1]
