"""Invented looks."""

from __future__ import annotations

import numpy as np

from synth_affect.render.portrait.person import draw_person
from synth_affect.render.portrait.pigment import TYPOLOGY_RANGE_DEG


def test_same_generator_same_person() -> None:
    assert draw_person(np.random.default_rng(3), 0.4) == draw_person(np.random.default_rng(3), 0.4)


def test_tones_cover_the_range_evenly() -> None:
    people = [draw_person(np.random.default_rng(k), (k + 0.5) / 60) for k in range(60)]
    low, high = TYPOLOGY_RANGE_DEG
    counts, _ = np.histogram([p.typology_deg for p in people], bins=6, range=(low, high))
    assert (counts == 10).all()


def test_every_number_is_in_its_range() -> None:
    for k in range(200):
        person = draw_person(np.random.default_rng(k), k / 200)
        assert 18 <= person.age_years <= 78
        for share in ("masculinity", "freckles", "wrinkles", "roughness", "blush", "make_up", "eumelanin", "grey"):
            assert 0 <= getattr(person, share) <= 1, share
