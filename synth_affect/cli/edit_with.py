"""`synth-affect edit --editor NAME`: one picture, by any editor."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from synth_affect.cli.options import DeviceName, ImageOption, JsonOption, QualityOption, number
from synth_affect.cli.progress import print_summary
from synth_affect.errors import InputError

EditorOption = Annotated[
    str, typer.Option("--editor", metavar="NAME", help="3dmm, or a neural editor: a name of synth-affect train.")
]
WeightsOption = Annotated[
    Path | None, typer.Option("--weights", help="Of a neural editor: what synth-affect train wrote.")
]
EditorDeviceOption = Annotated[DeviceName, typer.Option("--device", help="Where a neural editor computes.")]


def add_commands(app: typer.Typer) -> None:
    """Register it."""
    app.command()(edit)


def edit(
    image: ImageOption = None,
    editor: EditorOption = "3dmm",
    weights: WeightsOption = None,
    valence: Annotated[
        float | None, typer.Option(parser=number, metavar="NUMBER", help="From -1, unpleasant, to 1, pleasant.")
    ] = None,
    arousal: Annotated[
        float | None, typer.Option(parser=number, metavar="NUMBER", help="From -1, drowsy, to 1, excited.")
    ] = None,
    category: Annotated[
        str | None, typer.Option(metavar="EMOTION", help="An emotion, for its place on the plane.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The picture to write [beside the input, named after all].")
    ] = None,
    device: EditorDeviceOption = DeviceName.AUTO,
    quality: QualityOption = 95,
    as_json: JsonOption = False,
) -> None:
    """The largest face of a photograph, by a neural editor (or the 3DMM way, with its defaults).

    synth-affect edit --editor caae --weights weights.safetensors --image face.jpg --valence 0.6 --arousal 0.3
    """
    if image is None:
        raise InputError("--image", "missing; synth-affect edit --help lists the options")
    from synth_affect.affect import parse_emotion
    from synth_affect.pipelines.edit_picture import make_target, signed
    from synth_affect.pipelines.edit_with_editor import EditorRequest, edit_with_editor
    from synth_affect.pipelines.open_editor import EditorChoice
    from synth_affect.pipelines.output_files import beside

    choice = EditorChoice(editor, weights, str(device))
    target = make_target(valence, arousal, None if category is None else parse_emotion(category))
    name = f"_{editor}_v{signed(target.point.valence)}_a{signed(target.point.arousal)}.png"
    request = EditorRequest(
        image, target.point, beside(image, name) if output is None else output, choice, target.emotion, quality
    )
    summary = edit_with_editor(request)
    if as_json:
        print_summary(summary, as_json)
    else:
        typer.echo(f"wrote {summary['output']}, by {summary['editor']} on {summary['device']}")
