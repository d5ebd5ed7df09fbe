"""`synth-affect gallery from-images`: a gallery from labelled pictures."""

from __future__ import annotations

import dataclasses
import os
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from synth_affect.cli.database_settings import DatabaseSettingOption, database_settings
from synth_affect.cli.options import JsonOption, count
from synth_affect.cli.progress import print_summary, with_progress

SHOWN_REJECTS = 5


def add_commands(app: typer.Typer) -> None:
    """Register the command."""
    app.command("from-images")(from_images)


def from_images(
    pictures: Annotated[
        Path,
        typer.Argument(metavar="PICTURES", help="A CSV file (path,valence,arousal[,subject,category]) or a database."),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The gallery to make.")],
    database: Annotated[
        str, typer.Option(metavar="NAME", help="What PICTURES is: a name of synth-affect databases list.")
    ] = "csv",
    database_setting: DatabaseSettingOption = None,
    workers: Annotated[int | None, typer.Option(parser=count, metavar="COUNT", help="Processes [one a core].")] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a gallery of the expressions in pictures that have valence and arousal.

    A run that was stopped goes on from where it was. Beside the gallery, GALLERY.pictures.jsonl says of each picture
    what became of it.
    """
    from synth_affect.data.faces.record import FaceRecord
    from synth_affect.data.faces.registry import open_face_database
    from synth_affect.pipelines.gallery.from_images import gallery_from_images

    faces = open_face_database(database, pictures, database_settings(database_setting))
    for note in faces.notes:
        typer.echo(f"note: {note}", err=True)
    records, n_rejected = [], 0
    for item in faces.records():
        if isinstance(item, FaceRecord):
            records.append(dataclasses.replace(item, landmarks=None))  # they are found anew, and many take much room
            continue
        n_rejected += item.count
        if n_rejected <= SHOWN_REJECTS:
            typer.echo(f"left out: {item.path}: {item.reason}", err=True)
    made = gallery_from_images(
        records,
        out,
        workers=os.cpu_count() or 1 if workers is None else workers,
        progress=partial(with_progress, description="fitting"),
    )
    summary = {"output": str(made.gallery), **dataclasses.asdict(made), "report": str(made.report)}
    summary["left_out"] = n_rejected
    del summary["gallery"]
    print_summary(summary, as_json)
    if not as_json:
        typer.echo(f"{made.accepted} of {made.pictures} pictures; {made.report} says what became of each")
        if n_rejected:
            typer.echo(f"{n_rejected} more could not be read from {pictures}")
