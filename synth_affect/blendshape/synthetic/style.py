"""How one person's face moves: the head model's units, bent by a random style that is not additive.

offsets(w) = e(d), d = sum_u w_u L_u + sum_u w_u^p_u P_u + sum_(u,v) w_u w_v K_uv; then lips and lids are kept apart.
L is the model's unit in this person's size and strength. P is the change of its peak: of its amplitude and direction,
by fields as wide as a cheek, and folds, by fields as wide as a wrinkle's flank, mostly along the skin. K are
correctives of units that occur together. e does the same to the whole, and is one recording's own: nobody smiles twice
alike. Of all that is added to L, no more is kept than turns no skin over. No source gives the spread of such styles;
the figures below are judgement, by eye on sheets of faces.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numba import njit
from scipy.spatial import cKDTree

from synth_affect.arrays import FloatArray, IntArray, readonly
from synth_affect.blendshape.action_units import ARKIT_UNITS, UNIT_INDEX, mirrored
from synth_affect.blendshape.affect_map import default_map
from synth_affect.blendshape.synthetic.contact import Contact, gaps, keep_apart, lid_contact, lip_contact, restricted
from synth_affect.blendshape.synthetic.fields import FieldModes, draw_scalars, draw_vectors, field_modes
from synth_affect.blendshape.synthetic.unfolding import Skin, add_unfolded, skin_of
from synth_affect.blendshape.template import face_vertices
from synth_affect.errors import ShapeError
from synth_affect.heads.mesh import vertex_normals
from synth_affect.heads.model import HeadModel, region_vertices

STYLE_WIDTH_MM, FOLD_WIDTH_MM = 18.0, 6.0
"""Standard deviation of the bumps that random fields are sums of."""
AMPLITUDE_SD, DIRECTION_SD = 0.28, 0.15
"""Of a unit's amplitude at its peak from place to place, and of what goes across; shares of the unit's displacement."""
FOLD_SD, FOLD_LIMIT_MM, FOLD_NORMAL, FOLD_LIPS = 0.68, 6.0, 0.25, 0.4
"""Of folds, as a share of the displacement; they grow no more with one beyond the limit, since skin that is carried far
need not fold. Across the surface they have this share of what they have along it, and on the lips this share of what
they are elsewhere. Where they would turn skin over they are held back (`unfolding`), so that these are upper bounds."""
CORRECTIVE_SD = 0.22
"""Of a corrective at full weights, as a share of the geometric mean of its two units."""
RECORDING, RECORDING_FOLDS = 0.6, 1.0
"""A recording's own amplitude and direction, and its own folds, as shares of the above."""
ASYMMETRY = 0.3
"""Share of a field's standard deviation that each side has for itself."""
STRENGTH_SD = 0.15
"""Of the logarithm of a unit's strength."""
GROWTH = (1.0, 1.8)
"""Range of the exponents p."""
N_CORRECTIVES = 60

_LID_UNITS = ("eyeBlink", "eyeLook", "eyeWide", "eyeSquint")
_LID_SHARE, _REACH_MM = 0.4, 6.0
"""Lids slide on the eyeball: their style is this much of that of skin; a recording has none of its own on them."""
BLINKS = ("eyeBlinkLeft", "eyeBlinkRight")
_UPPER_FACE, _LOWER_FACE = ("brow", "eye", "cheekSquint", "noseSneer"), ("jaw", "mouth", "cheek", "noseSneer")


