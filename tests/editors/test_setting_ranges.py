"""Ranges of settings, of every recipe that has them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from synth_affect.editors.beta_vae.settings import BetaVaeSettings
from synth_affect.editors.expression_classifier.settings import ClassifierSettings
from synth_affect.editors.fader.settings import FaderSettings
from synth_affect.editors.fexgan.settings import FexganSettings
from synth_affect.editors.setting_ranges import LOOP_RANGES, check_ranges
from synth_affect.editors.siamese_vae.settings import SiameseSettings
from synth_affect.errors import InputError

SETTINGS = (BetaVaeSettings, ClassifierSettings, FaderSettings, FexganSettings, SiameseSettings)
KINDS = pytest.mark.parametrize("kind", SETTINGS, ids=lambda kind: kind.__name__)


@KINDS
def test_the_papers_settings_and_the_small_ones_are_allowed(kind: type) -> None:
    for settings in (kind(), kind.small()):  # type: ignore[attr-defined]
        check_ranges(settings, LOOP_RANGES)


@KINDS
@pytest.mark.parametrize("name", LOOP_RANGES)
@pytest.mark.parametrize("wrong", [-1, float("nan"), 1e9])
def test_a_number_out_of_its_range_is_named(kind: type, name: str, wrong: float) -> None:
    with pytest.raises(InputError, match=rf"--{name.replace('_', '-')}: .* is not in \["):
        replace(kind(), **{name: wrong})


@pytest.mark.parametrize("kind", [BetaVaeSettings, FaderSettings, SiameseSettings], ids=lambda kind: kind.__name__)
def test_edits_go_somewhere_and_not_anywhere(kind: type) -> None:
    for wrong in (0.0, 11.0):
        with pytest.raises(InputError, match=r"--reach"):
            replace(kind(), reach=wrong)
