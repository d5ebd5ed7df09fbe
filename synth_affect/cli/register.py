"""`synth-affect register`: raw scans into the template's topology."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synth_affect.cli.options import JsonOption, LandmarkModelOption, count
from synth_affect.cli.progress import print_summary, with_progress
from synth_affect.errors import InputError

if TYPE_CHECKING:
    from synth_affect.data.scan_records import ScanSequence


class MethodChoice(StrEnum):
    """The ways of registration."""

    NICP = "nicp"
    UV = "uv"


SHOWN, REPORT = 10, "report.jsonl"
"""Rejected scans that are told one by one; the file that tells all."""


MOST_WORKERS = 8
"""By default: each holds the factorisations of its own."""


def add_commands(app: typer.Typer) -> None:
    """Register this module's command."""
    app.command()(register)


def register(
    scans: Annotated[
        list[Path], typer.Argument(metavar="SCANS...", help="Meshes, or folders of them, as SUBJECT/SEQUENCE/FRAME.")
    ],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The folder to write; a stopped run goes on.")] = None,
    template: Annotated[
        str, typer.Option(metavar="cc0|FILE", help="A head model, or a mesh with 68 landmarks beside it.")
    ] = "cc0",
    template_landmarks: Annotated[
        Path | None, typer.Option(help="68 points of a template that is a mesh (.pts, .ljson).")
    ] = None,
    method: Annotated[
        MethodChoice, typer.Option(help="Non-rigid ICP, or by way of the cylindrical unwrap, which is faster.")
    ] = MethodChoice.NICP,
    landmarks: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER|PATTERN",
            help="Landmark files (.lm3, .bnd, .pts, .ljson) named like the scans, or a pattern such as "
            "'marks/{subject}_{frame:03d}.pts' [found on pictures of the scans].",
        ),
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="SCANS is the folder of 4dfab, bu-3dfe, bu-4dfe, bosphorus or kf-itw; their own landmarks are used "
            "where every scan has them.",
        ),
    ] = None,
    layout: Annotated[
        str | None,
        typer.Option(metavar="PATTERN", help="Of 4dfab and kf-itw: '{subject}/{session}/{sequence}/{frame}.obj'."),
    ] = None,
    landmark_model: LandmarkModelOption = None,
    workers: Annotated[
        int | None, typer.Option(parser=count, metavar="COUNT", help="Processes [one a core, at most 8].")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Bring raw 3D or 4D scans into one topology, for a gallery; what fails is listed and left out.

    synth-affect register scans/ --out registered/
    """
    if out is None:
        raise InputError("--out", "missing; the folder for the registered scans")
    from synth_affect.pipelines.open_template import open_template
    from synth_affect.pipelines.registration.plan import plan_registration
    from synth_affect.pipelines.registration.run import register_scans
    from synth_affect.pipelines.registration.settings import RegisterSettings
    from synth_affect.pipelines.workers import default_workers

    recordings = _recordings(scans, database, layout)
    if database is not None and all(scan.landmarks for recording in recordings for scan in recording.scans):
        landmarks = landmarks or ""
    settings = RegisterSettings(method.value, landmarks, landmark_model)
    face = open_template(template, template_landmarks)
    plan = plan_registration(recordings, face, out, settings)
    n_workers = min(MOST_WORKERS, default_workers()) if workers is None else workers
    new = list(with_progress(register_scans(plan, face, out, settings, workers=n_workers), plan.count, "registering"))
    print_summary(_summary(out, [*plan.done.values(), *new], len(new)), as_json)


def _recordings(scans: list[Path], database: str | None, layout: str | None) -> tuple[ScanSequence, ...]:
    from synth_affect.data.scan_databases import read_scans
    from synth_affect.data.scan_folder import find_scans
    from synth_affect.data.scan_layout import ScanLayout

    if database is None:
        if layout is not None:
            raise InputError("--layout", "goes with --database")
        return find_scans(scans)
    if len(scans) > 1:
        raise InputError("--database", f"lies in one folder, {len(scans)} are given")
    recordings = tuple(read_scans(database, scans[0], layout=None if layout is None else ScanLayout(layout)))
    if recordings[0].topology is not None:
        raise InputError("--database", f"{database} is registered already; see synth-affect gallery from-registered")
    return recordings


def _summary(out: Path, lines: list[Any], n_new: int) -> dict[str, Any]:
    rejected = sorted((line for line in lines if not line.accepted), key=lambda line: line.key)
    if len(rejected) == len(lines):
        first = rejected[0]
        raise InputError(out, f"no scan could be registered; the first, {first.source}: {first.reason}")
    for line in rejected[:SHOWN]:
        typer.echo(f"rejected {line.source}: {line.reason}", err=True)
    if len(rejected) > SHOWN:
        typer.echo(f"and {len(rejected) - SHOWN} more, see {out / REPORT}", err=True)
    return {
        "output": str(out),
        "registered": len(lines) - len(rejected),
        "rejected": len(rejected),
        "done_before": len(lines) - n_new,
    }
