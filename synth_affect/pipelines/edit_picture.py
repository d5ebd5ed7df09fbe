"""One request of the command: a picture file in, an edited one with its companions out."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import synth_affect
from synth_affect.affect import Emotion, ValenceArousal, position
from synth_affect.arrays import ImageArray
from synth_affect.blendshape.expression_change import InputExpression
from synth_affect.blendshape.local_units import ActionUnits
from synth_affect.data.picture import Picture
from synth_affect.data.picture_encoding import DEFAULT_QUALITY, check_quality
from synth_affect.data.provenance import Provenance, sidecar_path
from synth_affect.errors import InputError
from synth_affect.fitting.fit import FaceFit
from synth_affect.fitting.fit_json import fit_to_json
from synth_affect.pipelines.output_files import OutputPicture, beside, check_output_paths, write_together
from synth_affect.pipelines.picture_faces import (
    FacesOfPicture,
    FaceSource,
    blaming_the_given_fit,
    open_faces,
    summarise,
)
from synth_affect.pipelines.synthesize import LARGEST_INTENSITY, AffectSynthesizer, SynthesisResult
from synth_affect.render.scene import Scene

if TYPE_CHECKING:
    from synth_affect.pipelines.verify import OutputVerifier, VerifierChoice


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked of a face. point : of the plane.  The rest as in `AffectSynthesizer.synthesize`."""

    point: ValenceArousal
    emotion: Emotion | None = None
    intensity: float = 1.0
    input_expression: InputExpression = "replace"
    wrinkles: float = 1.0
    action_units: ActionUnits = field(default_factory=ActionUnits)

    def __post_init__(self) -> None:
        if not 0 <= self.intensity <= LARGEST_INTENSITY:  # also false for NaN
            raise InputError("--intensity", f"{self.intensity:g} is not in [0, {LARGEST_INTENSITY:g}]")
        if not 0 <= self.wrinkles <= 1:  # also false for NaN
            raise InputError("--wrinkles", f"{self.wrinkles:g} is not in [0, 1]")

    def described(self) -> dict[str, Any]:
        """For records of what was asked: JSON values."""
        return {
            "valence": self.point.valence,
            "arousal": self.point.arousal,
            "category": self.emotion,
            "intensity": self.intensity,
            "input_expression": self.input_expression,
            "wrinkles": self.wrinkles,
            "action_units": self.action_units.described(),
        }


def synthesize_target(
    synthesizer: AffectSynthesizer, image: ImageArray, fit: FaceFit, target: Target, scene: Scene | None = None
) -> SynthesisResult:
    """`AffectSynthesizer.synthesize` with everything that `target` asks for."""
    return synthesizer.synthesize(
        image,
        fit,
        valence=target.point.valence,
        arousal=target.point.arousal,
        emotion=target.emotion,
        intensity=target.intensity,
        input_expression=target.input_expression,
        wrinkles=target.wrinkles,
        action_units=target.action_units,
        scene=scene,
    )


@dataclass(frozen=True, slots=True)
class EditOutputs:
    """Where to write the picture and, where asked for, the fit (JSON) and the report (a picture).

    quality : of pictures in a lossy format, 1 to 100.
    """

    picture: Path
    fit: Path | None = None
    report: Path | None = None
    quality: int = DEFAULT_QUALITY

    def __post_init__(self) -> None:
        check_quality(self.quality)


def make_target(
    valence: float | None,
    arousal: float | None,
    emotion: Emotion | None,
    *,
    intensity: float = 1.0,
    input_expression: InputExpression = "replace",
    wrinkles: float = 1.0,
    action_units: ActionUnits | None = None,
) -> Target:
    """A target of a point, of a category, which then stands for its position, or of both; units go on top, and alone
    they go on (0, 0).

    Raises InputError when it is none of them, or half a point.
    """
    local = ActionUnits() if action_units is None else action_units
    if valence is None and arousal is None:
        if emotion is None and not local:
            raise InputError("--valence", "missing; give --valence and --arousal, --category, or --au")
        point = ValenceArousal(0.0, 0.0) if emotion is None else position(emotion)
        return Target(point, emotion, intensity, input_expression, wrinkles, local)
    if valence is None:
        raise InputError("--valence", "missing; it goes together with --arousal")
    if arousal is None:
        raise InputError("--arousal", "missing; it goes together with --valence")
    return Target(ValenceArousal(valence, arousal), emotion, intensity, input_expression, wrinkles, local)