@dataclass(frozen=True, slots=True, eq=False)
class FaceSupport:
    """What all people of one head model share, on the vertices that are asked for.

    vertex_of : (n_vertices,) int32 into the head's vertices.
    mean : (n_vertices, 3) float32, mm.  units : (52, n_vertices, 3) float32, mm, in the order of ARKIT_UNITS.
    normals : (n_vertices, 3) float32, of the mean.  calm : (n_vertices,) float32, 0 on the lids, 1 away from them.
    folding : (n_vertices,) float32, as `calm`, and FOLD_LIPS on the lips.
    contacts : lips and lids.  lids : of these, those of BLINKS.
    closed_gaps : for each of `lids`, (n_pairs,) mm between them when the mean head blinks.
    """

    head: HeadModel
    vertex_of: IntArray
    mean: FloatArray
    units: FloatArray
    style_modes: FieldModes
    fold_modes: FieldModes
    normals: FloatArray
    calm: FloatArray
    folding: FloatArray
    skin: Skin
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
    calm = 1 - _close_to(mean, head.mean[region_vertices(head, "lids")])
    return FaceSupport(
        head=head,
        vertex_of=readonly(vertices, "vertex_of", ("n_vertices",), np.int32),
        mean=mean,
        units=units,
        style_modes=field_modes(head.mean[face], mean, STYLE_WIDTH_MM),
        fold_modes=field_modes(head.mean[face], mean, FOLD_WIDTH_MM),
        normals=vertex_normals(head.mean, head.triangles)[vertices],
        calm=calm,
        folding=calm * (1 - (1 - FOLD_LIPS) * _close_to(mean, head.mean[region_vertices(head, "lips")])),
        skin=skin_of(head, vertices),
        contacts=(lips, *lids),
        lids=lids,
        closed_gaps=tuple(gaps(lid, mean + units[UNIT_INDEX[blink]]) for lid, blink in zip(lids, BLINKS, strict=True)),
    )


@dataclass(frozen=True, slots=True, eq=False)
class FaceMotion:
    """One person's face in motion; `displaced` reads it.

    support : of the head model and the vertices.
    neutral : (n_vertices, 3) float32, mm.
    shapes : (52 + 52 + n_correctives, n_vertices, 3) float32, mm: L, P and K.
    growth : (52,) float64, the exponents p.
    """

    support: FaceSupport
    neutral: FloatArray
    shapes: FloatArray
    growth: FloatArray

    def __post_init__(self) -> None:
        object.__setattr__(self, "neutral", readonly(self.neutral, "neutral", ("n_vertices", 3), np.float32))
        n_shapes = 2 * len(ARKIT_UNITS) + len(corrective_pairs())
        shapes = readonly(self.shapes, "shapes", (n_shapes, len(self.neutral), 3), np.float32)
        object.__setattr__(self, "shapes", shapes)
        object.__setattr__(self, "growth", readonly(self.growth, "growth", (len(ARKIT_UNITS),), np.float64))


@dataclass(frozen=True, slots=True, eq=False)
class Emphasis:
    """One recording's own way. amplitude : (n_vertices,), direction, folds : (n_vertices, 3) float32, shares of the
    displacement, folds of that below their limit.
    """

    amplitude: FloatArray
    direction: FloatArray
    folds: FloatArray


def draw_emphasis(support: FaceSupport, rng: np.random.Generator) -> Emphasis:
    """A random recording's. Lids have none, so that they still close."""
    one, calm = np.zeros(1, dtype=np.int64), support.calm
    return Emphasis(
        amplitude=RECORDING * AMPLITUDE_SD * calm * draw_scalars(support.style_modes, rng, one, ASYMMETRY)[0],
        direction=RECORDING * DIRECTION_SD * calm[:, None] * draw_vectors(support.style_modes, rng, one, ASYMMETRY)[0],
        folds=RECORDING_FOLDS
        * FOLD_SD
        * support.folding[:, None]
        * _along(support, draw_vectors(support.fold_modes, rng, one, ASYMMETRY))[0],
    )


def displaced(motion: FaceMotion, weights: FloatArray, emphasis: Emphasis | None = None) -> FloatArray:
    """(n_frames, n_vertices, 3) float32, mm, from the neutral face.

    weights : (n_frames, 52) in [0, 1].  emphasis : the recording's, from `draw_emphasis`; none by default.
    """
    n_units = len(ARKIT_UNITS)
    first, second = corrective_pairs().T
    bent = np.concatenate([weights**motion.growth, weights[:, first] * weights[:, second]], axis=1)
    offsets = _combined(weights, motion.shapes[:n_units])
    own = _combined(bent, motion.shapes[n_units:])
    if emphasis is not None:
        _emphasize(offsets, own, emphasis.amplitude, emphasis.direction, emphasis.folds, FOLD_LIMIT_MM)
    add_unfolded(motion.support.skin, motion.neutral, offsets, own)
    for contact in motion.support.contacts:
        keep_apart(contact, motion.neutral, offsets)
    return offsets


