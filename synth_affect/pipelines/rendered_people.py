"""An invented person for rendering: head shape, motion of the face, looks, and what they show in each picture."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np

from synth_affect.affect import Emotion, ValenceArousal, position
from synth_affect.arrays import FloatArray, IntArray
from synth_affect.blendshape.action_units import ARKIT_UNITS, UNIT_INDEX
from synth_affect.blendshape.affect_map import default_map, expression_weights
from synth_affect.blendshape.synthetic.contact import keep_apart
from synth_affect.blendshape.synthetic.style import FaceMotion, FaceSupport, displaced, draw_emphasis, face_support
from synth_affect.blendshape.synthetic.subjects import Habits, draw_habits, draw_identity, draw_subject_motion
from synth_affect.heads.camera import Camera, yaw_pitch_roll
from synth_affect.heads.model import HeadModel, embed, region_vertices
from synth_affect.pipelines.carry_wrinkles import folds_on
from synth_affect.render.portrait.anatomy import Anatomy, find_anatomy
from synth_affect.render.portrait.appearance import Appearance, make_appearance
from synth_affect.render.portrait.chart import Chart, unroll
from synth_affect.render.portrait.person import draw_person
from synth_affect.render.rasterizer import interpolate
from synth_affect.render.wrinkles import fold_strengths, vertex_texels

SHOWN = (
    Emotion.HAPPINESS,
    Emotion.SADNESS,
    Emotion.SURPRISE,
    Emotion.FEAR,
    Emotion.DISGUST,
    Emotion.ANGER,
    Emotion.CONTEMPT,
)
"""Categories that half of the pictures show, in turn; the others show points of the plane."""
GOLDEN = (math.sqrt(5) - 1) / 2
"""Multiples of it are even over [0, 1): so are skin tones, whatever the number of people."""
LEAST_RADIUS, CATEGORY_RADIUS, POSED_RADIUS = 0.2, (0.55, 1.0), (0.8, 1.0)
LOOKS_AT_CAMERA, GAZE_SD = 0.65, 0.10
STYLE_SHARE = 0.4
"""Of the folds and bends of `blendshape.synthetic.style`, which are drawn strong for statistics' sake; in full they
look like melting wax where light shows each."""
FIRM = ("teeth_upper", "teeth_lower", "gums", "tongue", "eyeball", "iris")
GAZE_RAD = 0.52
"""How far the eyes turn at weight 1 of a gaze unit, about."""


@dataclass(frozen=True, slots=True, eq=False)
class Studio:
    """What all rendered people of one head model share.

    folds_mm : (n_groups, height, width) float32, expression wrinkles on the chart.  fold_groups : their names.
    firm : vertices of teeth, gums, tongue and eyes.
    """

    head: HeadModel
    support: FaceSupport
    chart: Chart
    anatomy: Anatomy
    folds_mm: FloatArray
    fold_groups: tuple[str, ...]
    firm: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class RenderedPerson:
    """One invented person. identity : (n_identity,) float32 coefficients."""

    index: int
    identity: FloatArray
    motion: FaceMotion
    habits: Habits
    appearance: Appearance


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """What a person shows in one picture.

    target : the label.  category : the family that was asked for, None where the direction alone decided; neutral at
        the origin.  prototypes : share of each prototype in the expression.
    weights : (52,) float64, in the order of ARKIT_UNITS, with the gaze.
    """

    target: ValenceArousal
    category: Emotion | None
    prototypes: dict[Emotion, float]
    weights: FloatArray


def open_studio(head: HeadModel) -> Studio:
    """Made once a head model."""
    complete = with_all_units(head)
    chart = unroll(head)
    folds = folds_on(head)
    groups: tuple[str, ...] = () if folds is None else folds.groups
    heights = np.zeros((0, chart.size.height, chart.size.width), dtype=np.float32)
    if folds is not None:
        texels = vertex_texels(head, folds)
        heights = np.stack([_on_chart(chart, texels, height) for height in folds.heights_mm])
    return Studio(
        head=head,
        support=face_support(complete, np.arange(len(head.mean), dtype=np.int32)),
        chart=chart,
        anatomy=find_anatomy(chart),
        folds_mm=heights,
        fold_groups=groups,
        firm=region_vertices(head, *FIRM),
    )


def with_all_units(head: HeadModel) -> HeadModel:
    """`head` with units that do nothing for those of ARKit's that it lacks."""
    missing = tuple(name for name in ARKIT_UNITS if name not in head.unit_names)
    still = np.zeros((len(missing), *head.mean.shape), dtype=np.float32)
    return replace(
        head,
        unit_names=head.unit_names + missing,
        expression_units=np.concatenate([head.expression_units, still]),
    )


