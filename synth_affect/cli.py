"""The command `synth-affect`: parses, calls, prints.

Everything that takes time to import is imported in the command that needs it.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

import synth_affect
from synth_affect.errors import InputError, SynthAffectError

if TYPE_CHECKING:
    from synth_affect.pipelines.contact_sheet import Layout
    from synth_affect.pipelines.picture_faces import FaceSource

NAME = "synth-affect"
BAD_INPUT, UNHEALTHY, UNHEARD, INTERRUPTED = 2, 1, 1, 130
"""Exit codes; all went well is 0."""

T = TypeVar("T")

app = typer.Typer(
    name=NAME,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class _InputExpression(StrEnum):
    REPLACE = "replace"
    KEEP = "keep"


def _number(text: str) -> float:
    # Typer's own readers of numbers word their errors differently from version to version, and at length.
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a number") from None


def _count(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a whole number") from None


ImageOption = Annotated[Path | None, typer.Option("--image", help="The photograph.")]
FaceOption = Annotated[
    str, typer.Option("--face", metavar="largest|all|INDEX", help="Which face; INDEX counts from the largest, 0.")
]
IntensityOption = Annotated[
    float, typer.Option("--intensity", parser=_number, metavar="NUMBER", help="Factor on the expression, 0 to 10.")
]
InputExpressionOption = Annotated[
    _InputExpression,
    typer.Option("--input-expression", help="Replace the expression that the face has, or keep it and add to it."),
]
WrinklesOption = Annotated[
    float, typer.Option("--wrinkles", parser=_number, metavar="NUMBER", help="Strength of the skin's folds, 0 to 1.")
]
QualityOption = Annotated[
    int, typer.Option("--quality", parser=_count, metavar="COUNT", help="Of JPEG, WebP and AVIF, 1 to 100.")
]
FitInOption = Annotated[Path | None, typer.Option("--fit-in", help="Use this fit; nothing is detected.")]
LandmarkModelOption = Annotated[
    Path | None, typer.Option("--landmark-model", help="MediaPipe's face_landmarker.task, where not the one found.")
]
LandmarksOption = Annotated[
    Path | None, typer.Option("--landmarks", help="68 points (.pts, .ljson) of the face; nothing is detected.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print a summary as JSON.")]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with `argv` (sys.argv's where None); returns the exit code.

    What is said on stdout is collected and said at the end. A reader who has left by then (`| true`) changes nothing:
    the files are written, and the code is that of the run. A stdout that cannot be written (`> /dev/full`) is told in
    one line on stderr, and 1 where all else went well.
    """
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = _run(argv)
    heard = _say(said.getvalue())
    return code if heard or code else UNHEARD


def _run(argv: Sequence[str] | None) -> int:
    try:
        code = app(args=argv, prog_name=NAME, standalone_mode=False)
    except SynthAffectError as error:
        return _complain(str(error))
    except typer.TyperException as error:
        return _complain(_usage_message(error))
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    return code if isinstance(code, int) else 0


def _say(text: str) -> bool:
    """Whether `text` went out on stdout, or nobody wanted it."""
    if not text:
        return True
    try:
        typer.echo(text, nl=False)
    except OSError as error:
        # The interpreter would try once more when it exits, and complain.
        with contextlib.suppress(OSError, ValueError), open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return True
        _complain(f"stdout: cannot be written ({error.strerror or error})")
        return False
    return True


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"{NAME} {synth_affect.__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def edit(
    context: typer.Context,
    image: ImageOption = None,
    valence: Annotated[
        float | None, typer.Option(parser=_number, metavar="NUMBER", help="From -1, unpleasant, to 1, pleasant.")
    ] = None,
    arousal: Annotated[
        float | None, typer.Option(parser=_number, metavar="NUMBER", help="From -1, drowsy, to 1, excited.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The picture to write [beside the input, named by the target]."),
    ] = None,
    category: Annotated[
        str | None,
        typer.Option(help="An emotion. Beside valence and arousal it picks the family; alone it gives them too."),
    ] = None,
    face: FaceOption = "largest",
    intensity: IntensityOption = 1.0,
    input_expression: InputExpressionOption = _InputExpression.REPLACE,
    wrinkles: WrinklesOption = 1.0,
    fit_in: FitInOption = None,
    fit_out: Annotated[Path | None, typer.Option(help="Write the fit (JSON), for --fit-in.")] = None,
    report: Annotated[
        Path | None, typer.Option(help="Write input, mesh, motion, difference and output side by side.")
    ] = None,
    landmarks: LandmarksOption = None,
    landmark_model: LandmarkModelOption = None,
    quality: QualityOption = 95,
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
        raise InputError("--image", f"missing; {NAME} --help lists the options")
    from synth_affect.affect import parse_emotion
    from synth_affect.pipelines.edit_picture import EditOutputs, default_output, edit_picture, make_target

    target = make_target(
        valence,
        arousal,
        None if category is None else parse_emotion(category),
        intensity=intensity,
        input_expression=input_expression.value,
        wrinkles=wrinkles,
    )
    source = _source(image, face, fit_in, landmark_model, landmarks)
    outputs = EditOutputs(default_output(image, target) if output is None else output, fit_out, report, quality)
    _print_summary(edit_picture(source, target, outputs), as_json)


