"""`synth-affect databases ...`: which databases of pictures can be read, and what a copy of one holds."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synth_affect.cli.database_settings import DatabaseSettingOption, database_settings
from synth_affect.cli.options import JsonOption
from synth_affect.cli.progress import with_progress

if TYPE_CHECKING:
    from synth_affect.data.faces.record import FaceItem

databases_app = typer.Typer(help="Databases of pictures and videos: which can be read, and what a copy holds.")


def add_commands(app: typer.Typer) -> None:
    """Register the family."""
    databases_app.command("list")(list_)
    databases_app.command()(check)
    app.add_typer(databases_app, name="databases")


def list_(as_json: JsonOption = False) -> None:
    """The names for --database, and what of each can be set."""
    from synth_affect.data.faces.registry import FACE_DATABASES
    from synth_affect.pipelines.database_info import names_text

    if not as_json:
        typer.echo(names_text())
        return
    listed = {
        name: {
            "title": kind.title,
            "obtain": kind.obtain,
            "settings": {setting: about.help for setting, about in kind.settings.items()},
        }
        for name, kind in FACE_DATABASES.items()
    }
    typer.echo(json.dumps(listed, indent=2))


def check(
    root: Annotated[Path, typer.Argument(metavar="DATABASE", help="The folder (or CSV file) of the database.")],
    database: Annotated[
        str, typer.Option(metavar="NAME", help="What DATABASE is: a name of synth-affect databases list.")
    ] = "folder",
    database_setting: DatabaseSettingOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read all labels of a copy, open no picture, and say what is there and what was turned down."""
    from synth_affect.data.faces.registry import open_face_database
    from synth_affect.pipelines.database_info import describe_database, info_text

    faces = open_face_database(database, root, database_settings(database_setting))
    info = describe_database(faces, _reading)
    if as_json:
        described = {"database": faces.name, "root": str(faces.root), "notes": faces.notes}
        typer.echo(json.dumps({**described, **dataclasses.asdict(info)}, indent=2))
    else:
        typer.echo(info_text(faces, info))


def _reading(items: Iterable[FaceItem]) -> Iterator[FaceItem]:
    return with_progress(items, None, "reading labels")
