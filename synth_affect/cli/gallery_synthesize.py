"""`synth-affect gallery synthesize` and `synthesize-scans`: invented people, registered or as raw scans."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from synth_affect.cli.options import JsonOption, count, number
from synth_affect.cli.progress import print_summary, with_progress

SeedOption = Annotated[int, typer.Option(parser=count, metavar="COUNT", help="Of all that is random.")]
WorkersOption = Annotated[
    int | None,
    typer.Option(parser=count, metavar="COUNT", help="Threads; they change nothing but the time [default: all cores]."),
]


def add_commands(gallery_app: typer.Typer) -> None:
    """Register this module's commands in the family `gallery`."""
    gallery_app.command()(synthesize)
    gallery_app.command("synthesize-scans")(synthesize_scans)


def synthesize(
    out: Annotated[Path, typer.Option("--out", "-o", help="The gallery, a folder; what is missing of it is added.")],
    subjects: Annotated[int, typer.Option(parser=count, metavar="COUNT", help="Invented people.")] = 180,
    sequences: Annotated[
        int, typer.Option(parser=count, metavar="COUNT", help="Spontaneous recordings of all people together.")
    ] = 1580,
    seed: SeedOption = 0,
    workers: WorkersOption = None,
    as_json: JsonOption = False,
) -> None:
    """A gallery of invented people: spontaneous recordings with valence and arousal, and six posed ones of each.

    All of it is synthetic: nobody was recorded.
    """
    from synth_affect.blendshape.synthetic.recordings import GalleryRecipe
    from synth_affect.pipelines.gallery.synthesize import synthesize_gallery

    recipe = GalleryRecipe(subjects, sequences, seed)
    print_summary(synthesize_gallery(recipe, out, workers=_workers(workers), progress=_progress), as_json)


def synthesize_scans(
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The folder of scans and labels; what is missing in it is added.")
    ],
    subjects: Annotated[int, typer.Option(parser=count, metavar="COUNT", help="Invented people.")] = 10,
    scans: Annotated[int, typer.Option(parser=count, metavar="COUNT", help="Scans of all people together.")] = 500,
    every: Annotated[
        int, typer.Option(parser=count, metavar="COUNT", help="Scan one frame in so many, of 60 a second.")
    ] = 8,
    vertices: Annotated[int, typer.Option(parser=count, metavar="COUNT", help="Of a scan, about.")] = 40_000,
    noise: Annotated[
        float, typer.Option(parser=number, metavar="NUMBER", help="Standard deviation in mm, across the surface.")
    ] = 0.2,
    truth: Annotated[
        Path | None, typer.Option(help="A folder for the true correspondences of each scan, for tests.")
    ] = None,
    seed: SeedOption = 0,
    workers: WorkersOption = None,
    as_json: JsonOption = False,
) -> None:
    """Raw scans of invented people: each with a mesh of its own, noise, holes and a pose; and labels.csv.

    All of it is synthetic: nobody was scanned.
    """
    from synth_affect.blendshape.synthetic.scans import ScanSettings
    from synth_affect.pipelines.gallery.synthesize_scans import ScanRecipe, synthesize_scans

    recipe = ScanRecipe(subjects, scans, every, seed, ScanSettings(vertices, noise))
    summary = synthesize_scans(recipe, out, truth=truth, workers=_workers(workers), progress=_progress)
    print_summary(summary, as_json)


def _workers(asked: int | None) -> int:
    return min(os.cpu_count() or 1, 16) if asked is None else asked


def _progress(items: Iterable[Any], count: int) -> Iterable[Any]:
    return with_progress(items, count, "synthesizing")
