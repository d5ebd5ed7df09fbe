"""Faces that move: a picture along a way through the plane, and a whole video."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synth_affect.cli.expression_options import action_units, expression_choice
from synth_affect.cli.options import (
    ActionUnitsOption,
    FaceOption,
    GridOption,
    HeadOption,
    ImageOption,
    InputExpressionChoice,
    InputExpressionOption,
    IntensityOption,
    JsonOption,
    LandmarkModelOption,
    LookupChoice,
    LookupOption,
    SampleOption,
    StatisticChoice,
    StatisticOption,
    WrinklesOption,
    count,
    number,
)
from synth_affect.cli.progress import print_summary, with_progress
from synth_affect.errors import InputError

if TYPE_CHECKING:
    from synth_affect.affect import ValenceArousal


def add_commands(app: typer.Typer) -> None:
    """Register this module's commands."""
    # So that a point below zero, -0.6,0.6, is no option.
    app.command(context_settings={"ignore_unknown_options": True})(path)
    app.command()(video)


def path(
    image: ImageOption = None,
    through: Annotated[
        str | None, typer.Option(metavar="V,A V,A...", help="The points in their order: --through 0,0 0.8,0.4 0,0")
    ] = None,
    points: Annotated[list[str] | None, typer.Argument(metavar="[V,A...]", help="The points after the first.")] = None,
    seconds: Annotated[float, typer.Option(parser=number, metavar="NUMBER", help="Of the whole way.")] = 3.0,
    fps: Annotated[float, typer.Option(parser=number, metavar="NUMBER", help="Frames a second.")] = 30.0,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A .mp4, a .gif, or a new folder for PNG with labels.csv.")
    ] = None,
    au: ActionUnitsOption = None,
    face: FaceOption = "largest",
    intensity: IntensityOption = 1.0,
    input_expression: InputExpressionOption = InputExpressionChoice.REPLACE,
    wrinkles: WrinklesOption = 1.0,
    grid: GridOption = "prototypes",
    lookup: LookupOption = LookupChoice.CONTINUOUS,
    statistic: StatisticOption = StatisticChoice.TYPICAL,
    sample: SampleOption = None,
    head: HeadOption = "cc0",
    landmark_model: LandmarkModelOption = None,
    as_json: JsonOption = False,
) -> None:
    """One face on its way through the plane, frame by frame.

    synth-affect path --image face.jpg --through 0,0 0.8,0.4 0,0 --output smile.mp4
    """
    if image is None:
        raise InputError("--image", "missing; synth-affect path --help lists the options")
    if output is None:
        raise InputError("--output", "missing; a .mp4, a .gif, or a new folder")
    from synth_affect.affect import ValenceArousal
    from synth_affect.pipelines.affect_path import PathTiming, draw_path
    from synth_affect.pipelines.edit_picture import Target
    from synth_affect.pipelines.open_head import prepare_head
    from synth_affect.pipelines.picture_faces import FaceSource, parse_face_choice

    way = [_point(text) for text in ([] if through is None else [through]) + (points or [])]
    timing = PathTiming(seconds, fps)
    settings = Target(
        ValenceArousal(0, 0),
        intensity=intensity,
        input_expression=input_expression.value,
        wrinkles=wrinkles,
        action_units=action_units(au),
    )
    expressions = expression_choice(grid, lookup, statistic, sample)
    source = FaceSource(
        image, parse_face_choice(face), landmark_model=landmark_model, head=head, expressions=expressions
    )
    prepare_head(head, partial(with_progress, description="reading the head"))
    print_summary(draw_path(source, way, timing, output, settings, with_progress), as_json)


def _point(text: str) -> ValenceArousal:
    """Of `0.8,0.4`."""
    from synth_affect.affect import ValenceArousal

    parts = text.split(",")
    try:
        valence, arousal = (float(part) for part in parts)
    except ValueError:
        raise InputError("--through", f"{text!r} is not a point such as 0.8,0.4") from None
    return ValenceArousal(valence, arousal)


def video(
    input_: Annotated[Path | None, typer.Option("--input", "-i", help="The video.")] = None,
    valence: Annotated[
        float | None, typer.Option(parser=number, metavar="NUMBER", help="From -1, unpleasant, to 1, pleasant.")
    ] = None,
    arousal: Annotated[
        float | None, typer.Option(parser=number, metavar="NUMBER", help="From -1, drowsy, to 1, excited.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The .mp4 to write.")] = None,
    category: Annotated[
        str | None,
        typer.Option(
            metavar="EMOTION",
            help="An emotion. Beside valence and arousal it picks the family; alone it gives them too.",
        ),
    ] = None,
    au: ActionUnitsOption = None,
    intensity: IntensityOption = 1.0,
    input_expression: InputExpressionOption = InputExpressionChoice.KEEP,
    wrinkles: WrinklesOption = 1.0,
    grid: GridOption = "prototypes",
    lookup: LookupOption = LookupChoice.CONTINUOUS,
    statistic: StatisticOption = StatisticChoice.TYPICAL,
    sample: SampleOption = None,
    head: HeadOption = "cc0",
    landmark_model: LandmarkModelOption = None,
    workers: Annotated[int | None, typer.Option(parser=count, metavar="COUNT", help="Processes [one a core].")] = None,
    as_json: JsonOption = False,
) -> None:
    """The person who is longest in a video feels something else, and goes on talking; the sound stays.

    synth-affect video --input talk.mp4 --valence 0.7 --arousal 0.3 --output pleased.mp4
    """
    if input_ is None:
        raise InputError("--input", "missing; the video")
    if output is None:
        raise InputError("--output", "missing; the .mp4 to write")
    from synth_affect.affect import parse_emotion
    from synth_affect.pipelines.edit_picture import make_target
    from synth_affect.pipelines.edit_video import VideoSettings, edit_video
    from synth_affect.pipelines.open_head import prepare_head
    from synth_affect.pipelines.workers import LocalEngine, default_workers

    target = make_target(
        valence,
        arousal,
        None if category is None else parse_emotion(category),
        intensity=intensity,
        input_expression=input_expression.value,
        wrinkles=wrinkles,
        action_units=action_units(au),
    )
    expressions = expression_choice(grid, lookup, statistic, sample)
    engine = LocalEngine(default_workers() if workers is None else workers)
    prepare_head(head, partial(with_progress, description="reading the head"))
    settings = VideoSettings(head, expressions, landmark_model)
    print_summary(edit_video(input_, target, output, settings, engine, with_progress), as_json)
