"""Valence and arousal from MediaPipe's readings alone, by way of action units: no network that knows emotions.

Three steps, none of them fitted to pictures of this project:

1. Action units from MediaPipe's units and points. Its `mouthFrown*` and `browInnerUp` hardly move, `cheekSquint*` and
   `noseSneer*` never, so corners of the mouth, brows and lids are measured, as changes against the photograph that was
   edited, in distances between the outer corners of the eyes. The zero of a unit is its median over 17 portraits before
   any edit (`eyeSquint*` reads .45 there).
2. A weight of each action unit in valence and in arousal: ridge regression (penalty 0.3) of the positions of 85 states
   (Russell & Mehrabian 1977 and other ratings of their names) on the action units that the literature gives for them
   (EMFACS; Du, Tao & Martinez 2014; Keltner et al. 2019; where it gives none, judgement, most of all for low arousal).
   It reproduces those positions with r = .91 and .92.
3. Their sum.

The product's own map goes back to much the same literature, so this says whether action units arrive in the picture as
asked, and no more: it is no witness that people read them so.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from benchmarks.instruments.face import FaceReading
from synth_affect.pipelines.judges.face_heights import (
    LEFT_EYE_INNER,
    LEFT_EYE_OUTER,
    LEFT_LIP_CORNER,
    LOWER_LIP_INNER,
    RIGHT_EYE_INNER,
    RIGHT_EYE_OUTER,
    RIGHT_LIP_CORNER,
    UPPER_LIP_INNER,
    height,
)

WEIGHTS: dict[str, tuple[float, float]] = {
    "AU1": (-0.04, -0.10),
    "AU2": (0.28, 0.38),
    "AU4": (-0.33, 0.15),
    "AU5": (-0.17, 0.30),
    "AU6": (0.06, 0.28),
    "AU7": (-0.08, 0.38),
    "AU10": (-0.17, 0.13),
    "AU12": (0.82, 0.07),
    "AU15": (-0.72, -0.02),
    "AU17": (-0.06, 0.07),
    "AU20": (-0.37, 0.05),
    "AU24": (-0.40, 0.04),
    "AU25": (-0.18, 0.04),
    "AU26": (0.22, 0.02),
    "AU43": (0.00, -0.95),
}
"""Of valence and of arousal; AU9, 23 and 27 count as 10, 24 and 26."""

ZEROS = {"browDown": 0.218, "eyeSquint": 0.449, "mouthSmile": 0.155, "mouthShrugLower": 0.018, "mouthPress": 0.044}
"""MediaPipe's median reading before an edit; of the other units it is below 0.01."""

FULL_HEIGHT = {"AU1": 0.07, "AU2": 0.07, "AU4": 0.05, "AU15": 0.06, "AU25": 0.08, "AU26": 0.35}
"""Changes of height, or lip gaps, that count as an intensity of 1, in inter-ocular distances."""

_INNER_BROWS, _OUTER_BROWS = (107, 66, 55, 65, 336, 296, 285, 295), (70, 63, 46, 53, 300, 293, 276, 283)
_UPPER_LIDS, _LOWER_LIDS = (159, 386), (145, 374)
_WIDER, _CLOSED = 0.35, 0.8
"""Change of the opening of the lids, as a share of it, that counts as all of AU5, or as all of AU43."""


def read_action_units(face: FaceReading, before: FaceReading) -> dict[str, float]:
    """Intensities in [0, 1] of the action units of WEIGHTS. before : of the photograph that was edited."""

    def unit(stem: str, gain: float = 1.0) -> float:
        zero = ZEROS.get(stem, 0.0)
        return gain * max(face.mean_unit(stem) - zero, 0.0) / (1 - zero)

    def raised(points: Sequence[int], over: Sequence[int]) -> float:
        now, then = (height(each.points, points) - height(each.points, over) for each in (face, before))
        return now - then

    inner = raised(_INNER_BROWS, (RIGHT_EYE_INNER, LEFT_EYE_INNER))
    outer = raised(_OUTER_BROWS, (RIGHT_EYE_OUTER, LEFT_EYE_OUTER))
    corners = raised((RIGHT_LIP_CORNER, LEFT_LIP_CORNER), (UPPER_LIP_INNER, LOWER_LIP_INNER))
    gap = height(face.points, (UPPER_LIP_INNER,)) - height(face.points, (LOWER_LIP_INNER,))
    now, then = (height(each.points, _UPPER_LIDS) - height(each.points, _LOWER_LIDS) for each in (face, before))
    lids = now / then if then > 0 else 1.0
    smile, squint = min(unit("mouthSmile"), 1.0), unit("eyeSquint", 1.2)
    found = {
        "AU1": inner / FULL_HEIGHT["AU1"],
        "AU2": outer / FULL_HEIGHT["AU2"],
        "AU4": max(unit("browDown"), -inner / FULL_HEIGHT["AU4"]),
        "AU5": max(unit("eyeWide", 1.5), (lids - 1) / _WIDER),
        "AU6": squint * smile,
        "AU7": squint * (1 - smile),
        "AU10": unit("mouthUpperUp"),
        "AU12": smile,
        "AU15": max(unit("mouthFrown"), -corners / FULL_HEIGHT["AU15"]),
        "AU17": unit("mouthShrugLower", 1.2),
        "AU20": unit("mouthStretch", 1.2),
        "AU24": unit("mouthPress"),
        "AU25": gap / FULL_HEIGHT["AU25"],
        "AU26": max(gap / FULL_HEIGHT["AU26"], unit("jawOpen", 1.2)),
        "AU43": (1 - lids) / _CLOSED,
    }
    return {name: float(np.clip(intensity, 0, 1)) for name, intensity in found.items()}


def valence_arousal(action_units: dict[str, float]) -> tuple[float, float]:
    """The sum of what each action unit says."""
    weights: npt.NDArray[np.float64] = np.array([WEIGHTS[name] for name in action_units])
    valence, arousal = np.array(list(action_units.values())) @ weights
    return float(valence), float(arousal)
