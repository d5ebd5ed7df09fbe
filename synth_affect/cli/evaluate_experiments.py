"""`synth-affect evaluate heads|augmentation`: experiments with rendered faces, each a command."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synth_affect.cli.options import DeviceName, JsonOption, count
from synth_affect.cli.train_options import (
    BatchOption,
    DetectOption,
    DeviceOption,
    EpochsOption,
    FoldsOption,
    MixOption,
    OutOption,
    PrecisionOption,
    RateOption,
    SeedOption,
    SizeOption,
    StepsOption,
    WidthOption,
    reading,
)

if TYPE_CHECKING:
    from synth_affect.affect import Emotion
    from synth_affect.regressors.networks import NetworkSettings
    from synth_affect.regressors.train_settings import TrainSettings


class ReaderChoice(StrEnum):
    """Networks that experiments can be made with."""

    VGG_GRU = "vgg-gru"
    VGG = "vgg"
    VA_CNN = "va-cnn"


LANDMARK_LOSS = 2.0
"""Of judges: they read pictures alone, and do not find a face's parts in a few thousand without it."""
RenderedOption = Annotated[Path, typer.Option(help="Rendered faces (render-faces).", show_default=False)]
HoldOutOption = Annotated[str, typer.Option(metavar="NAME,...", help="Expressions that training does not see.")]
NetworkOption = Annotated[ReaderChoice, typer.Option(help="What is trained.")]


def add_commands(evaluate_app: typer.Typer) -> None:
    """Register them in the family `evaluate`."""
    evaluate_app.command()(heads)
    evaluate_app.command()(augmentation)


def heads(
    data: RenderedOption,
    other: Annotated[Path, typer.Option(help="Rendered faces of another head model.", show_default=False)],
    out: OutOption,
    hold_out: HoldOutOption = "sadness,surprise",
    detect: DetectOption = False,
    network: NetworkOption = ReaderChoice.VA_CNN,
    width: WidthOption = 8,
    size: SizeOption = 64,
    steps: StepsOption = 4,
    epochs: EpochsOption = 40,
    batch: BatchOption = 32,
    learning_rate: RateOption = 2e-3,
    folds: FoldsOption = 5,
    seed: SeedOption = 0,
    precision: PrecisionOption = "32",
    device: DeviceOption = DeviceName.AUTO,
    as_json: JsonOption = False,
) -> None:
    """A network on people, heads and expressions that it was not trained on, and with shuffled labels.

    synth-affect evaluate heads --data CC0_FACES --other ICT_FACES --out DIR
    """
    from synth_affect.pipelines.training.evaluate_heads import HeadsRequest, evaluate_heads
    from synth_affect.pipelines.training.face_samples import FaceSource

    training = {
        "epochs": epochs, "batch": batch, "learning_rate": learning_rate, "steps": steps, "precision": precision,
        "seed": seed,
    }  # fmt: skip
    request = HeadsRequest(
        FaceSource(data, detected=detect), FaceSource(other, detected=detect), _emotions(hold_out),
        *_trained(network, size, width, training), folds,
    )  # fmt: skip
    _print(evaluate_heads(request, out, device=str(device), progress=reading), as_json)


def augmentation(
    data: RenderedOption,
    out: OutOption,
    hold_out: HoldOutOption = "sadness,surprise",
    detect: DetectOption = False,
    people: Annotated[int, typer.Option(parser=count, metavar="COUNT", help="Drawn for training.")] = 8,
    per_face: Annotated[
        int, typer.Option(parser=count, metavar="COUNT", help="Pictures made of each neutral one.")
    ] = 40,
    seeds: Annotated[int, typer.Option(parser=count, metavar="COUNT", help="How often all is drawn anew.")] = 5,
    mix: MixOption = None,
    network: NetworkOption = ReaderChoice.VA_CNN,
    width: WidthOption = 8,
    size: SizeOption = 64,
    steps: StepsOption = 4,
    epochs: EpochsOption = 20,
    batch: BatchOption = 32,
    learning_rate: RateOption = 2e-3,
    precision: PrecisionOption = "32",
    workers: Annotated[int, typer.Option(parser=count, metavar="COUNT", help="Processes that make pictures.")] = 1,
    device: DeviceOption = DeviceName.AUTO,
    as_json: JsonOption = False,
) -> None:
    """A network trained on few people, with and without pictures that augment made of their neutral ones.

    synth-affect evaluate augmentation --data ICT_FACES --out DIR
    """
    from synth_affect.pipelines.training.evaluate_augmentation import AugmentationRequest, evaluate_augmentation
    from synth_affect.pipelines.training.face_samples import FaceSource

    training = {
        "epochs": epochs, "batch": batch, "learning_rate": learning_rate, "steps": steps, "precision": precision,
        "made_share": mix,
    }  # fmt: skip
    request = AugmentationRequest(
        FaceSource(data, detected=detect), _emotions(hold_out), *_trained(network, size, width, training), people,
        per_face, seeds,
    )  # fmt: skip
    _print(evaluate_augmentation(request, out, workers=workers, device=str(device), progress=reading), as_json)


def _emotions(names: str) -> tuple[Emotion, ...]:
    from synth_affect.affect import parse_emotion

    return tuple(parse_emotion(name) for name in names.split(",") if name.strip())


def _trained(
    network: ReaderChoice, size: int, width: int, training: dict[str, Any]
) -> tuple[NetworkSettings, TrainSettings]:
    from synth_affect.regressors.networks import NetworkSettings
    from synth_affect.regressors.train_settings import TrainSettings

    judges = network is ReaderChoice.VA_CNN
    shape = NetworkSettings(network.value, size, width, batch_norm=True, dropout=0.25 if judges else 0.5)
    return shape, TrainSettings(**training, landmark_loss=LANDMARK_LOSS if judges else 0.0)


def _print(found: dict[str, Any], as_json: bool) -> None:
    from synth_affect.pipelines.training.held_out_expressions import markdown_table

    typer.echo(json.dumps(found, indent=2) if as_json else markdown_table(found["rows"]), nl=as_json)
