"""How one person's face moves: the head model's units, bent by a random style that is not additive.

offsets(w) = sum_u w_u L_u + sum_u w_u^p_u P_u + sum_(u,v) w_u w_v K_uv, then lips and lids are kept apart.
L is the model's unit in this person's size and strength; P, the change of its peak's amplitude and direction, is a
smooth random field on the unit's own support; K are correctives of units that occur together. No source gives the
spread of such styles; the figures below are judgement, by eye on sheets of faces.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from synth_affect.arrays import FloatArray, IntArray, readonly
from synth_affect.blendshape.action_units import ARKIT_UNITS, UNIT_INDEX, mirrored
from synth_affect.blendshape.affect_map import default_map
from synth_affect.blendshape.synthetic.contact import Contact, gaps, keep_apart, lid_contact, lip_contact, restricted
from synth_affect.blendshape.synthetic.fields import FieldModes, draw_scalars, field_modes
from synth_affect.blendshape.template import face_vertices
from synth_affect.errors import ShapeError
from synth_affect.heads.model import HeadModel

AMPLITUDE_SD = 0.30
"""Of a unit's amplitude at its peak, from place to place on the face, as a share of the unit."""
DIRECTION_SD = 0.20
"""Of the displacement across the unit's own direction, likewise."""
CORRECTIVE_SD = 0.22
"""Of a corrective at full weights, as a share of the geometric mean of its two units."""
ASYMMETRY = 0.4
"""Share of a field's standard deviation that each side has for itself."""
STRENGTH_SD = 0.15
"""Of the logarithm of a unit's strength."""
GROWTH = (1.3, 2.2)
"""Range of the exponents p."""
N_CORRECTIVES = 60

_LID_UNITS = ("eyeBlink", "eyeLook", "eyeWide", "eyeSquint")
_LID_SHARE = 0.4
"""Lids slide on the eyeball: their style is this much of that of skin."""
BLINKS = ("eyeBlinkLeft", "eyeBlinkRight")
_UPPER_FACE, _LOWER_FACE = ("brow", "eye", "cheekSquint", "noseSneer"), ("jaw", "mouth", "cheek", "noseSneer")


@dataclass(frozen=True, slots=True, eq=False)
class FaceSupport:
    """What all people of one head model share, on the vertices that are asked for.

    vertex_of : (n_vertices,) int32 into the head's vertices.
    mean : (n_vertices, 3) float32, mm.  units : (52, n_vertices, 3) float32, mm, in the order of ARKIT_UNITS.
    contacts : lips and lids, if they are among the vertices.  lids : of these, those of BLINKS.
    closed_gaps : for each of `lids`, (n_pairs,) mm between them when the mean head blinks.
    """

    head: HeadModel
    vertex_of: IntArray
    mean: FloatArray
    units: FloatArray
    modes: FieldModes
    contacts: tuple[Contact, ...]
    lids: tuple[Contact, ...]
    closed_gaps: tuple[FloatArray, ...]


def face_support(head: HeadModel, vertex_of: IntArray | None = None) -> FaceSupport:
    """The support on the template's vertices, or on those given, which must hold the template's.

    Raises ShapeError when the head lacks one of the units.
    """
    missing = [name for name in ARKIT_UNITS if name not in head.unit_names]
    if missing:
        raise ShapeError("head", "the 52 ARKit units", "none named " + ", ".join(missing))
    face = face_vertices(head)
    vertices = face if vertex_of is None else vertex_of
    order = [head.unit_names.index(name) for name in ARKIT_UNITS]
    mean, units = head.mean[vertices], head.expression_units[order][:, vertices]
    lids = tuple(restricted(lid_contact(head, blink), vertices, len(head.mean)) for blink in BLINKS)
    lips = restricted(lip_contact(head), vertices, len(head.mean))
    return FaceSupport(
        head=head,
        vertex_of=readonly(vertices, "vertex_of", ("n_vertices",), np.int32),
        mean=mean,
        units=units,
        modes=field_modes(head.mean[face], mean),
        contacts=(lips, *lids),
        lids=lids,
        closed_gaps=tuple(gaps(lid, mean + units[UNIT_INDEX[blink]]) for lid, blink in zip(lids, BLINKS, strict=True)),
    )


@dataclass(frozen=True, slots=True, eq=False)
class FaceMotion:
    """One person's face in motion; `displaced` reads it.

    neutral : (n_vertices, 3) float32, mm.
    shapes : (52 + 52 + n_correctives, n_vertices, 3) float32, mm: L, P and K.
    growth : (52,) float64, the exponents p.
    contacts : what is kept apart.
    """

    neutral: FloatArray
    shapes: FloatArray
    growth: FloatArray
    contacts: tuple[Contact, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "neutral", readonly(self.neutral, "neutral", ("n_vertices", 3), np.float32))
        n_shapes = 2 * len(ARKIT_UNITS) + len(corrective_pairs())
        shapes = readonly(self.shapes, "shapes", (n_shapes, len(self.neutral), 3), np.float32)
        object.__setattr__(self, "shapes", shapes)
        object.__setattr__(self, "growth", readonly(self.growth, "growth", (len(ARKIT_UNITS),), np.float64))


