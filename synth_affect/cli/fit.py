"""`synth-affect fit`: the faces of many pictures and videos in one table."""

from __future__ import annotations

import dataclasses
import os
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from synth_affect.cli.options import (
    DetectorOption,
    HeadOption,
    JsonOption,
    LandmarkModelOption,
    MinQualityOption,
    count,
)
from synth_affect.cli.progress import print_summary, with_progress


def add_commands(app: typer.Typer) -> None:
    """Register the command."""
    app.command("fit")(fit)


def fit(
    pictures: Annotated[list[Path], typer.Argument(metavar="FOLDER|VIDEO|PICTURE...")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The table: .parquet (extra `tables`), .csv or .json.")],
    face: Annotated[str, typer.Option("--face", metavar="all|largest", help="Which faces of a picture.")] = "all",
    same_person: Annotated[
        bool, typer.Option("--same-person", help="All pictures show one person, the largest face of each.")
    ] = False,
    smooth: Annotated[bool, typer.Option("--smooth/--no-smooth", help="Over time, what a video shows.")] = True,
    min_quality: MinQualityOption = 0.0,
    detector: DetectorOption = "mediapipe",
    landmark_model: LandmarkModelOption = None,
    head: HeadOption = "cc0",
    workers: Annotated[int | None, typer.Option(parser=count, metavar="COUNT", help="Processes [one a core].")] = None,
    as_json: JsonOption = False,
) -> None:
    """Fit the head to the faces of many pictures: one row a face, with camera, identity, expression and quality.

    Faces that are followed through a video are one person, who has one identity, and move smoothly. A run that was
    stopped goes on from where it was.
    """
    from synth_affect.errors import InputError
    from synth_affect.pipelines.fit_pictures import FitSettings, fit_pictures
    from synth_affect.pipelines.open_detector import DetectorChoice
    from synth_affect.pipelines.open_head import prepare_head

    if same_person and face == "all":
        face = "largest"
    if face not in ("all", "largest"):
        raise InputError("--face", f"{face!r} is none of all, largest")
    settings = FitSettings(
        faces="all" if face == "all" else "largest",
        same_person=same_person,
        smooth=smooth,
        min_quality=min_quality,
        head=head,
        detector=DetectorChoice(detector, landmark_model),
    )
    prepare_head(head, partial(with_progress, description="reading the head"))
    made = fit_pictures(
        pictures,
        out,
        settings,
        workers=os.cpu_count() or 1 if workers is None else workers,
        progress=partial(with_progress, description="fitting"),
    )
    print_summary({**dataclasses.asdict(made), "output": str(made.output)}, as_json)
    if not as_json:
        people = f", {made.people} people followed" if made.people else ""
        typer.echo(f"{made.fitted} faces in {made.pictures} pictures and {made.videos} videos{people}")
        for reason, times in sorted(made.reasons.items(), key=lambda each: -each[1])[:5]:
            typer.echo(f"{times} x {reason}")
