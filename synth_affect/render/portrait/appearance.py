"""All of a person that pictures share: painted, grown and sewn once, used for every expression and camera."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synth_affect.arrays import FloatArray, IntArray
from synth_affect.heads.model import region_vertices
from synth_affect.render.portrait.anatomy import Anatomy
from synth_affect.render.portrait.beanie import beanie
from synth_affect.render.portrait.body import Body, make_body
from synth_affect.render.portrait.chart import Chart
from synth_affect.render.portrait.eyes import EyePaint, paint_eyes
from synth_affect.render.portrait.facial_hair import beard_places, brow_places
from synth_affect.render.portrait.hair import grow_hair
from synth_affect.render.portrait.person import HairStyle, Person
from synth_affect.render.portrait.skin import Skin, paint_skin
from synth_affect.render.portrait.strands import Strands

INTERIOR = ("mouth_cavity", "teeth_upper", "teeth_lower", "gums", "tongue")


@dataclass(frozen=True, slots=True, eq=False)
class Appearance:
    """person : what was asked for.  chart : of the head model.  neutral : (n_vertices, 3) mm, the person at rest.
    folds_mm : (n_groups, height, width) float32, expression wrinkles on the chart; None where there are none.
    hair : in the head frame; None for none.  brows, beard : texels and heights of their hairs.
    interior : vertices of the mouth's inside.  cap : vertices and triangles of a beanie.  cloth, knit : (3,) colours.
    """

    person: Person
    chart: Chart
    neutral: FloatArray
    skin: Skin
    eyes: EyePaint
    hair: Strands | None
    brows: tuple[FloatArray, FloatArray]
    beard: tuple[FloatArray, FloatArray] | None
    body: Body
    interior: IntArray
    cap: tuple[FloatArray, IntArray] | None
    cloth: FloatArray
    knit: FloatArray


def make_appearance(chart: Chart, anatomy: Anatomy, person: Person, neutral: FloatArray) -> Appearance:
    """Paint, grow and sew. neutral : (n_vertices, 3) float32, mm, the person at rest."""
    rng = np.random.default_rng([person.seed, 10])
    return Appearance(
        person=person,
        chart=chart,
        neutral=neutral,
        skin=paint_skin(chart, anatomy, person),
        eyes=paint_eyes(person),
        hair=grow_hair(chart, anatomy, person, neutral),
        brows=brow_places(chart, person),
        beard=beard_places(chart, anatomy, person),
        body=make_body(chart.head, neutral, person.clothing, rng),
        interior=region_vertices(chart.head, *INTERIOR),
        cap=beanie(chart, person, neutral) if person.hair_style is HairStyle.BEANIE else None,
        cloth=_dye(rng),
        knit=_dye(rng),
    )


def _dye(rng: np.random.Generator) -> FloatArray:
    """A colour that clothes have: mostly grey, navy, white and muted ones, seldom a loud one."""
    lightness = rng.choice([0.03, 0.08, 0.2, 0.45, 0.7], p=[0.28, 0.24, 0.2, 0.16, 0.12])
    hue = rng.uniform(0, 2 * np.pi)
    strength = rng.beta(1.1, 3.0)
    tint = np.array([np.cos(hue), np.cos(hue - 2.1), np.cos(hue + 2.1)])
    dye: FloatArray = np.clip(lightness * np.exp(0.9 * strength * tint), 0.012, 0.8).astype(np.float32)
    return dye