def displaced(motion: FaceMotion, weights: FloatArray) -> FloatArray:
    """(n_frames, n_vertices, 3) float32, mm, from the neutral face. weights : (n_frames, 52) in [0, 1]."""
    first, second = corrective_pairs().T
    coefficients = np.concatenate(
        [weights, weights**motion.growth, weights[:, first] * weights[:, second]], axis=1
    ).astype(np.float32)
    offsets: FloatArray = coefficients @ motion.shapes.reshape(len(motion.shapes), -1)
    offsets = offsets.reshape(len(weights), -1, 3)
    for contact in motion.contacts:
        keep_apart(contact, motion.neutral, offsets)
    return offsets


def draw_motion(support: FaceSupport, neutral: FloatArray, scale: float, rng: np.random.Generator) -> FaceMotion:
    """A random person's motion.

    neutral : (n_vertices, 3) mm, their face at rest on the support's vertices.  scale : its size against the mean's.
    """
    modes = support.modes
    stems = _stems()
    n_stems, n_units = stems.max() + 1, len(ARKIT_UNITS)
    n_symmetric, n_free = modes.symmetric.shape[1], modes.free.shape[1]

    # Four fields a unit: amplitude along its own direction, and three across.
    shared = rng.standard_normal((n_stems, 4, n_symmetric))[stems].reshape(-1, n_symmetric)
    own = rng.standard_normal((n_units * 4, n_free))
    fields = draw_scalars(modes, shared, own, ASYMMETRY).reshape(n_units, 4, -1)
    fields[:, 1] *= modes.side
    calm = np.where([name.startswith(_LID_UNITS) for name in ARKIT_UNITS], _LID_SHARE, 1.0).astype(np.float32)
    strength = scale * np.exp(STRENGTH_SD * rng.standard_normal(n_stems))[stems]
    strength[[UNIT_INDEX[blink] for blink in BLINKS]] = scale
    lengths = np.linalg.norm(support.units, axis=2)
    peaks = AMPLITUDE_SD * fields[:, :1].transpose(0, 2, 1) * support.units
    peaks += DIRECTION_SD * fields[:, 1:].transpose(0, 2, 1) * lengths[:, :, None]
    factor = strength[:, None, None].astype(np.float32)
    linear, peaks = factor * support.units, factor * calm[:, None, None] * peaks

    first, second = corrective_pairs().T
    shared = rng.standard_normal((len(first), 3, n_symmetric)).reshape(-1, n_symmetric)
    own = rng.standard_normal((len(first) * 3, n_free))
    fields = draw_scalars(modes, shared, own, ASYMMETRY).reshape(len(first), 3, -1)
    fields[:, 0] *= modes.side
    envelope = np.sqrt(lengths[first] * lengths[second]) * np.minimum(calm[first], calm[second])[:, None]
    correctives = CORRECTIVE_SD * scale * fields.transpose(0, 2, 1) * envelope[:, :, None]

    growth = rng.uniform(*GROWTH, n_stems)[stems]
    for lid, blink, closed in zip(support.lids, BLINKS, support.closed_gaps, strict=True):
        unit = UNIT_INDEX[blink]
        _close(lid, neutral, linear[unit], peaks[unit], closed)
    shapes = np.concatenate([linear, peaks, correctives])
    return FaceMotion(neutral, shapes, growth, support.contacts)


def _close(lid: Contact, neutral: FloatArray, linear: FloatArray, peak: FloatArray, closed_gaps_mm: FloatArray) -> None:
    """Change `linear` in place so that a full blink leaves this person's lids as it leaves the mean's: closed."""
    for _ in range(3):  # the falloff takes neighbours along, so once does not do
        missing = closed_gaps_mm - gaps(lid, neutral + linear + peak)
        linear[lid.moved, 1] += lid.follow @ missing


@lru_cache(maxsize=1)
def corrective_pairs() -> IntArray:
    """(n_correctives, 2) int, the pairs of neighbouring units that occur together most in the map's expressions."""
    expressions = default_map()
    poses = np.minimum(np.array([*expressions.prototypes, *expressions.families.values()]), 1)
    together = poses.T @ poses
    pairs = [
        (float(together[first, second]), first, second)
        for first in range(len(ARKIT_UNITS))
        for second in range(first + 1, len(ARKIT_UNITS))
        if _share_skin(ARKIT_UNITS[first], ARKIT_UNITS[second])
    ]
    most = sorted(pairs, key=lambda pair: (-pair[0], pair[1:]))[:N_CORRECTIVES]
    return np.array([pair[1:] for pair in most])


def _share_skin(first: str, second: str) -> bool:
    # One side's unit and the other side's meet at the midline alone.
    if {first[-4:], second[-4:]} == {"Left", "ight"}:
        return False
    return any(first.startswith(part) and second.startswith(part) for part in (_UPPER_FACE, _LOWER_FACE))


@lru_cache(maxsize=1)
def _stems() -> IntArray:
    """(52,) int: a number for each unit that its counterpart on the other side shares."""
    smaller = [min(name, mirrored(name)) for name in ARKIT_UNITS]
    return np.unique(smaller, return_inverse=True)[1]
