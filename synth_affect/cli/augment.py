"""A whole database augmented: `synth-affect augment`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synth_affect.cli.database_settings import DatabaseSettingOption, database_settings
from synth_affect.cli.expression_options import action_units, expression_choice
from synth_affect.cli.options import (
    ActionUnitsOption,
    GridOption,
    HeadOption,
    JsonOption,
    LandmarkModelOption,
    LookupChoice,
    LookupOption,
    QualityOption,
    SampleOption,
    StatisticChoice,
    StatisticOption,
    count,
    number,
)
from synth_affect.cli.progress import print_summary, with_progress
from synth_affect.cli.verify_options import IdentityOption, JudgeOption, verifier_choice
from synth_affect.errors import InputError

if TYPE_CHECKING:
    from synth_affect.data.faces.database import FaceDatabase
    from synth_affect.data.faces.export.layout import ExportLayout
    from synth_affect.pipelines.augment.check import CheckSettings
    from synth_affect.pipelines.augment.targets import Targets
    from synth_affect.pipelines.open_expressions import ExpressionChoice
    from synth_affect.pipelines.verify import VerifierChoice
    from synth_affect.pipelines.workers import Engine


POINTS_PER_FACE, PATHS_PER_FACE = 50, 5


class TargetChoice(StrEnum):
    """Which points of the plane a face is brought to."""

    CELLS = "cells"
    RING = "ring"
    RANDOM = "random"
    LABELS = "labels"
    PATHS = "paths"
    NONE = "none"


class EngineChoice(StrEnum):
    """Where the work is done."""

    LOCAL = "local"
    RAY = "ray"


def add_commands(app: typer.Typer) -> None:
    """Register this module's command."""
    app.command()(augment)


def augment(
    root: Annotated[Path, typer.Argument(metavar="DATABASE", help="The folder (or CSV file) of the database.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The folder to write; a stopped run goes on.")] = None,
    database: Annotated[
        str, typer.Option(metavar="NAME", help="What DATABASE is: a name of synth-affect databases list.")
    ] = "folder",
    database_setting: DatabaseSettingOption = None,
    targets: Annotated[
        TargetChoice,
        typer.Option(
            help="A point a cell of the grid, labelled with the cell's median (the paper); the ring of 28 directions x "
            "4 distances; points drawn at random from the disc, or from the database's labels; paths, sequences from "
            "neutral to a random point and back; or none, which only chooses the faces."
        ),
    ] = TargetChoice.CELLS,
    per_face: Annotated[
        int | None,
        typer.Option(parser=count, metavar="COUNT", help="Points [50] or paths [5] drawn for each face."),
    ] = None,
    frames: Annotated[int, typer.Option(parser=count, metavar="COUNT", help="Pictures of a path.")] = 30,
    back: Annotated[bool, typer.Option(help="Whether paths end at neutral again.")] = True,
    seed: Annotated[int, typer.Option(parser=count, metavar="SEED", help="Of what is drawn, and of the folds.")] = 0,
    accept_list: Annotated[
        Path | None,
        typer.Option(help="Take these faces, one a line, in place of labels and the check that a face rests."),
    ] = None,
    min_quality: Annotated[
        float | None,
        typer.Option(parser=number, metavar="NUMBER", help="Leave out faces whose fit scores less, 0 to 1 [0.25]."),
    ] = None,
    layout: Annotated[
        str, typer.Option(metavar="source|NAME", help="How the output lies: as the source, or as another database.")
    ] = "source",
    folds: Annotated[
        int, typer.Option(parser=count, metavar="COUNT", help="Person-independent folds that are written down.")
    ] = 5,
    shards: Annotated[
        int | None, typer.Option(parser=count, metavar="COUNT", help="WebDataset shards too, COUNT pictures each.")
    ] = None,
    au: ActionUnitsOption = None,
    grid: GridOption = "prototypes",
    lookup: LookupOption = LookupChoice.CONTINUOUS,
    statistic: StatisticOption = StatisticChoice.TYPICAL,
    sample: SampleOption = None,
    head: HeadOption = "cc0",
    quality: QualityOption = 95,
    landmark_model: LandmarkModelOption = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read every new picture again, and say in the manifest what it shows.")
    ] = False,
    judge: JudgeOption = None,
    identity: IdentityOption = None,
    gate: Annotated[
        bool,
        typer.Option(
            "--gate",
            help="With --verify: drop pictures without a face, of another person, or that do not read as asked.",
        ),
    ] = False,
    max_affect_error: Annotated[
        float | None,
        typer.Option(
            parser=number,
            metavar="NUMBER",
            help="With --gate: how far a judge's reading may lie from what was asked, as near as it can read [0.5].",
        ),
    ] = None,
    same_person: Annotated[
        float | None,
        typer.Option(
            parser=number,
            metavar="NUMBER",
            help="With --gate: likeness that is enough, for judges of identity that come without one.",
        ),
    ] = None,
    engine: Annotated[EngineChoice, typer.Option(help="Processes of this machine, or a Ray cluster.")] = (
        EngineChoice.LOCAL
    ),
    address: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Of a Ray cluster [one that is started here].")
    ] = None,
    workers: Annotated[int | None, typer.Option(parser=count, metavar="COUNT", help="Processes [one a core].")] = None,
    as_json: JsonOption = False,
) -> None:
    """Neutral faces of a database brought to many feelings, with labels, folds and a manifest.

    synth-affect augment AFEW-VA --database afew-va --out augmented
    """
    if out is None:
        raise InputError("--out", "missing; the folder for the pictures")
    from synth_affect.data.faces.export.registry import open_export_layout
    from synth_affect.data.faces.registry import open_face_database
    from synth_affect.data.picture_encoding import check_quality
    from synth_affect.pipelines.augment.run import AugmentJob
    from synth_affect.pipelines.augment.run import augment as run
    from synth_affect.pipelines.augment.selection import read_accept_list
    from synth_affect.pipelines.augment.work import MIN_QUALITY, AugmentSettings
    from synth_affect.pipelines.open_head import prepare_head

    check_quality(quality)
    checks = _checks(verifier_choice(verify, judge, identity), gate, max_affect_error, same_person)
    expressions, local = expression_choice(grid, lookup, statistic, sample), action_units(au)
    faces = open_face_database(database, root, database_settings(database_setting))
    for note in faces.notes:
        typer.echo(f"note: {note}", err=True)
    accepted = None if accept_list is None else read_accept_list(accept_list)
    export = open_export_layout(layout, faces)
    settings = AugmentSettings(
        min_quality=MIN_QUALITY if min_quality is None else min_quality,
        check_rest=accepted is None,
        expressions=expressions,
        head=head,
        quality=quality,
        landmark_model=landmark_model,
        checks=checks,
        action_units=local,
    )
    job = AugmentJob(
        database=faces,
        out=out,
        targets=_targets(targets, _Drawn(per_face, seed, frames, back), expressions, faces),
        layout=_in_clips(export) if targets is TargetChoice.PATHS else export,
        settings=settings,
        accepted=accepted,
        n_folds=folds,
        seed=seed,
        per_shard=shards,
    )
    prepare_head(head, partial(with_progress, description="reading the head"))
    summary = run(job, _engine(engine, workers, address), partial(with_progress, description="drawing faces"))
    print_summary(
        {
            "output": str(out),
            "pictures": summary.pictures,
            "faces_used": summary.faces,
            "rejected": summary.rejected,
            "candidates": summary.candidates,
            "done_before": summary.done_before,
            **({} if checks is None else {"dropped": dict(summary.dropped)}),
        },
        as_json,
    )
    if summary.dropped and not as_json:
        faults = ", ".join(f"{count} {fault}" for fault, count in sorted(summary.dropped.items()))
        typer.echo(f"dropped: {faults}; see dropped.csv")


