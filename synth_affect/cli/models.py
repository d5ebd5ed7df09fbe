"""`synth-affect models ...`: head models listed, fetched, described, drawn."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from synth_affect.cli.options import JsonOption
from synth_affect.cli.progress import print_summary, with_progress
from synth_affect.errors import InputError

models_app = typer.Typer(help="Head models: which there are, under which terms, and what they hold.")

NameArgument = Annotated[
    str, typer.Argument(metavar="NAME|PATH", help="A name of the list, or a model's file.", show_default=False)
]


def add_commands(app: typer.Typer) -> None:
    """Register the family."""
    models_app.command("list")(list_)
    for command in (get, info, render):
        models_app.command()(command)
    app.add_typer(models_app, name="models")


def list_(as_json: JsonOption = False) -> None:
    """Which head models can be used, under which terms, and which are here."""
    from synth_affect.pipelines.models import list_models, list_text

    found = list_models()
    typer.echo(json.dumps(found, indent=2) if as_json else list_text(found))


def get(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name of the list.", show_default=False)],
    yes: Annotated[bool, typer.Option("--yes", help="The licence is accepted; do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Download a model, after its licence was shown, and convert it; what had arrived is not fetched again."""
    from synth_affect.pipelines.models import find_entry, get_model

    entry = find_entry(name)
    typer.echo(f"{entry.name}: {entry.title}\nlicence: {entry.licence}, see {entry.page}", err=True)
    if not yes:
        if not sys.stdin.isatty():
            raise InputError(name, "its licence is not accepted; add --yes")
        typer.confirm("Accept it, and download?", abort=True, err=True)
    summary = get_model(
        name,
        fetching=lambda items, n: with_progress(items, n, "downloading"),
        converting=_reading,
    )
    print_summary(summary, as_json)


def info(name: NameArgument, as_json: JsonOption = False) -> None:
    """What a model holds: vertices, identities, units, regions, licence."""
    from synth_affect.pipelines.models import describe_head, head_text

    found = describe_head(name, _reading)
    typer.echo(json.dumps(found, indent=2) if as_json else head_text(found))


def render(
    name: NameArgument,
    out: Annotated[Path, typer.Option("--out", "-o", help="The sheet to write (.png).")],
    as_json: JsonOption = False,
) -> None:
    """Draw a model: the mean from three sides, the first identities at +-3 deviations, some expressions."""
    from synth_affect.pipelines.head_sheet import write_head_sheet

    print_summary(write_head_sheet(name, out, _reading), as_json)


def _reading(items: Iterable[Any], n: int) -> Iterable[Any]:
    return with_progress(items, n, "reading the head")
