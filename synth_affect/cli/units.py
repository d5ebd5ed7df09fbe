"""`synth-affect units`: which single units of a face can be asked for, and what they look like."""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from synth_affect.cli.options import FaceOption, HeadOption, ImageOption, JsonOption, QualityOption, number
from synth_affect.cli.progress import print_summary, with_progress
from synth_affect.errors import InputError


def add_commands(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(units)


def units(
    image: ImageOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The sheet to write [beside the image, named _units].")
    ] = None,
    strength: Annotated[
        float, typer.Option("--strength", parser=number, metavar="NUMBER", help="Of the units on the sheet, 0 to 1.")
    ] = 0.8,
    face: FaceOption = "largest",
    head: HeadOption = "cc0",
    quality: QualityOption = 95,
    as_json: JsonOption = False,
) -> None:
    """The units that --au takes, with their meaning; with --image, a sheet of each alone on that face.

    synth-affect units --image face.jpg -o units.png
    """
    from synth_affect.pipelines.open_head import open_head, prepare_head

    if image is None and output is not None:
        raise InputError("--output", "a sheet needs a face; give --image too")
    prepare_head(head, partial(with_progress, description="reading the head"))
    if image is None:
        from synth_affect.pipelines.unit_sheet import table_text, unit_table

        opened = open_head(head)
        rows = unit_table(opened.name, opened.unit_names)
        typer.echo(json.dumps([asdict(row) for row in rows], indent=2) if as_json else table_text(rows))
        return
    from synth_affect.pipelines.contact_sheet import write_contact_sheet
    from synth_affect.pipelines.output_files import beside
    from synth_affect.pipelines.picture_faces import FaceSource, parse_face_choice
    from synth_affect.pipelines.unit_sheet import units_layout

    layout = units_layout(strength)
    source = FaceSource(image, parse_face_choice(face), head=head)
    sheet = beside(image, "_units.png") if output is None else output
    print_summary(write_contact_sheet(source, layout, sheet, quality=quality, progress=with_progress), as_json)
