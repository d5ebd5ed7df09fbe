"""The main job and its company: one picture edited, contact sheets, the demo."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import synth_affect
from synth_affect.cli.expression_options import action_units, expression_choice
from synth_affect.cli.options import (
    ActionUnitsOption,
    DetectorOption,
    DeviceName,
    DeviceOption,
    FaceOption,
    FitInOption,
    GridOption,
    HeadOption,
    ImageOption,
    InputExpressionChoice,
    InputExpressionOption,
    IntensityOption,
    JsonOption,
    LandmarkModelOption,
    LandmarksOption,
    LookupChoice,
    LookupOption,
    MinQualityOption,
    QualityOption,
    RefineOption,
    SampleOption,
    StatisticChoice,
    StatisticOption,
    WrinklesOption,
    count,
    number,
)
from synth_affect.cli.progress import print_summary, with_progress
from synth_affect.cli.verify_options import IdentityOption, JudgeOption, verifier_choice
from synth_affect.errors import InputError

if TYPE_CHECKING:
    from synth_affect.fitting.photometric.device import DeviceChoice
    from synth_affect.pipelines.contact_sheet import Layout
    from synth_affect.pipelines.open_expressions import ExpressionChoice
    from synth_affect.pipelines.picture_faces import FaceSource


def add_commands(app: typer.Typer) -> None:
    """Register this module's commands; `edit` is what runs without one."""
    app.callback(invoke_without_command=True)(edit)
    for command in (grid, demo):
        app.command()(command)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"synth-affect {synth_affect.__version__}")
        raise typer.Exit


def edit(
    context: typer.Context,
    image: ImageOption = None,
    valence: Annotated[
        float | None, typer.Option(parser=number, metavar="NUMBER", help="From -1, unpleasant, to 1, pleasant.")
    ] = None,
    arousal: Annotated[
        float | None, typer.Option(parser=number, metavar="NUMBER", help="From -1, drowsy, to 1, excited.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The picture to write [beside the input, named by the target]."),
    ] = None,
    category: Annotated[
        str | None,
        typer.Option(
            metavar="EMOTION",
            help="An emotion. Beside valence and arousal it picks the family; alone it gives them too.",
        ),
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
    fit_in: FitInOption = None,
    fit_out: Annotated[Path | None, typer.Option(help="Write the fit (JSON), for --fit-in.")] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write input, mesh, motion, difference and output side by side.")
    ] = None,
    landmarks: LandmarksOption = None,
    landmark_model: LandmarkModelOption = None,
    detector: DetectorOption = "mediapipe",
    min_quality: MinQualityOption = 0.0,
    refine: RefineOption = False,
    device: DeviceOption = None,
    head: HeadOption = "cc0",
    quality: QualityOption = 95,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read the output again, and say in its sidecar what it shows.")
    ] = False,
    judge: JudgeOption = None,
    identity: IdentityOption = None,
    as_json: JsonOption = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """The same person, in the same picture, feeling something else.

    synth-affect --image face.jpg --valence 0.6 --arousal 0.3
    """
    if context.invoked_subcommand is not None:
        _refuse_options_before(context)
        return
    if image is None:
        raise InputError("--image", "missing; synth-affect --help lists the options")
    from synth_affect.affect import parse_emotion
    from synth_affect.pipelines.edit_picture import EditOutputs, default_output, edit_picture, make_target

    target = make_target(
        valence,
        arousal,
        None if category is None else parse_emotion(category),
        intensity=intensity,
        input_expression=input_expression.value,
        wrinkles=wrinkles,
        action_units=action_units(au),
    )
    verifier = verifier_choice(verify, judge, identity)
    expressions = expression_choice(grid, lookup, statistic, sample)
    source = _source(
        image,
        face,
        fit_in,
        landmark_model,
        landmarks,
        head,
        expressions,
        detector,
        min_quality,
        _refine_on(refine, device),
    )
    outputs = EditOutputs(default_output(image, target) if output is None else output, fit_out, report, quality)
    print_summary(edit_picture(source, target, outputs, verifier), as_json)


