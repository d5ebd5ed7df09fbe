"""`synth-affect reproduce`: figures and tables of the papers, with networks that were trained here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from synth_affect.cli.database_settings import DatabaseSettingOption, database_settings
from synth_affect.cli.options import DeviceName, JsonOption
from synth_affect.cli.progress import print_summary, with_progress
from synth_affect.cli.train_options import DatabaseOption, DataOption, DeviceOption, SeedOption, reading


def add_commands(app: typer.Typer) -> None:
    """Register it."""
    app.command()(reproduce)


def reproduce(
    experiment: Annotated[
        str, typer.Argument(metavar="EDITOR:FIGURE", help="Such as caae:fig3; `list` prints all there are.")
    ],
    weights: Annotated[
        Path | None, typer.Option(help="Of the editor: what synth-affect train wrote.", show_default=False)
    ] = None,
    data: DataOption = [],  # noqa: B006, typer's own way of an option that may be repeated and left out
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder for figure, numbers and cropped faces.")] = Path(
        "reproduced"
    ),
    database: DatabaseOption = "",
    database_setting: DatabaseSettingOption = None,
    seed: SeedOption = 0,
    device: DeviceOption = DeviceName.AUTO,
    as_json: JsonOption = False,
) -> None:
    """A figure or table of an editor's paper. Faces of people whom it was not trained on are shown and tested.

    synth-affect reproduce caae:fig3 --weights weights.safetensors --data FACES --out DIR
    """
    if experiment == "list":
        from synth_affect.pipelines.reproduce.registry import all_experiments

        for name, own in all_experiments().items():
            typer.echo(f"{name}: {own.title}")
        return
    from synth_affect.errors import InputError
    from synth_affect.pipelines.reproduce.registry import open_experiment
    from synth_affect.pipelines.reproduce.run import ReproduceRequest
    from synth_affect.pipelines.reproduce.run import reproduce as run
    from synth_affect.pipelines.training.face_samples import FaceSource

    open_experiment(experiment)
    if weights is None:
        raise InputError("--weights", "missing; what synth-affect train wrote")
    if not data:
        raise InputError("--data", "missing; labelled faces")
    sources = tuple(FaceSource(path, database, database_settings(database_setting)) for path in data)
    found = run(
        ReproduceRequest(experiment, weights, sources, seed), out,
        device=str(device), reading=reading, progress=with_progress,
    )  # fmt: skip
    print_summary(found, as_json)
