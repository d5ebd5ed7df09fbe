"""The main job: one photograph, one (valence, arousal), one picture of the same person feeling that."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import get_args

import numpy as np

from synth_affect.affect import Emotion, ValenceArousal
from synth_affect.arrays import FloatArray, ImageArray
from synth_affect.blendshape.action_units import arrange
from synth_affect.blendshape.expression_change import (
    CLOSING_UNITS,
    LID_UNITS,
    LOWER_FACE,
    LOWER_INNER_LIP,
    UPPER_INNER_LIP,
    UPPER_LIDS,
    InputExpression,
    changed_expression,
    lid_travel,
    lip_closing,
    shown_share,
    touching_gaps,
)
from synth_affect.blendshape.expression_source import ExpressionSource, PrototypeExpressions
from synth_affect.blendshape.lip_thickness import LipThickness
from synth_affect.blendshape.local_units import ActionUnits
from synth_affect.blendshape.template import face_vertices
from synth_affect.errors import InputError, NoFaceError, ShapeError
from synth_affect.fitting.fit import FaceFit
from synth_affect.fitting.landmarks import LandmarkDetector, Landmarks
from synth_affect.fitting.residual_field import ResidualField
from synth_affect.fitting.solver import LandmarkSolver
from synth_affect.heads.camera import Camera, ImageSize
from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.model import HeadModel, embed, head_vertices
from synth_affect.render.compose import render_expression
from synth_affect.render.scene import Scene, prepare_scene, project_with
from synth_affect.render.wrinkles import WrinkleMaps, fold_strengths, load_wrinkle_maps, skin_factor

LARGEST_INTENSITY = 10.0
LID_OVERLAP = 0.06
"""Of its way: a lid that shall close goes this much past the lower one, or a line of the iris stays."""
FULL_CLOSING_INTENSITY = 0.6
"""From this distance to neutral on, a target starts from closed lips."""


@dataclass(frozen=True, slots=True, eq=False)
class SynthesisResult:
    """image : (height, width, 3), the dtype of the input.  vertices : (n_vertices, 3) float32, mm, the displaced face.
    expression_weights : (n_units,) float32, in the order of the head model.
    """

    image: ImageArray
    vertices: FloatArray
    expression_weights: FloatArray


class AffectSynthesizer:
    """Holds what is worth keeping between pictures: head model, solver, detector. A context manager."""

    def __init__(
        self,
        head: HeadModel | None = None,
        detector: LandmarkDetector | None = None,
        wrinkles: WrinkleMaps | None = None,
        expressions: ExpressionSource | None = None,
    ) -> None:
        """head : the packaged CC0 head by default.
        detector : MediaPipe by default, opened when first needed; one that is given is taken over, and closed by
            `close`.
        wrinkles : folds of the skin on `head`, see `folds_on`; the packaged head has its own.
        expressions : what a target looks like; the map of prototypes by default.

        Raises ShapeError when the head lacks units that lids and lips are moved with.
        """
        self.head = load_cc0() if head is None else head
        missing = sorted({*LID_UNITS, *CLOSING_UNITS} - set(self.head.unit_names))
        if missing:
            raise ShapeError("head", "units for lids and lips", "none named " + ", ".join(missing))
        self._detector = detector
        self._solver = LandmarkSolver(self.head)
        self._residual_field = ResidualField(self.head)
        self._wrinkles = load_wrinkle_maps(self.head) if wrinkles is None else wrinkles
        self._expressions: ExpressionSource = PrototypeExpressions() if expressions is None else expressions
        self._face = face_vertices(self.head)
        self._lips = LipThickness(self.head)

    def __enter__(self) -> AffectSynthesizer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def solver(self) -> LandmarkSolver:
        """Of `head`; what it has worked out of it serves whoever fits or measures besides."""
        return self._solver

    def close(self) -> None:
        """Free the detector's native handles."""
        if self._detector is not None:
            self._detector.close()
            self._detector = None

    def fit_all(self, image: ImageArray) -> list[FaceFit]:
        """Fits of all faces of `image` (height, width, 3) uint8 or uint16 sRGB, largest first; [] without any."""
        checked = _checked(image)
        if self._detector is None:
            from synth_affect.fitting.mediapipe_detector import MediaPipeDetector

            self._detector = MediaPipeDetector()
        size = ImageSize(checked.shape[0], checked.shape[1])
        return [self._solver(landmarks, size) for landmarks in self._detector.detect(checked)]

    def fit(self, image: ImageArray, *, face: int = 0, name: str = "image") -> FaceFit:
        """The fit of one face, counted from the largest.

        name : what to call the picture in errors.
        Raises NoFaceError when there is none, InputError when there are not so many.
        """
        fits = self.fit_all(image)
        if not fits:
            raise NoFaceError(name)
        if not 0 <= face < len(fits):
            raise InputError(name, f"face {face} was asked for, {len(fits)} found (the largest is 0)")
        return fits[face]

    def fit_landmarks(self, image: ImageArray, landmarks: Landmarks) -> FaceFit:
        """The fit of one face of which the points are known.

        landmarks : MediaPipe's 478 points or ibug's 68, px.
        Raises ShapeError for another count of points, FitError when they give no pose.
        """
        checked = _checked(image)
        return self._solver(landmarks, ImageSize(checked.shape[0], checked.shape[1]))

    def prepare(self, image: ImageArray, fit: FaceFit) -> Scene:
        """What all targets on one face share; give it to `synthesize` to make many pictures of one."""
        checked = _checked(image)
        if fit.topology != self.head.topology:
            raise InputError("fit", f"made with the head model {fit.head}, not with {self.head.name}")
        if (fit.image_size.height, fit.image_size.width) != checked.shape[:2]:
            raise ShapeError("image", (fit.image_size.height, fit.image_size.width, 3), checked.shape)
        vertices = head_vertices(self.head, fit.identity_coefficients, fit.expression_weights)
        return prepare_scene(checked, self.head, fit.camera, vertices, self._residual_field(fit))

    def synthesize(
        self,
        image: ImageArray,
        fit: FaceFit,
        *,
        valence: float,
        arousal: float,
        emotion: Emotion | None = None,
        intensity: float = 1.0,
        input_expression: InputExpression = "replace",
        wrinkles: float = 1.0,
        action_units: ActionUnits | None = None,
        scene: Scene | None = None,
    ) -> SynthesisResult:
        """The picture with the face of `fit` feeling (valence, arousal), each in [-1, 1].

        emotion : which family of expressions is meant where a point of the plane has several.
        intensity : factor on the expression, in [0, 10]; 1 is its source's own.
        wrinkles : factor on the folds of the skin, in [0, 1].
        action_units : single units on top of that, see `local_units`; `intensity` does not scale them.
        scene : of `prepare`, when many targets follow on one face.
        """
        target = ValenceArousal(valence, arousal)
        expression = self._expressions.expression(target, emotion, _checked_intensity(intensity))
        local = ActionUnits() if action_units is None else action_units
        local.check_head(self.head.name, self.head.unit_names)
        asked = arrange(local.on(expression.weights), self.head.unit_names)
        if input_expression not in get_args(InputExpression):
            raise InputError(
                "--input-expression", f"{input_expression} is not one of {', '.join(get_args(InputExpression))}"
            )
        if not 0 <= wrinkles <= 1:
            raise InputError("--wrinkles", f"{wrinkles:g} is not in [0, 1]")
        prepared = self.prepare(image, fit) if scene is None else scene
        if _checked(image).shape[:2] != (prepared.image_size.height, prepared.image_size.width):
            raise ShapeError("image", (prepared.image_size.height, prepared.image_size.width, 3), image.shape)
        if not _same_view(prepared.camera, fit.camera):
            raise ShapeError("scene", "one prepared from this fit", "that of another face")
        lids = [self.head.unit_names.index(name) for name in UPPER_LIDS]
        past = LID_OVERLAP * np.clip(2 * asked[lids] - 1, 0, 1)
        asked = asked * lid_travel(self.head, prepared.vertices, fit.expression_weights, asked)
        asked[lids] *= 1 + past
        weights = changed_expression(fit.expression_weights, asked, self.head.unit_names, input_expression)
        change = weights - fit.expression_weights
        if input_expression == "replace":
            resting = changed_expression(fit.expression_weights, 0 * asked, self.head.unit_names, input_expression)
            strength = max(target.intensity * intensity, local.strength(LOWER_FACE))
            change = change + self._closing(fit, prepared, resting, strength)
        displaced = prepared.vertices
        if change.any():
            units = self.head.expression_units
            displaced = displaced + (change @ units.reshape(len(units), -1)).reshape(-1, 3)
            displaced = self._lips.correct(
                displaced,
                (self._drawn(prepared, prepared.vertices), self._drawn(prepared, displaced)),
                (fit.expression_weights, fit.expression_weights + change),
                fit.camera.rotation,
                prepared.px_per_mm,
            )
        if expression.residual is not None:
            displaced = displaced.copy()
            displaced[self._face] += expression.residual
        folds = None
        if self._wrinkles is not None and wrinkles > 0:
            folds = fold_strengths(change, self.head.unit_names, self._wrinkles.groups)
            folds = wrinkles * np.where(folds > 0, skin_factor(prepared.skin_texture), 1.0) * folds
        picture = render_expression(image, prepared, displaced, self._wrinkles, folds)
        return SynthesisResult(picture, displaced, weights)

    def _closing(self, fit: FaceFit, scene: Scene, resting: FloatArray, strength: float) -> FloatArray:
        """(n_units,) what closes the lips of the photograph before the target opens them again.

        resting : (n_units,) the weights without the target.  strength : of the target; a request for (almost) nothing
        leaves lips that are parted at rest as they are.
        """
        shows = shown_share(fit.expression_weights, self.head.unit_names, LOWER_FACE)
        units = self.head.expression_units
        vertices = scene.vertices + np.tensordot(resting - fit.expression_weights, units, 1).astype(np.float32)
        points = self._drawn(scene, vertices)
        down = -fit.camera.rotation[:2, 1] * [1, -1]
        down = down / np.linalg.norm(down)
        gaps = (points[list(LOWER_INNER_LIP)] - points[list(UPPER_INNER_LIP)]) @ down / scene.px_per_mm
        return lip_closing(self.head, gaps - touching_gaps(self.head)) * max(
            shows, min(1.0, strength / FULL_CLOSING_INTENSITY)
        )

    def _drawn(self, scene: Scene, vertices: FloatArray) -> FloatArray:
        """(478, 2) px: the landmarks of `vertices` in the picture."""
        places = project_with(scene.camera, vertices, scene.offsets_px)[:, :2]
        return embed(places, self.head.triangles, self.head.landmarks_478)


def _same_view(camera: Camera, other: Camera) -> bool:
    return camera is other or (
        camera.focal_px == other.focal_px
        and np.array_equal(camera.rotation, other.rotation)
        and np.array_equal(camera.translation, other.translation)
    )


def _checked(image: ImageArray) -> ImageArray:
    if image.ndim != 3 or image.shape[2] != 3:
        raise ShapeError("image", ("height", "width", 3), image.shape)
    if image.dtype not in (np.uint8, np.uint16):
        raise ShapeError("image", "uint8 or uint16", str(image.dtype))
    return image


def _checked_intensity(intensity: float) -> float:
    if not 0 <= intensity <= LARGEST_INTENSITY:
        raise InputError("--intensity", f"{intensity:g} is not in [0, {LARGEST_INTENSITY:g}]")
    return float(intensity)
