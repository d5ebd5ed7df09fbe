"""`synth-affect grid-model ...`: valence-arousal grids, built from galleries, described, drawn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from synth_affect.cli.options import HeadOption, JsonOption, StatisticChoice, StatisticOption, count
from synth_affect.cli.progress import print_summary, with_progress

grid_app = typer.Typer(help="Grids of expressions over the plane, for --grid.")

GridArgument = Annotated[
    str, typer.Argument(metavar="GRID", help="The grid's file, or default for the packaged one.", show_default=False)
]


def add_commands(app: typer.Typer) -> None:
    """Register the family."""
    for command in (build, info, plot):
        grid_app.command()(command)
    app.add_typer(grid_app, name="grid-model")


def build(
    gallery: Annotated[Path, typer.Argument(metavar="GALLERY", help="The gallery, a folder.", show_default=False)],
    out: Annotated[Path, typer.Option("--out", "-o", help="The grid to write (.npz).")],
    components: Annotated[
        int, typer.Option(parser=count, metavar="COUNT", help="Local components that all cells share.")
    ] = 60,
    head: HeadOption = "cc0",
    as_json: JsonOption = False,
) -> None:
    """Build the grid of a gallery, for --grid: in each cell the typical expression, the mean, and their spread."""
    from synth_affect.pipelines.gallery.build_grid import build_grid_file

    summary = build_grid_file(
        gallery,
        out,
        n_components=components,
        head=head,
        progress=lambda items, n: with_progress(items, n, "reading the gallery"),
    )
    print_summary(summary, as_json)


def info(grid: GridArgument, as_json: JsonOption = False) -> None:
    """What a grid was made from, and how many frames its cells have."""
    from synth_affect.pipelines.gallery.build_grid import describe_grid, grid_text
    from synth_affect.pipelines.open_expressions import open_grid

    found = describe_grid(open_grid(grid))
    typer.echo(json.dumps(found, indent=2) if as_json else grid_text(found))


def plot(
    grid: GridArgument,
    out: Annotated[Path, typer.Option("--out", "-o", help="The picture to write.")],
    statistic: StatisticOption = StatisticChoice.TYPICAL,
    head: HeadOption = "cc0",
    as_json: JsonOption = False,
) -> None:
    """Draw a grid: how many frames lie where, and the shape of every cell."""
    from synth_affect.pipelines.gallery.grid_figure import write_grid_figure

    summary = write_grid_figure(
        grid, out, statistic=statistic.value, head=head, progress=lambda items, n: with_progress(items, n, "drawing")
    )
    print_summary(summary, as_json)
