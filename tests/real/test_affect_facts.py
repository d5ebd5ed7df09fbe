"""The packaged positions and action units are those of the collected facts."""

import json
from pathlib import Path

import pytest

from synth_affect.affect import Emotion, position
from synth_affect.blendshape.action_units import ARKIT_UNITS, AU_TO_UNITS

FACTS = Path(__file__).parents[3] / "shared" / "facts" / "affect.json"

pytestmark = pytest.mark.skipif(not FACTS.is_file(), reason="../shared/facts/affect.json is absent")


def test_only_the_positions_that_may_be_shipped_are() -> None:
    shippable = json.loads(FACTS.read_text("utf-8"))["shippable_valence_arousal"]
    assert {str(e): [position(e).valence, position(e).arousal] for e in Emotion} == shippable


def test_action_units_and_their_coefficients() -> None:
    facts = json.loads(FACTS.read_text("utf-8"))
    assert {name: dict(units) for name, units in AU_TO_UNITS.items()} == facts["au_to_arkit"]
    assert list(ARKIT_UNITS) == facts["arkit_names"]