def grid(
    image: ImageOption = None,
    steps: Annotated[
        int | None,
        typer.Option(parser=count, metavar="COUNT", help="Pictures along each axis, 2 to 50 [default: 5]."),
    ] = None,
    ring: Annotated[bool, typer.Option("--ring", help="28 directions x radii .25, .5, .75, 1 instead.")] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The sheet to write [beside the input, named after the layout]."),
    ] = None,
    au: ActionUnitsOption = None,
    face: FaceOption = "largest",
    intensity: IntensityOption = 1.0,
    input_expression: InputExpressionOption = InputExpressionChoice.REPLACE,
    wrinkles: WrinklesOption = 1.0,
    grid_choice: GridOption = "prototypes",
    lookup: LookupOption = LookupChoice.CONTINUOUS,
    statistic: StatisticOption = StatisticChoice.TYPICAL,
    sample: SampleOption = None,
    fit_in: FitInOption = None,
    landmarks: LandmarksOption = None,
    landmark_model: LandmarkModelOption = None,
    detector: DetectorOption = "mediapipe",
    min_quality: MinQualityOption = 0.0,
    refine: RefineOption = False,
    device: DeviceOption = None,
    head: HeadOption = "cc0",
    quality: QualityOption = 95,
    as_json: JsonOption = False,
) -> None:
    """A contact sheet: one face all over the valence-arousal plane."""
    if image is None:
        raise InputError("--image", "missing; synth-affect grid --help lists the options")
    if ring and steps is not None:
        raise InputError("--steps", "a ring has its own directions and radii; give one of the two")
    from synth_affect.pipelines.contact_sheet import grid_layout, ring_layout
    from synth_affect.pipelines.output_files import beside

    layout = ring_layout() if ring else grid_layout(5 if steps is None else steps)
    _write_sheet(
        _source(
            image,
            face,
            fit_in,
            landmark_model,
            landmarks,
            head,
            expression_choice(grid_choice, lookup, statistic, sample),
            detector,
            min_quality,
            _refine_on(refine, device),
        ),
        layout,
        beside(image, "_ring.png" if ring else "_grid.png") if output is None else output,
        as_json,
        intensity=intensity,
        input_expression=input_expression.value,
        wrinkles=wrinkles,
        action_units=action_units(au),
        quality=quality,
    )


def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="The sheet to write.")] = Path("demo.png"),
    units: Annotated[bool, typer.Option("--units", help="Each action unit alone, in place of the feelings.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Eight feelings on a portrait of the astronaut Eileen Collins (NASA, public domain), which scikit-image brings."""
    from synth_affect.pipelines.contact_sheet import compass_layout
    from synth_affect.pipelines.demo_picture import find_demo_picture
    from synth_affect.pipelines.picture_faces import FaceSource
    from synth_affect.pipelines.unit_sheet import DEFAULT_STRENGTH, units_layout

    layout = units_layout(DEFAULT_STRENGTH) if units else compass_layout()
    _write_sheet(FaceSource(find_demo_picture()), layout, output, as_json)


def _source(
    image: Path,
    face: str,
    fit_in: Path | None,
    landmark_model: Path | None,
    landmarks: Path | None,
    head: str,
    expressions: ExpressionChoice,
    detector: str,
    min_quality: float,
    refine_on: DeviceChoice | None,
) -> FaceSource:
    from synth_affect.pipelines.open_head import prepare_head
    from synth_affect.pipelines.picture_faces import FaceSource, parse_face_choice

    source = FaceSource(
        image=image,
        face=parse_face_choice(face),
        fit_in=fit_in,
        landmark_model=landmark_model,
        landmarks=landmarks,
        head=head,
        expressions=expressions,
        detector=detector,
        min_quality=min_quality,
        refine_on=refine_on,
    )
    prepare_head(head, partial(with_progress, description="reading the head"))
    return source


def _refine_on(refine: bool, device: DeviceName | None) -> DeviceChoice | None:
    if device is not None and not refine:
        raise InputError("--device", "says where --refine runs; give that too")
    if not refine:
        return None
    return DeviceName.AUTO.value if device is None else device.value


def _write_sheet(source: FaceSource, layout: Layout, output: Path, as_json: bool, **settings: Any) -> None:
    from synth_affect.pipelines.contact_sheet import write_contact_sheet

    print_summary(write_contact_sheet(source, layout, output, progress=with_progress, **settings), as_json)


def _refuse_options_before(context: typer.Context) -> None:
    """`synth-affect --image face.jpg grid` would lose its picture in silence."""
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if source is not None and source.name == "COMMANDLINE":
            raise InputError(max(parameter.opts, key=len), f"goes behind {context.invoked_subcommand}")