def _combined(coefficients: FloatArray, shapes: FloatArray) -> FloatArray:
    combined: FloatArray = coefficients.astype(np.float32) @ shapes.reshape(len(shapes), -1)
    return combined.reshape(len(coefficients), -1, 3)


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _emphasize(
    offsets: FloatArray,
    own: FloatArray,
    amplitude: FloatArray,
    direction: FloatArray,
    folds: FloatArray,
    limit_mm: float,
) -> None:
    """own += amplitude d + |d| direction + limited(|d|) folds, in place; d = offsets + own."""
    for frame in range(offsets.shape[0]):
        for vertex in range(offsets.shape[1]):
            x = offsets[frame, vertex, 0] + own[frame, vertex, 0]
            y = offsets[frame, vertex, 1] + own[frame, vertex, 1]
            z = offsets[frame, vertex, 2] + own[frame, vertex, 2]
            length = np.sqrt(x * x + y * y + z * z)
            limited = length / np.sqrt(np.float32(1) + (length / np.float32(limit_mm)) ** 2)
            for k, along in enumerate((x, y, z)):
                own[frame, vertex, k] += (
                    amplitude[vertex] * along + length * direction[vertex, k] + limited * folds[vertex, k]
                )


def _along(support: FaceSupport, vectors: FloatArray) -> FloatArray:
    """`vectors` (..., n_vertices, 3) with FOLD_NORMAL of their part across the surface."""
    across = (vectors * support.normals).sum(axis=-1, keepdims=True)
    along: FloatArray = vectors - (1 - FOLD_NORMAL) * across * support.normals
    return along


def _close_to(vertices: FloatArray, parts: FloatArray) -> FloatArray:
    """(n_vertices,) float32, 1 on the parts, 0 away from them."""
    distance = np.asarray(cKDTree(parts).query(vertices)[0])
    close: FloatArray = np.exp(-((distance / _REACH_MM) ** 2)).astype(np.float32)
    return close


def draw_motion(support: FaceSupport, neutral: FloatArray, scale: float, rng: np.random.Generator) -> FaceMotion:
    """A random person's motion.

    neutral : (n_vertices, 3) mm, their face at rest on the support's vertices.  scale : its size against the mean's.
    """
    stems = _stems()
    n_stems = int(stems.max()) + 1
    calm = np.where([name.startswith(_LID_UNITS) for name in ARKIT_UNITS], _LID_SHARE, 1.0).astype(np.float32)
    strength = scale * np.exp(STRENGTH_SD * rng.standard_normal(n_stems))[stems]
    strength[[UNIT_INDEX[blink] for blink in BLINKS]] = scale
    lengths = np.linalg.norm(support.units, axis=2)
    peaks = AMPLITUDE_SD * draw_scalars(support.style_modes, rng, stems, ASYMMETRY)[:, :, None] * support.units
    peaks += DIRECTION_SD * draw_vectors(support.style_modes, rng, stems, ASYMMETRY) * lengths[:, :, None]
    limited = lengths / np.sqrt(1 + (lengths / FOLD_LIMIT_MM) ** 2)
    folds = _along(support, draw_vectors(support.fold_modes, rng, stems, ASYMMETRY))
    peaks += FOLD_SD * folds * (limited * support.folding)[:, :, None]
    per_unit = strength[:, None, None].astype(np.float32)
    linear, peaks = per_unit * support.units, per_unit * calm[:, None, None] * peaks

    first, second = corrective_pairs().T
    fields = draw_vectors(support.style_modes, rng, np.arange(len(first)), ASYMMETRY)
    envelope = np.sqrt(lengths[first] * lengths[second]) * np.minimum(calm[first], calm[second])[:, None]
    correctives = CORRECTIVE_SD * scale * fields * envelope[:, :, None]

    growth = rng.uniform(*GROWTH, n_stems)[stems]
    for lid, blink, closed in zip(support.lids, BLINKS, support.closed_gaps, strict=True):
        unit = UNIT_INDEX[blink]
        _close(lid, neutral, linear[unit], peaks[unit], closed)
    shapes = np.concatenate([linear, peaks, correctives])
    return FaceMotion(support, neutral, shapes, growth)


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