@app.command()
def grid(
    image: ImageOption = None,
    steps: Annotated[
        int | None,
        typer.Option(parser=_count, metavar="COUNT", help="Pictures along each axis, 2 to 50 [default: 5]."),
    ] = None,
    ring: Annotated[bool, typer.Option("--ring", help="28 directions x radii .25, .5, .75, 1 instead.")] = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The sheet to write [beside the input, named after the layout]."),
    ] = None,
    face: FaceOption = "largest",
    intensity: IntensityOption = 1.0,
    input_expression: InputExpressionOption = _InputExpression.REPLACE,
    wrinkles: WrinklesOption = 1.0,
    fit_in: FitInOption = None,
    landmarks: LandmarksOption = None,
    landmark_model: LandmarkModelOption = None,
    quality: QualityOption = 95,
    as_json: JsonOption = False,
) -> None:
    """A contact sheet: one face all over the valence-arousal plane."""
    if image is None:
        raise InputError("--image", f"missing; {NAME} grid --help lists the options")
    if ring and steps is not None:
        raise InputError("--steps", "a ring has its own directions and radii; give one of the two")
    from synth_affect.pipelines.contact_sheet import grid_layout, ring_layout
    from synth_affect.pipelines.output_files import beside

    layout = ring_layout() if ring else grid_layout(5 if steps is None else steps)
    _write_sheet(
        _source(image, face, fit_in, landmark_model, landmarks),
        layout,
        beside(image, "_ring.png" if ring else "_grid.png") if output is None else output,
        as_json,
        intensity=intensity,
        input_expression=input_expression.value,
        wrinkles=wrinkles,
        quality=quality,
    )


@app.command()
def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="The sheet to write.")] = Path("demo.png"),
    as_json: JsonOption = False,
) -> None:
    """Eight feelings on a portrait of the astronaut Eileen Collins (NASA, public domain), which scikit-image brings."""
    from synth_affect.pipelines.contact_sheet import compass_layout
    from synth_affect.pipelines.demo_picture import find_demo_picture
    from synth_affect.pipelines.picture_faces import FaceSource

    _write_sheet(FaceSource(find_demo_picture()), compass_layout(), output, as_json)


@app.command()
def doctor() -> None:
    """Look whether the installation is whole; exit code 1 when it is not."""
    from synth_affect.pipelines.doctor import examine

    healthy = True
    for finding in examine():
        typer.echo(f"{'ok ' if finding.good else 'BAD'} {finding.subject}: {finding.text}")
        healthy = healthy and finding.good
    if not healthy:
        raise typer.Exit(UNHEALTHY)


def _source(
    image: Path, face: str, fit_in: Path | None, landmark_model: Path | None, landmarks: Path | None
) -> FaceSource:
    from synth_affect.pipelines.picture_faces import FaceSource, parse_face_choice

    return FaceSource(image, parse_face_choice(face), fit_in, landmark_model, landmarks)


def _write_sheet(source: FaceSource, layout: Layout, output: Path, as_json: bool, **settings: Any) -> None:
    from synth_affect.pipelines.contact_sheet import write_contact_sheet

    _print_summary(write_contact_sheet(source, layout, output, progress=_with_progress, **settings), as_json)


def _with_progress(items: Iterable[T], count: int) -> Iterator[T]:
    """The items; meanwhile a bar on stderr where that is a terminal."""
    if not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        yield from progress.track(items, total=count, description="drawing")


def _print_summary(summary: dict[str, Any], as_json: bool) -> None:
    typer.echo(json.dumps(summary, indent=2) if as_json else f"wrote {summary['output']}")


def _refuse_options_before(context: typer.Context) -> None:
    """`synth-affect --image face.jpg grid` would lose its picture in silence."""
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if source is not None and source.name == "COMMANDLINE":
            raise InputError(max(parameter.opts, key=len), f"goes behind {context.invoked_subcommand}")


def _usage_message(error: typer.TyperException) -> str:
    """What the parser found, in the form of our own errors: the option, then the reason."""
    parameter = getattr(error, "param", None)
    if parameter is None:
        return error.format_message()
    return f"{max(parameter.opts, key=len)}: {error.message or 'missing'}"


def _complain(message: str) -> int:
    typer.echo(f"{NAME}: {' '.join(message.split())}", err=True)
    return BAD_INPUT