def _on_chart(chart: Chart, texels: FloatArray, height: FloatArray) -> FloatArray:
    places = interpolate(chart.fragments, chart.triangles, texels)
    places[chart.fragments.pix_to_face[0, :, :, 0] < 0] = -1e4
    drawn: FloatArray = cv2.remap(
        height, places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT
    )
    return drawn


def invent_person(studio: Studio, seed: int, index: int) -> RenderedPerson:
    """Person `index` of a seed, and of no other argument."""
    motion = draw_subject_motion(studio.support, seed, index)
    person = draw_person(np.random.default_rng([seed, _PERSON, index]), (0.5 + index * GOLDEN) % 1)
    return RenderedPerson(
        index=index,
        identity=draw_identity(studio.support, seed, index),
        motion=motion,
        habits=draw_habits(seed, index),
        appearance=make_appearance(studio.chart, studio.anatomy, person, motion.neutral),
    )


_PERSON, _SHOWN, _EMPHASIS = 101, 102, 103
"""Streams of random numbers, apart from those of `blendshape.synthetic`."""


def draw_shown(person: RenderedPerson, seed: int, number: int, camera: Camera, *, posed: bool = False) -> Shown:
    """What the person shows in picture `number`; picture 0 is neutral.

    posed : the others show the categories in turn, none but these, and strongly, as people do who are asked to.
    """
    rng = np.random.default_rng([seed, _SHOWN, person.index, number])
    point, category = _draw_posed(rng, person.index, number) if posed else _draw_target(rng, person.index, number)
    weights: FloatArray = np.zeros(len(ARKIT_UNITS))
    prototypes: dict[Emotion, float] = {Emotion.NEUTRAL: 1.0}
    if number > 0:
        strength = 1.0 if category is None else person.habits.category_strength[category]
        weights = expression_weights(point, category, intensity=strength, expression_map=person.habits.expressions)
        weights = np.clip(weights * person.habits.side_gain, 0, 1)
        prototypes = prototype_mix(point) if category is None else {category: 1.0}
    weights = _with_gaze(weights, rng, camera)
    return Shown(point, Emotion.NEUTRAL if number == 0 else category, prototypes, weights)


