"""What is believed of a face and its camera before the landmarks are seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from synth_affect.arrays import FloatArray
from synth_affect.heads.camera import ImageSize


@dataclass(frozen=True, slots=True)
class Lens:
    """Prior of the camera's distance. Landmarks hardly show it, so the prior mostly decides.

    focal_per_side : focal length in units of the picture's larger side, of a picture that is not a crop; 1.4 is 50 mm
        on film of 36 mm.
    portrait_mm : a picture in which such a lens would have stood nearer than this is taken for a crop from a larger
        one, and the camera for standing at this distance.
    log_distance_sd : how far the landmarks may talk the solver out of it, standard deviation of the log.
    """

    focal_per_side: float = 1.4
    portrait_mm: float = 900.0
    log_distance_sd: float = 0.2


@dataclass(frozen=True, slots=True)
class ExpressionBelief:
    """Prior of the expression weights, w in [0, 1].

    Landmarks alone cannot tell a smile from a face with a wide mouth: identity explains both, at less cost. The
    detector has seen the picture, so its readings say what of the shape is expression.

    cost : of a fully active unit that is not read as active, in the unit of half a squared standard deviation. It is
        linear, so that a unit which explains little stays at exactly 0.
    gaze_cost : the same for the units that turn the eyes, which nothing else in the model can imitate.
    reading_sd : standard deviation of a weight about the detector's reading.
    unread_sd : about 0, for a unit without a reading that can be relied on.
    balance_sd : of the difference between the left and the right one of a pair about the difference of their readings;
        of the two eyes' turns about each other. Without it identity, which is nearly symmetric, would leave every
        crooked brow to the expression.
    """

    cost: float = 12.0
    gaze_cost: float = 1.0
    reading_sd: float = 0.14
    unread_sd: float = 0.7
    balance_sd: float = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class QuadraticPrior:
    """1/2 w . curvature . w + slope . w.  curvature : (n, n) float64.  slope : (n,) float64."""

    curvature: FloatArray
    slope: FloatArray


READINGS_AT_REST: Mapping[str, float] = {
    "browDown": 0.4,
    "eyeBlink": 0.15,
    "eyeSquint": 0.45,
    "mouthPress": 0.15,
    "mouthPucker": 0.2,
    "mouthShrugLower": 0.1,
}
"""What MediaPipe reads on faces that do nothing in particular: the upper quartile over nine portraits, both sides
together, rounded to 0.05. Units that are not named stay below 0.05.
"""

_AT_REST_OTHERWISE = 0.05

_HARDLY_READ = ("browInnerUp", "cheekPuff", "cheekSquint", "jawForward", "mouthFrown", "noseSneer", "tongueOut")
"""Units that MediaPipe reads near 0 even where they are plainly active."""

_GAZE = "eyeLook"
_ONE_SIDED = ("jaw", "mouth")
"""jawLeft and jawRight, mouthLeft and mouthRight are opposites, not a pair."""


def lens_distance_mm(lens: Lens, image_size: ImageSize, scale_px_per_mm: float) -> float:
    """Distance at which the camera most likely stood, mm. scale_px_per_mm : size of the face in the picture."""
    focal = lens.focal_per_side * max(image_size.height, image_size.width)
    return max(focal / scale_px_per_mm, lens.portrait_mm)


def expression_prior(
    unit_names: Sequence[str], readings: Mapping[str, float], belief: ExpressionBelief
) -> QuadraticPrior:
    """The prior of the weights of `unit_names`, given the detector's readings by unit name ([0, 1]; empty for none)."""
    read = np.array([_above_rest(name, readings.get(name, 0.0)) for name in unit_names])
    gaze = np.array([name.startswith(_GAZE) for name in unit_names])
    relied_on = np.array([name in readings and not name.startswith((_GAZE, *_HARDLY_READ)) for name in unit_names])
    read[~relied_on] = 0.0

    tightness = np.where(relied_on, belief.reading_sd, belief.unread_sd) ** -2.0
    curvature = np.diag(tightness)
    slope = np.where(gaze, belief.gaze_cost, belief.cost) * (1.0 - read) - tightness * read

    balance = belief.balance_sd**-2.0
    for i, j in mirrored_pairs(unit_names):
        difference = read[i] - read[j]
        curvature[[i, j], [i, j]] += balance
        curvature[[i, j], [j, i]] -= balance
        slope[i] -= balance * difference
        slope[j] += balance * difference
    return QuadraticPrior(curvature, slope)


def mirrored_pairs(unit_names: Sequence[str]) -> list[tuple[int, int]]:
    """Indices of the units that do the same on either side: (left, right). Eyes turn together, so the one that looks
    inwards is paired with the other that looks outwards.
    """
    place = {name: index for index, name in enumerate(unit_names)}
    pairs = []
    for name, index in place.items():
        base = name.removesuffix("Left")
        if base == name or base in _ONE_SIDED:
            continue
        swapped = {"eyeLookIn": "eyeLookOut", "eyeLookOut": "eyeLookIn"}.get(base, base)
        other = place.get(swapped + "Right")
        if other is not None:
            pairs.append((index, other))
    return pairs


def _above_rest(name: str, reading: float) -> float:
    rest = READINGS_AT_REST.get(name.removesuffix("Left").removesuffix("Right"), _AT_REST_OTHERWISE)
    return min(max((reading - rest) / (1.0 - rest), 0.0), 1.0)
