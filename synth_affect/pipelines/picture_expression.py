"""The expression that a picture shows, as weights of the head model's units; or why it cannot be said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from synth_affect.arrays import BoolArray, FloatArray
from synth_affect.data.pictures import read_picture
from synth_affect.data.provenance import sha256_file
from synth_affect.errors import FitError, InputError
from synth_affect.fitting.fit import FaceFit
from synth_affect.heads.camera import yaw_pitch_roll
from synth_affect.pipelines.synthesize import AffectSynthesizer

MAX_YAW_DEG, MAX_PITCH_DEG = 40.0, 35.0
"""Beyond them one half of the face, or brows or chin, are out of sight and their weights a guess."""
MAX_RESIDUAL_IOD = 0.035
"""Good fits of frontal photographs end at 0.007 to 0.018, one of a face turned by 35 degrees at 0.031."""


@dataclass(frozen=True, slots=True, eq=False)
class PictureExpression:
    """What came of one picture.

    sha256 : of its file; "" where it cannot be read.
    reason : why it is not used; "" where it is.
    weights : (n_units,) float32 in [0, 1], in the order of the head model, to 5 decimals; None where there is no fit.
    yaw_deg, pitch_deg, residual_iod : of the fit; NaN where there is none.
    """

    sha256: str
    reason: str
    weights: FloatArray | None = None
    yaw_deg: float = float("nan")
    pitch_deg: float = float("nan")
    residual_iod: float = float("nan")


def picture_expression(synthesizer: AffectSynthesizer, path: Path) -> PictureExpression:
    """The expression of the largest face in the picture `path`."""
    digest = ""
    try:
        picture = read_picture(path)
        digest = sha256_file(path)
        fit = synthesizer.fit(picture.pixels, name=str(path))
    except InputError as error:
        return PictureExpression(digest, error.reason)
    except FitError as error:
        return PictureExpression(digest, f"no face has these landmarks ({error})")
    yaw, pitch, _ = (float(angle) for angle in np.degrees(yaw_pitch_roll(fit.camera)))
    weights = np.round(fit.expression_weights.astype(np.float64), 5).astype(np.float32)
    residual = round(fit.residual_iod, 6)
    return PictureExpression(digest, _why_unfit(fit, yaw, pitch), weights, round(yaw, 2), round(pitch, 2), residual)


def _why_unfit(fit: FaceFit, yaw_deg: float, pitch_deg: float) -> str:
    # Without the figures, which stand beside it: so reasons can be counted.
    if abs(yaw_deg) > MAX_YAW_DEG:
        return f"the head is turned by more than {MAX_YAW_DEG:.0f} degrees"
    if abs(pitch_deg) > MAX_PITCH_DEG:
        return f"the head is tilted by more than {MAX_PITCH_DEG:.0f} degrees"
    if not fit.converged:
        return "the fit did not converge"
    if not fit.residual_iod <= MAX_RESIDUAL_IOD:
        return f"the fit misses the landmarks by more than {MAX_RESIDUAL_IOD:g} eye distances"
    return ""


def expressive_units(unit_names: Sequence[str]) -> BoolArray:
    """(n_units,) bool: all but the gaze, which belongs to the moment and not to the feeling."""
    return np.array([not name.startswith("eyeLook") for name in unit_names])


N_FOR_OWN_NEUTRAL = 8
NEUTRAL_INTENSITY = 0.2
CALM_SHARE = 0.25


def neutral_weights(weights: FloatArray, valence: FloatArray, arousal: FloatArray) -> FloatArray | None:
    """(n_units,) float64: what one person's face shows at rest; None where the pictures cannot tell.

    weights : (n_pictures, n_units) of that person.  valence, arousal : (n_pictures,), NaN where not known.
    The median over the pictures that are labelled as neutral, no further than 0.2 from (0, 0). Without any, the median
    over the quarter with the least expression, by the length of the weights, where there are eight pictures or more;
    the expressions of fewer cannot be told from the person's habits.
    """
    neutral = np.hypot(valence, arousal) <= NEUTRAL_INTENSITY  # false for NaN
    if neutral.any():
        return np.asarray(np.median(weights[neutral], axis=0))
    if len(weights) < N_FOR_OWN_NEUTRAL:
        return None
    n_calm = max(1, round(CALM_SHARE * len(weights)))
    calm = np.argsort(np.linalg.norm(weights, axis=1), kind="stable")[:n_calm]
    return np.asarray(np.median(weights[calm], axis=0))