def _draw_target(rng: np.random.Generator, index: int, number: int) -> tuple[ValenceArousal, Emotion | None]:
    if number == 0:
        return ValenceArousal(0.0, 0.0), Emotion.NEUTRAL
    if number % 2:
        category = SHOWN[(number // 2 + index) % len(SHOWN)]
        direction, radius = position(category).direction_rad, rng.uniform(*CATEGORY_RADIUS)
    else:
        category, direction = None, rng.uniform(0, math.tau)
        radius = math.sqrt(rng.uniform(LEAST_RADIUS**2, 1.0))
    return ValenceArousal(radius * math.cos(direction), radius * math.sin(direction)), category


def _draw_posed(rng: np.random.Generator, index: int, number: int) -> tuple[ValenceArousal, Emotion | None]:
    if number == 0:
        return ValenceArousal(0.0, 0.0), Emotion.NEUTRAL
    category = SHOWN[(number - 1 + index) % len(SHOWN)]
    direction, radius = position(category).direction_rad, rng.uniform(*POSED_RADIUS)
    return ValenceArousal(radius * math.cos(direction), radius * math.sin(direction)), category


@lru_cache(maxsize=1)
def _ring() -> tuple[Emotion, ...]:
    packaged = default_map()
    return tuple(
        next(emotion for emotion, weights in packaged.families.items() if np.array_equal(weights, prototype))
        for prototype in packaged.prototypes
    )


def prototype_mix(point: ValenceArousal) -> dict[Emotion, float]:
    """The two prototypes of the ring between which a point's direction lies, and their shares, which sum to 1."""
    directions = default_map().directions_rad
    angle = point.direction_rad % math.tau
    right = int(np.searchsorted(directions, angle, side="right")) % len(directions)
    gap = (directions[right] - directions[right - 1]) % math.tau
    t = ((angle - directions[right - 1]) % math.tau) / gap
    share = t * t * (3 - 2 * t)
    return {_ring()[right - 1]: 1 - share, _ring()[right]: share}


def _with_gaze(weights: FloatArray, rng: np.random.Generator, camera: Camera) -> FloatArray:
    """`weights` with eyes that look at the camera or past it, as far as eyes turn."""
    yaw, pitch, _ = yaw_pitch_roll(camera)
    at_camera = rng.random() < LOOKS_AT_CAMERA
    aside = rng.normal(0, GAZE_SD if at_camera else 2.5 * GAZE_SD, 2)
    # A face turned to the right of the picture looks back to the left, the subject's right.
    share = 0.8 if at_camera else 0.25
    left = np.clip(-share * yaw / GAZE_RAD + aside[0], -0.75, 0.75)
    up = np.clip(share * pitch / GAZE_RAD + 0.6 * aside[1], -0.5, 0.5)
    looking = weights.copy()
    gaze = {
        "eyeLookOutLeft": left,
        "eyeLookInRight": left,
        "eyeLookInLeft": -left,
        "eyeLookOutRight": -left,
        "eyeLookUpLeft": up,
        "eyeLookUpRight": up,
        "eyeLookDownLeft": -up,
        "eyeLookDownRight": -up,
    }
    for unit, weight in gaze.items():
        looking[UNIT_INDEX[unit]] = np.clip(looking[UNIT_INDEX[unit]] * 0.5 + max(weight, 0.0), 0, 1)
    return looking


def face_shown(studio: Studio, person: RenderedPerson, shown: Shown, seed: int, number: int) -> FloatArray:
    """(n_vertices, 3) float32, mm, head frame: the person's head in one picture."""
    rng = np.random.default_rng([seed, _EMPHASIS, person.index, number])
    emphasis = draw_emphasis(studio.support, rng)
    styled = displaced(person.motion, shown.weights[None], emphasis)
    plain = np.tensordot(shown.weights.astype(np.float32), person.motion.shapes[: len(ARKIT_UNITS)], 1)
    # A style bends skin; teeth, tongue and eyeballs keep their form.
    share = np.full((len(plain), 1), STYLE_SHARE, dtype=np.float32)
    share[studio.firm] = 0
    offsets = plain + share * (styled - plain)
    for contact in studio.support.contacts:
        keep_apart(contact, person.motion.neutral, offsets)
    offsets = offsets[0]
    vertices: FloatArray = (person.motion.neutral + offsets).astype(np.float32)
    return vertices


def folds_shown(studio: Studio, person: RenderedPerson, shown: Shown) -> FloatArray | None:
    """(height, width) float32, mm, on the chart: the wrinkles of the expression; None where a head has none."""
    if not studio.fold_groups:
        return None
    strengths = np.maximum(fold_strengths(shown.weights, ARKIT_UNITS, studio.fold_groups), 0)
    resting = 0.28 * person.appearance.person.wrinkles
    depth = 0.35 + 0.75 * person.appearance.person.wrinkles
    relief: FloatArray = np.tensordot(depth * strengths + resting, studio.folds_mm, 1).astype(np.float32)
    return relief


def points_shown(head: HeadModel, vertices: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(478, 3) and (68, 3) float32, mm, head frame: MediaPipe's and ibug's points on a face."""
    return embed(vertices, head.triangles, head.landmarks_478), embed(vertices, head.triangles, head.landmarks_68)
