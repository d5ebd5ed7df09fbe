"""`synth-affect gallery from-registered`: a gallery from a database of registered meshes."""

from __future__ import annotations

import dataclasses
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from synth_affect.cli.options import JsonOption
from synth_affect.cli.progress import print_summary, with_progress


def add_commands(app: typer.Typer) -> None:
    """Register the command."""
    app.command("from-registered")(from_registered)


def from_registered(
    root: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where the database lies.", show_default=False)],
    database: Annotated[str, typer.Option(metavar="coma|d3dfacs", help="Which database.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The gallery: made, or appended to.")],
    as_json: JsonOption = False,
) -> None:
    """Make a gallery of meshes that are registered already, in their own topology and without valence and arousal."""
    from synth_affect.data.scan_databases import read_scans
    from synth_affect.pipelines.gallery.from_registered import gallery_from_registered

    made = gallery_from_registered(
        read_scans(database, root), out, progress=partial(with_progress, description="reading")
    )
    fields = dataclasses.asdict(made)
    print_summary({"output": str(fields.pop("gallery")), **fields}, as_json)
    if not as_json:
        typer.echo(f"{made.frames} frames of {made.sequences} recordings; {len(made.rejected)} meshes left out")
        for name, reason in made.rejected.items():
            typer.echo(f"left out: {name}: {reason}")
