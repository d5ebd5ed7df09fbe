"""`synth-affect validate ...`: does a gallery's geometry belong to its affect?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from synth_affect.cli.options import JsonOption, count
from synth_affect.cli.progress import with_progress
from synth_affect.errors import InputError

validate_app = typer.Typer(help="Whether the geometry and the affect of a gallery belong together.")


@validate_app.callback()
def _family() -> None:
    """Analyses of a gallery."""


def add_commands(app: typer.Typer) -> None:
    """Register the family."""
    validate_app.command()(cca)
    app.add_typer(validate_app, name="validate")


def cca(
    more: Annotated[
        list[str] | None, typer.Argument(metavar="[COUNT]...", help="Further counts, behind --components.")
    ] = None,
    gallery: Annotated[Path | None, typer.Option(help="The gallery, a folder.", show_default=False)] = None,
    components: Annotated[
        str | None,
        typer.Option(metavar="COUNT...", help="Counts of principal components [default: 84 150 200 300 500]."),
    ] = None,
    folds: Annotated[int, typer.Option(parser=count, metavar="COUNT", help="Subject splits.")] = 5,
    every: Annotated[
        int, typer.Option(parser=count, metavar="COUNT", help="Of so many frames of a sequence, take one.")
    ] = 12,
    seed: Annotated[int, typer.Option(parser=count, metavar="COUNT", help="Of the splits.")] = 0,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="A folder for cca.csv, cca.json and cca.png; made if missing.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """PCA of posed faces, canonical correlation with valence and arousal, regression, tested on other people.

    synth-affect validate cca --gallery G --components 84 150 200 300 500
    """
    if gallery is None:
        raise InputError("--gallery", "missing; synth-affect validate cca --help lists the options")
    if more and components is None:
        raise InputError(more[0], "not an option; counts go behind --components")
    from synth_affect.pipelines.gallery.validate import DEFAULT_COMPONENTS, cca_text, validate_cca

    counts = DEFAULT_COMPONENTS if components is None else [_count(text) for text in (components, *(more or ()))]
    if folds < 2:
        raise InputError("--folds", f"{folds} is not 2 or more")
    found = validate_cca(
        gallery,
        counts,
        folds=folds,
        every=every,
        seed=seed,
        out=out,
        progress=lambda items, n: with_progress(items, n, "validating"),
    )
    typer.echo(json.dumps(found, indent=2) if as_json else cca_text(found))


def _count(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InputError("--components", f"{text!r} is not a whole number") from None
