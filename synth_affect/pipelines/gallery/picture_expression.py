"""The expressions that pictures of a person show, as weights of the head model's units; or why they cannot be said.

One picture cannot tell a raised brow from a high one: identity explains a part of every expression. Where pictures show
the same person at rest, they give the identity, and the others are fitted again with it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from synth_affect.arrays import BoolArray, FloatArray, IntArray
from synth_affect.data.faces.record import FaceRecord
from synth_affect.data.provenance import sha256_file
from synth_affect.errors import FitError, InputError
from synth_affect.fitting.fit import FaceFit
from synth_affect.fitting.landmarks import LandmarkDetector, Landmarks
from synth_affect.fitting.solver import LandmarkSolver
from synth_affect.heads.camera import ImageSize, yaw_pitch_roll
from synth_affect.heads.model import HeadModel
from synth_affect.pipelines.read_face import FacePictures

MAX_YAW_DEG, MAX_PITCH_DEG = 40.0, 35.0
"""Beyond them one half of the face, or brows or chin, are out of sight and their weights a guess."""
MAX_RESIDUAL_IOD = 0.035
"""Good fits of frontal photographs end at 0.007 to 0.018, one of a face turned by 35 degrees at 0.031."""


@dataclass(frozen=True, slots=True, eq=False)
class PictureExpression:
    """What came of one picture.

    sha256 : of its file; "" where it cannot be read.
    reason : why it is not used; "" where it is.
    own_rest : the weights count from the person's own face at rest; else from the model's.
    weights : (n_units,) float32, in the order of the head model, to 5 decimals; None where there is no fit.
    yaw_deg, pitch_deg, residual_iod : of the fit; NaN where there is none.
    """

    sha256: str
    reason: str
    own_rest: bool = False
    weights: FloatArray | None = None
    yaw_deg: float = float("nan")
    pitch_deg: float = float("nan")
    residual_iod: float = float("nan")


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """A picture that was looked at. landmarks, fit : None where there is no face."""

    expression: PictureExpression
    landmarks: Landmarks | None = None
    fit: FaceFit | None = None


class ExpressionReader:
    """Reads expressions of the largest faces in pictures; holds the detector. A context manager.

    detector : taken over, and closed at the end.
    """

    def __init__(self, head: HeadModel, detector: LandmarkDetector) -> None:
        self._head, self._detector, self._pictures = head, detector, FacePictures()
        self._solver = LandmarkSolver(head)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Free the detector."""
        self._detector.close()
        self._pictures.close()

    def __call__(self, pictures: Sequence[FaceRecord]) -> list[PictureExpression]:
        """The expression in each of `pictures`, which show one person, or are one picture of somebody."""
        seen = [self._see(picture) for picture in pictures]
        usable = [k for k, one in enumerate(seen) if not one.expression.reason]
        if pictures[0].subject and usable:
            for k, expression in zip(
                usable, self._from_rest([pictures[k] for k in usable], [seen[k] for k in usable]), strict=True
            ):
                seen[k] = replace(seen[k], expression=expression)
        return [one.expression for one in seen]

    def _see(self, record: FaceRecord) -> _Seen:
        try:
            source = self._pictures.read(record)
        except InputError as error:
            return _Seen(PictureExpression(digest_of(record.path), error.reason))
        try:
            found = self._detector.detect(source.picture.pixels)
            if not found:
                return _Seen(PictureExpression(source.sha256, "no face found"))
            fit = self._solver(found[0], ImageSize(*source.picture.pixels.shape[:2]))
        except FitError as error:
            return _Seen(PictureExpression(source.sha256, f"no face has these landmarks ({error})"))
        yaw, pitch, _ = (float(angle) for angle in np.degrees(yaw_pitch_roll(fit.camera)))
        expression = PictureExpression(
            sha256=source.sha256,
            reason=_why_unfit(fit, yaw, pitch),
            weights=_rounded(fit.expression_weights),
            yaw_deg=round(yaw, 2),
            pitch_deg=round(pitch, 2),
            residual_iod=round(fit.residual_iod, 6),
        )
        return _Seen(expression, found[0], fit)

    def _from_rest(self, pictures: Sequence[FaceRecord], seen: Sequence[_Seen]) -> list[PictureExpression]:
        """The expressions of one person, from that person's face at rest where the pictures show it."""
        fits = [one.fit for one in seen if one.fit is not None]
        rest = pictures_at_rest(
            np.array([fit.expression_weights for fit in fits], dtype=np.float64),
            np.array([picture.valence for picture in pictures]),
            np.array([picture.arousal for picture in pictures]),
        )
        if rest is None:
            return [one.expression for one in seen]
        identity = np.median([fits[k].identity_coefficients for k in rest], axis=0)
        solver = LandmarkSolver(_with_identity(self._head, identity))
        again: list[FaceFit] = [
            solver(one.landmarks, fit.image_size)
            for one, fit in zip(seen, fits, strict=True)
            if one.landmarks is not None
        ]
        neutral = np.median([again[k].expression_weights for k in rest], axis=0)
        return [
            replace(
                one.expression,
                reason=_why_unfit(fit, one.expression.yaw_deg, one.expression.pitch_deg),
                own_rest=True,
                weights=_rounded(fit.expression_weights - neutral),
                residual_iod=round(fit.residual_iod, 6),
            )
            for one, fit in zip(seen, again, strict=True)
        ]


def open_reader(head: HeadModel) -> ExpressionReader:
    """A reader with MediaPipe's detector."""
    from synth_affect.fitting.mediapipe_detector import MediaPipeDetector

    return ExpressionReader(head, MediaPipeDetector())


def digest_of(path: Path) -> str:
    """SHA-256 of a file, hexadecimal; "" where it cannot be read."""
    with contextlib.suppress(InputError, OSError):
        return sha256_file(path)
    return ""


def _rounded(weights: FloatArray) -> FloatArray:
    # So that a report gives back what was written.
    return np.round(weights.astype(np.float64), 5).astype(np.float32)


def _with_identity(head: HeadModel, coefficients: FloatArray) -> HeadModel:
    """The head of one person: nothing but its expression is left to fit."""
    mean = head.mean + np.tensordot(coefficients, head.identity_basis, 1)
    return replace(head, mean=mean, identity_basis=np.empty((0, len(mean), 3), dtype=np.float32))


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


MIN_FOR_CALM = 8
NEUTRAL_INTENSITY = 0.2
CALM_SHARE = 0.25


def pictures_at_rest(weights: FloatArray, valence: FloatArray, arousal: FloatArray) -> IntArray | None:
    """(n_rest,) indices of the pictures that show one person's face at rest; None where that cannot be told.

    weights : (n_pictures, n_units) of that person.  valence, arousal : (n_pictures,).
    Those labelled no further than 0.2 from (0, 0). Without any, the quarter with the least expression, by the length of
    the weights, where there are eight pictures or more: in fewer an expression cannot be told from a habit.
    """
    neutral = np.flatnonzero(np.hypot(valence, arousal) <= NEUTRAL_INTENSITY)
    if len(neutral):
        return neutral
    if len(weights) < MIN_FOR_CALM:
        return None
    n_calm = round(CALM_SHARE * len(weights))
    return np.argsort(np.linalg.norm(weights, axis=1), kind="stable")[:n_calm]
