"""`synth-affect render-faces`: a labelled data set of rendered faces of invented people."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from synth_affect.cli.options import HeadOption, JsonOption, count
from synth_affect.cli.progress import print_summary, with_progress

PlaceName = Literal["anywhere", "laboratory"]


def add_commands(app: typer.Typer) -> None:
    """Register this module's command."""
    app.command("render-faces")(render_faces)


def render_faces(
    out: Annotated[Path, typer.Option("--out", "-o", help="The data set, a folder; what is missing of it is added.")],
    subjects: Annotated[int, typer.Option(parser=count, metavar="COUNT", help="Invented people.")],
    per_subject: Annotated[
        int, typer.Option(parser=count, metavar="COUNT", help="Pictures of each, the first one neutral.")
    ],
    head: HeadOption = "cc0",
    size: Annotated[int, typer.Option(parser=count, metavar="COUNT", help="Height and width in pixels.")] = 512,
    seed: Annotated[int, typer.Option(parser=count, metavar="COUNT", help="Of all that is random.")] = 0,
    maps: Annotated[bool, typer.Option("--maps", help="Write depth and face mask too.")] = False,
    place: Annotated[
        PlaceName,
        typer.Option(
            help="laboratory: each person stays under one light before one camera, and poses the categories.",
        ),
    ] = "anywhere",
    workers: Annotated[
        int | None,
        typer.Option(
            parser=count, metavar="COUNT", help="Processes; they change nothing but the time [default: all cores]."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Rendered faces with valence, arousal, category, identity and geometry: pictures, labels.csv and geometry.

    They are renderings of invented people, not photographs.
    """
    from synth_affect.pipelines.render_faces import RenderRequest
    from synth_affect.pipelines.render_faces import render_faces as render

    request = RenderRequest(subjects, per_subject, head, size, seed, maps, place)
    n_workers = min(os.cpu_count() or 1, 64) if workers is None else workers
    print_summary(render(request, out, workers=n_workers, progress=_progress), as_json)


def _progress(items: Iterable[Any], count: int) -> Iterable[Any]:
    return with_progress(items, count, "rendering")
