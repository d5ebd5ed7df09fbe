"""`synth-affect evaluate ...`: how well networks read valence and arousal, and how well editors show it."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from synth_affect.cli import evaluate_editor, evaluate_experiments
from synth_affect.cli.database_settings import DatabaseSettingOption, database_settings
from synth_affect.cli.evaluate_experiments import ReaderChoice
from synth_affect.cli.options import DeviceName, JsonOption
from synth_affect.cli.train_options import (
    AugmentedOption,
    BatchOption,
    DatabaseOption,
    DetectOption,
    DeviceOption,
    EpochsOption,
    MixOption,
    OutOption,
    PatienceOption,
    PrecisionOption,
    RateOption,
    SeedOption,
    SizeOption,
    StartOption,
    StepsOption,
    WidthOption,
    open_start,
    reading,
)

evaluate_app = typer.Typer(help="How well editors make faces feel, and networks read them.")


class ProtocolChoice(StrEnum):
    """Published experiments."""

    AFEW_VA = "afew-va"
    AFF_WILD = "aff-wild"


@evaluate_app.callback()
def _family() -> None:
    """How well networks read valence and arousal."""


def add_commands(app: typer.Typer) -> None:
    """Register the family."""
    evaluate_app.command("regressor")(regressor)
    evaluate_app.command("protocol")(protocol)
    evaluate_editor.add_commands(evaluate_app)
    evaluate_experiments.add_commands(evaluate_app)
    app.add_typer(evaluate_app, name="evaluate")


def regressor(
    weights: Annotated[Path, typer.Option(help="A .safetensors file, with its card.", show_default=False)],
    data: Annotated[Path, typer.Option(help="Labelled faces: rendered, augmented, or a database.", show_default=False)],
    database: DatabaseOption = "",
    database_setting: DatabaseSettingOption = None,
    held_out: Annotated[
        bool, typer.Option("--held-out", help="Only people whom the weights were not trained on, as their card says.")
    ] = False,
    detect: DetectOption = False,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="A folder for scores.json and predictions.csv.")
    ] = None,
    device: DeviceOption = DeviceName.AUTO,
    as_json: JsonOption = False,
) -> None:
    """CCC, Pearson, MSE, RMSE and SAGR of a trained network on labelled faces, with intervals over people.

    synth-affect evaluate regressor --weights DIR/weights.safetensors --data FACES
    """
    from synth_affect.pipelines.training.evaluate_regressor import evaluate_regressor, scores_text
    from synth_affect.pipelines.training.face_samples import FaceSource

    source = FaceSource(data, database, database_settings(database_setting), detect)
    scores = evaluate_regressor(
        weights, source, held_out=held_out, out=out, device=str(device), progress=reading
    )  # fmt: skip
    typer.echo(json.dumps(scores, indent=2) if as_json else scores_text(scores))


def protocol(
    name: Annotated[ProtocolChoice, typer.Argument(metavar="EXPERIMENT", help="Which one.", show_default=False)],
    data: Annotated[Path, typer.Option(help="The database.", show_default=False)],
    out: OutOption,
    database_setting: DatabaseSettingOption = None,
    augmented: AugmentedOption = None,
    mix: MixOption = None,
    network: Annotated[ReaderChoice, typer.Option(help="What is trained.")] = ReaderChoice.VGG_GRU,
    vgg_face: StartOption = None,
    width: WidthOption = 64,
    size: SizeOption = 96,
    steps: StepsOption = 80,
    epochs: EpochsOption = 50,
    batch: BatchOption = 32,
    learning_rate: RateOption = 1e-4,
    patience: PatienceOption = 10,
    seed: SeedOption = 0,
    precision: PrecisionOption = "32",
    device: DeviceOption = DeviceName.AUTO,
    as_json: JsonOption = False,
) -> None:
    """The published experiments on AFEW-VA and Aff-Wild, with and without augmentation, beside what was published.

    synth-affect evaluate protocol afew-va --data AFEW-VA --augmented MADE --vgg-face vgg_face_dag.pth --out DIR
    """
    from synth_affect.pipelines.training.face_samples import FaceSource
    from synth_affect.pipelines.training.regressor_protocols import protocol_text, run_protocol
    from synth_affect.pipelines.training.train_regressor import TrainRequest
    from synth_affect.regressors.networks import NetworkSettings
    from synth_affect.regressors.train_settings import TrainSettings

    shape: dict[str, Any] = {"kind": str(network), "size": size, "width": width}
    if network is ReaderChoice.VA_CNN:
        shape |= {"batch_norm": True, "dropout": 0.25}
    training: dict[str, Any] = {
        "epochs": epochs, "batch": batch, "learning_rate": learning_rate, "patience": patience, "steps": steps,
        "precision": precision, "made_share": mix, "seed": seed,
    }  # fmt: skip
    request = TrainRequest(
        (FaceSource(data, str(name), database_settings(database_setting)),),
        NetworkSettings(**shape),
        TrainSettings(**training),
        tuple(FaceSource(path) for path in augmented or ()),
        start=open_start(vgg_face),
    )
    found = run_protocol(name.value, request, out, device=str(device), progress=reading)
    typer.echo(json.dumps(found, indent=2) if as_json else protocol_text(found))