def signed(value: float) -> str:
    """Two places and a sign: 0.3 is +0.30. What rounds to nothing is +0.00 from either side."""
    return f"{round(value, 2) + 0.0:+.2f}"


MOST_NAMED_UNITS = 4
"""In the name of a file; more are counted."""


def default_output(image: Path, target: Target) -> Path:
    """Beside the input, named after the target: face.jpg -> face_v+0.60_a+0.30.png, face_v+0.60_a+0.30_AU4=0.30.png"""
    category = f"_{target.emotion}" if target.emotion is not None else ""
    valence, arousal = signed(target.point.valence), signed(target.point.arousal)
    units = "".join(f"_{name}={intensity:.2f}" for name, intensity in target.action_units.asked)
    if len(target.action_units.asked) > MOST_NAMED_UNITS:
        units = f"_{len(target.action_units.asked)}_units"
    return beside(image, f"{category}_v{valence}_a{arousal}{units}.png")


def edit_picture(
    source: FaceSource, target: Target, outputs: EditOutputs, verify: VerifierChoice | None = None
) -> dict[str, Any]:
    """Edit the chosen faces of a picture file one after the other, and write everything that was asked for.

    verify : judges that read the output, for the sidecar; None for none, not even MediaPipe.
    Returns a summary as JSON values.
    Raises InputError when an input cannot be used or an output cannot be written; then nothing is.
    """
    if outputs.fit is not None and source.face == "all":
        raise InputError("--fit-out", "holds one face; it does not go together with --face all")
    pictures = [outputs.picture] if outputs.report is None else [outputs.picture, outputs.report]
    check_output_paths(pictures, [] if outputs.fit is None else [outputs.fit], source.files)
    with ExitStack() as held:
        # Judges first: one that cannot be used is said before any work.
        verifier = None if verify is None else held.enter_context(_open_verifier(source, verify))
        return _edit(held.enter_context(open_faces(source)), source, target, outputs, verifier)


def _edit(
    opened: FacesOfPicture, source: FaceSource, target: Target, outputs: EditOutputs, verifier: OutputVerifier | None
) -> dict[str, Any]:
    picture, synthesizer = opened.picture, opened.synthesizer
    running, drawn = picture.pixels, []
    for face in opened.faces:
        with blaming_the_given_fit(source):
            scene = synthesizer.prepare(running, face.fit)
            result = synthesize_target(synthesizer, running, face.fit, target, scene)
        running = result.image
        drawn.append((face.fit, scene, result.vertices))

    request = {
        **target.described(),
        "face": source.which_face,
        **source.expressions.described(),
    }
    head = synthesizer.head.name
    fits = {"faces": [summarise(face) for face in opened.faces]}
    if verifier is not None:
        for face, summary in zip(opened.faces, fits["faces"], strict=True):
            x, y = face.fit.landmarks_image.mean(axis=0)
            before = verifier.look(picture.pixels, (float(x), float(y)))
            summary["verification"] = verifier.verify(before, running, target.point).described()

    def as_output(path: Path, pixels: ImageArray, like: Picture, shows: str) -> OutputPicture:
        provenance = Provenance({**request, "shows": shows}, synth_affect.__version__, head, opened.input_sha256)
        return OutputPicture(path, pixels, like, provenance, fits)

    written = [as_output(outputs.picture, running, picture, "edit")]
    if outputs.report is not None:
        # Fonts and drawing would cost every run without a report a tenth of a second.
        from synth_affect.pipelines.drawing import on_paper
        from synth_affect.pipelines.report import ReportedFace, draw_report

        report = draw_report(picture.pixels, running, [ReportedFace(*parts) for parts in drawn])
        written.append(as_output(outputs.report, report, on_paper(report, picture), "report"))
    texts = {} if outputs.fit is None else {outputs.fit: fit_to_json(opened.faces[0].fit).encode()}
    write_together(written, texts, quality=outputs.quality)
    return {
        "input": str(source.image),
        "input_sha256": opened.input_sha256,
        "output": str(outputs.picture),
        "sidecar": str(sidecar_path(outputs.picture)),
        "fit": None if outputs.fit is None else str(outputs.fit),
        "report": None if outputs.report is None else str(outputs.report),
        "version": synth_affect.__version__,
        "head": head,
        "request": request,
        **fits,
    }


def _open_verifier(source: FaceSource, choice: VerifierChoice) -> OutputVerifier:
    from synth_affect.pipelines.verify import OutputVerifier

    # A face that was given by a fit or landmarks may be a small one, too.
    return OutputVerifier(choice, source.landmark_model, small_faces=source.which_face != "largest")
