"""`synth-affect gallery from-images`: a gallery from labelled pictures."""

from __future__ import annotations

import dataclasses
import os
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from synth_affect.cli.options import JsonOption, count
from synth_affect.cli.progress import print_summary, with_progress


def add_commands(app: typer.Typer) -> None:
    """Register the command."""
    app.command("from-images")(from_images)


def from_images(
    pictures: Annotated[Path, typer.Argument(metavar="CSV", help="path,valence,arousal[,subject,category]")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The gallery to make.")],
    root: Annotated[Path | None, typer.Option(help="Where the paths start [the folder of the CSV file].")] = None,
    workers: Annotated[int | None, typer.Option(parser=count, metavar="COUNT", help="Processes [one a core].")] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a gallery of the expressions in pictures that have valence and arousal.

    A run that was stopped goes on from where it was. Beside the gallery, GALLERY.pictures.jsonl says of each picture
    what became of it.
    """
    from synth_affect.data.labelled_pictures import read_picture_table
    from synth_affect.pipelines.gallery_from_images import gallery_from_images

    made = gallery_from_images(
        read_picture_table(pictures, root),
        out,
        workers=os.cpu_count() or 1 if workers is None else workers,
        progress=partial(with_progress, description="fitting"),
    )
    summary = {"output": str(made.gallery), **dataclasses.asdict(made), "report": str(made.report)}
    del summary["gallery"]
    print_summary(summary, as_json)
    if not as_json:
        typer.echo(f"{made.accepted} of {made.pictures} pictures; {made.report} says what became of each")