def _checks(
    choice: VerifierChoice | None, gate: bool, max_affect_error: float | None, same_person: float | None
) -> CheckSettings | None:
    """Opens the judges, so that one that cannot be used is said before any work."""
    for option, given, needs in (
        ("--gate", gate, "--verify" if choice is None else None),
        ("--max-affect-error", max_affect_error is not None, None if gate else "--gate"),
        ("--same-person", same_person is not None, None if gate else "--gate"),
    ):
        if given and needs is not None:
            raise InputError(option, f"goes with {needs}; give that too")
    if choice is None:
        return None
    from synth_affect.pipelines.augment.check import MAX_AFFECT_ERROR, CheckSettings, Gate
    from synth_affect.pipelines.judges.open_judges import read_cards

    bars = Gate(MAX_AFFECT_ERROR if max_affect_error is None else max_affect_error, same_person) if gate else None
    return CheckSettings(choice, read_cards(choice.judges, choice.identities), bars)


def _in_clips(layout: ExportLayout) -> ExportLayout:
    """The layout, for pictures that follow each other."""
    from synth_affect.data.faces.export.afew_va import AfewVaLayout

    return replace(layout, clips="face") if isinstance(layout, AfewVaLayout) else layout


@dataclass(frozen=True, slots=True)
class _Drawn:
    """What is said of targets that are drawn."""

    per_face: int | None
    seed: int
    frames: int
    back: bool


def _targets(choice: TargetChoice, drawn: _Drawn, expressions: ExpressionChoice, faces: FaceDatabase) -> Targets:
    from synth_affect.pipelines.augment import targets as plans
    from synth_affect.pipelines.open_expressions import PROTOTYPES, open_grid

    if choice is TargetChoice.CELLS:
        return plans.cell_targets(None if expressions.grid == PROTOTYPES else open_grid(expressions.grid))
    if choice is TargetChoice.RING:
        return plans.ring_targets()
    if choice is TargetChoice.NONE:
        return plans.SameTargets("none", ())
    if choice is TargetChoice.PATHS:
        count = PATHS_PER_FACE if drawn.per_face is None else drawn.per_face
        return plans.PathTargets(count, drawn.frames, drawn.seed, drawn.back)
    count = POINTS_PER_FACE if drawn.per_face is None else drawn.per_face
    points = None if choice is TargetChoice.RANDOM else plans.label_points(faces.records())
    return plans.DrawnTargets(count, drawn.seed, points)


def _engine(choice: EngineChoice, workers: int | None, address: str | None) -> Engine:
    from synth_affect.pipelines.workers import LocalEngine, default_workers

    if choice is EngineChoice.RAY:
        from synth_affect.pipelines.ray_engine import RayEngine

        return RayEngine(address, workers)
    if address is not None:
        raise InputError("--address", "goes with --engine ray")
    return LocalEngine(default_workers() if workers is None else workers)
