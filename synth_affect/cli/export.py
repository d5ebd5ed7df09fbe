"""`synth-affect export`: a face as a textured mesh."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from synth_affect.cli.expression_options import action_units
from synth_affect.cli.options import (
    ActionUnitsOption,
    DetectorOption,
    FaceOption,
    FitInOption,
    HeadOption,
    ImageOption,
    IntensityOption,
    JsonOption,
    LandmarkModelOption,
    LandmarksOption,
    MinQualityOption,
    count,
    number,
)
from synth_affect.cli.progress import print_summary, with_progress
from synth_affect.errors import InputError


def add_commands(app: typer.Typer) -> None:
    """Register the command."""
    app.command("export")(export)


def export(
    image: ImageOption = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The mesh: .obj, .ply or .glb.")] = None,
    valence: Annotated[
        float | None, typer.Option(parser=number, metavar="NUMBER", help="From -1 to 1 [as it is].")
    ] = None,
    arousal: Annotated[
        float | None, typer.Option(parser=number, metavar="NUMBER", help="From -1 to 1 [as it is].")
    ] = None,
    category: Annotated[str | None, typer.Option(metavar="EMOTION", help="As in the main command.")] = None,
    au: ActionUnitsOption = None,
    intensity: IntensityOption = 1.0,
    texture_size: Annotated[
        int, typer.Option("--texture-size", parser=count, metavar="PX", help="Side of the texture, 256 to 8192.")
    ] = 2048,
    face: FaceOption = "largest",
    fit_in: FitInOption = None,
    landmarks: LandmarksOption = None,
    landmark_model: LandmarkModelOption = None,
    detector: DetectorOption = "mediapipe",
    min_quality: MinQualityOption = 0.0,
    head: HeadOption = "cc0",
    as_json: JsonOption = False,
) -> None:
    """The fitted head as a mesh with the photograph for its texture; where it shows nothing, from the other side.

    synth-affect export --image face.jpg --valence 0.8 --arousal 0.5 -o face.glb
    """
    if image is None:
        raise InputError("--image", "missing; synth-affect export --help lists the options")
    if output is None:
        raise InputError("--output", "missing; a mesh is written as .obj, .ply or .glb")
    from synth_affect.affect import parse_emotion
    from synth_affect.pipelines.edit_picture import make_target
    from synth_affect.pipelines.export_mesh import MeshOutput, export_mesh
    from synth_affect.pipelines.open_head import prepare_head
    from synth_affect.pipelines.picture_faces import FaceSource, parse_face_choice

    target = None
    local = action_units(au)
    if local or (valence, arousal, category) != (None, None, None):
        emotion = None if category is None else parse_emotion(category)
        target = make_target(valence, arousal, emotion, intensity=intensity, action_units=local)
    source = FaceSource(
        image=image,
        face=parse_face_choice(face),
        fit_in=fit_in,
        landmark_model=landmark_model,
        landmarks=landmarks,
        head=head,
        detector=detector,
        min_quality=min_quality,
    )
    wanted = MeshOutput(output, texture_size)
    prepare_head(head, partial(with_progress, description="reading the head"))
    print_summary(export_mesh(source, target, wanted), as_json)
