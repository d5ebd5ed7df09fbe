"""`synth-affect train ...`: networks that read valence, arousal, categories, or who it is, off faces."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synth_affect.cli import train_editor
from synth_affect.cli.database_settings import DatabaseSettingOption, database_settings
from synth_affect.cli.options import DeviceName, JsonOption, count
from synth_affect.cli.train_options import (
    AugmentedOption,
    BatchOption,
    CropOption,
    DatabaseOption,
    DataOption,
    DetectOption,
    DeviceOption,
    DevicesOption,
    EpochsOption,
    FoldOption,
    FoldsOption,
    LandmarkLossOption,
    LossOption,
    MixOption,
    NormOption,
    OptimizerOption,
    OutOption,
    PatienceOption,
    PrecisionOption,
    RateOption,
    SeedOption,
    SizeOption,
    StartOption,
    StepsOption,
    TensorBoardOption,
    TestPeopleOption,
    ValidationPeopleOption,
    WidthOption,
    open_start,
    reading,
)

if TYPE_CHECKING:
    from synth_affect.pipelines.training.train_regressor import TrainRequest

train_app = typer.Typer(help="Networks that read faces, and neural editors of them.")


@train_app.callback()
def _family() -> None:
    """Train networks that read valence and arousal, categories, or who it is, off faces."""


def add_commands(app: typer.Typer) -> None:
    """Register the family."""
    train_app.command("vgg-gru")(vgg_gru)
    train_app.command("va-cnn")(va_cnn)
    train_app.command("classes")(classes)
    train_app.command("identity")(identity)
    train_app.command("vgg-face-weights")(vgg_face_weights)
    train_editor.add_commands(train_app)
    app.add_typer(train_app, name="train")


def vgg_gru(
    data: DataOption,
    out: OutOption,
    detect: DetectOption = False,
    database: DatabaseOption = "",
    database_setting: DatabaseSettingOption = None,
    augmented: AugmentedOption = None,
    mix: MixOption = None,
    single: Annotated[bool, typer.Option("--single", help="The form for single pictures, without the GRU.")] = False,
    vgg_face: StartOption = None,
    width: WidthOption = 64,
    size: SizeOption = 96,
    crop: CropOption = "square",
    batch_norm: NormOption = False,
    steps: StepsOption = 80,
    epochs: EpochsOption = 50,
    batch: BatchOption = 32,
    learning_rate: RateOption = 1e-4,
    optimizer: OptimizerOption = "adam",
    loss: LossOption = "ccc",
    patience: PatienceOption = 10,
    test_people: TestPeopleOption = "",
    validation_people: ValidationPeopleOption = "",
    folds: FoldsOption = 5,
    fold: FoldOption = 0,
    seed: SeedOption = 0,
    precision: PrecisionOption = "32",
    device: DeviceOption = DeviceName.AUTO,
    devices: DevicesOption = 1,
    tensorboard: TensorBoardOption = False,
    as_json: JsonOption = False,
) -> None:
    """VGG-Face-GRU: sequences, or stills that are held, with 68 landmarks; valence and arousal.

    synth-affect train vgg-gru --database afew-va --data AFEW-VA --vgg-face vgg_face_dag.pth --out DIR
    """
    network = {
        "kind": "vgg" if single else "vgg-gru",
        "size": size,
        "crop": crop,
        "width": width,
        "batch_norm": batch_norm,
    }
    training = {
        "epochs": epochs, "batch": batch, "learning_rate": learning_rate, "optimizer": optimizer, "loss": loss,
        "patience": patience, "steps": steps, "precision": precision, "made_share": mix, "seed": seed,
    }  # fmt: skip
    sources = _Sources(data, database, database_setting, augmented or [], detect)
    people = (test_people, validation_people, folds, fold)
    _train(_request(sources, network, training, people, vgg_face), out, _Run(device, devices, tensorboard), as_json)


def va_cnn(
    data: DataOption,
    out: OutOption,
    detect: DetectOption = False,
    database: DatabaseOption = "",
    database_setting: DatabaseSettingOption = None,
    augmented: AugmentedOption = None,
    mix: MixOption = None,
    width: WidthOption = 64,
    size: SizeOption = 96,
    crop: CropOption = "square",
    batch_norm: NormOption = True,
    epochs: EpochsOption = 50,
    batch: BatchOption = 32,
    learning_rate: RateOption = 1e-3,
    optimizer: OptimizerOption = "sgd",
    loss: LossOption = "mae",
    landmark_loss: LandmarkLossOption = 0.0,
    patience: PatienceOption = 10,
    test_people: TestPeopleOption = "",
    validation_people: ValidationPeopleOption = "",
    folds: FoldsOption = 5,
    fold: FoldOption = 0,
    seed: SeedOption = 0,
    precision: PrecisionOption = "32",
    device: DeviceOption = DeviceName.AUTO,
    devices: DevicesOption = 1,
    tensorboard: TensorBoardOption = False,
    as_json: JsonOption = False,
) -> None:
    """The judges: one network for valence, one for arousal, on single pictures.

    On a CPU: synth-affect train va-cnn --data FACES --width 8 --size 64 --batch 16 --epochs 40 --optimizer adam
    --learning-rate 0.002 --loss ccc --landmark-loss 2 --out DIR
    """
    network = {"kind": "va-cnn", "size": size, "crop": crop, "width": width, "batch_norm": batch_norm, "dropout": 0.25}
    training = {
        "epochs": epochs, "batch": batch, "learning_rate": learning_rate, "optimizer": optimizer, "loss": loss,
        "landmark_loss": landmark_loss, "patience": patience, "precision": precision, "made_share": mix, "seed": seed,
    }  # fmt: skip
    sources = _Sources(data, database, database_setting, augmented or [], detect)
    people = (test_people, validation_people, folds, fold)
    _train(_request(sources, network, training, people, None), out, _Run(device, devices, tensorboard), as_json)


def classes(
    data: DataOption,
    out: OutOption,
    detect: DetectOption = False,
    database: DatabaseOption = "",
    database_setting: DatabaseSettingOption = None,
    categories: Annotated[
        str, typer.Option(metavar="NAME,...", help="What is told apart; pictures of others are left out.")
    ] = "neutral,happiness,sadness,surprise,fear,disgust,anger",
    width: WidthOption = 64,
    size: SizeOption = 96,
    crop: CropOption = "square",
    batch_norm: NormOption = True,
    landmarks: Annotated[
        bool, typer.Option(help="Read 68 landmarks beside the picture; crops that an editor made have none.")
    ] = True,
    epochs: EpochsOption = 50,
    batch: BatchOption = 32,
    learning_rate: RateOption = 1e-3,
    optimizer: OptimizerOption = "adam",
    landmark_loss: LandmarkLossOption = 0.0,
    patience: PatienceOption = 10,
    test_people: TestPeopleOption = "",
    validation_people: ValidationPeopleOption = "",
    folds: FoldsOption = 5,
    fold: FoldOption = 0,
    seed: SeedOption = 0,
    precision: PrecisionOption = "32",
    device: DeviceOption = DeviceName.AUTO,
    devices: DevicesOption = 1,
    tensorboard: TensorBoardOption = False,
    as_json: JsonOption = False,
) -> None:
    """A judge of categories of emotion, on single pictures.

    synth-affect train classes --data FACES --width 16 --out DIR
    """
    from synth_affect.affect import parse_emotion

    network = {
        "kind": "classes", "size": size, "crop": crop, "width": width, "batch_norm": batch_norm, "dropout": 0.25,
        "categories": tuple(parse_emotion(name) for name in categories.split(",")), "landmarks": landmarks,
    }  # fmt: skip
    training = {
        "epochs": epochs, "batch": batch, "learning_rate": learning_rate, "optimizer": optimizer,
        "landmark_loss": landmark_loss, "patience": patience, "precision": precision, "seed": seed,
    }  # fmt: skip
    people = (test_people, validation_people, folds, fold)
    _train(
        _request(_Sources(data, database, database_setting, [], detect), network, training, people, None),
        out, _Run(device, devices, tensorboard), as_json,
    )  # fmt: skip


def identity(
    data: DataOption,
    out: OutOption,
    detect: DetectOption = False,
    database: DatabaseOption = "",
    database_setting: DatabaseSettingOption = None,
    vgg_face: StartOption = None,
    width: WidthOption = 64,
    size: SizeOption = 96,
    crop: CropOption = "square",
    batch_norm: NormOption = True,
    embedding: Annotated[int, typer.Option(parser=count, metavar="COUNT", help="Numbers of an identity.")] = 128,
    epochs: EpochsOption = 50,
    batch: BatchOption = 32,
    learning_rate: RateOption = 1e-3,
    optimizer: OptimizerOption = "adam",
    patience: PatienceOption = 10,
    test_people: TestPeopleOption = "",
    validation_people: ValidationPeopleOption = "",
    folds: FoldsOption = 5,
    fold: FoldOption = 0,
    seed: SeedOption = 0,
    precision: PrecisionOption = "32",
    device: DeviceOption = DeviceName.AUTO,
    devices: DevicesOption = 1,
    tensorboard: TensorBoardOption = False,
    as_json: JsonOption = False,
) -> None:
    """An embedding of who it is, with the layers conv1_2 ... conv5_2 that editors compare; tested on other people.

    synth-affect train identity --data FACES --width 16 --out DIR
    """
    network = {
        "kind": "identity",
        "size": size,
        "crop": crop,
        "width": width,
        "batch_norm": batch_norm,
        "embedding": embedding,
    }
    training = {
        "epochs": epochs, "batch": batch, "learning_rate": learning_rate, "optimizer": optimizer,
        "patience": patience, "precision": precision, "seed": seed,
    }  # fmt: skip
    people = (test_people, validation_people, folds, fold)
    _train(
        _request(_Sources(data, database, database_setting, [], detect), network, training, people, vgg_face),
        out, _Run(device, devices, tensorboard), as_json,
    )  # fmt: skip


def vgg_face_weights(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="vgg_face_dag.pth, which you have.", show_default=False)],
    out: Annotated[Path, typer.Option("-o", "--out", help="The .safetensors file to write.")],
) -> None:
    """The convolutions of VGG-Face as safetensors, which --vgg-face takes; nothing in the file is executed."""
    from synth_affect.pipelines.training.vgg_face_weights import convert_vgg_face

    typer.echo(f"wrote {out}, from sha256 {convert_vgg_face(path, out)}")


@dataclass(frozen=True, slots=True)
class _Sources:
    """What is said of the pictures."""

    data: list[Path]
    database: str
    settings: list[str] | None
    augmented: list[Path]
    detected: bool


@dataclass(frozen=True, slots=True)
class _Run:
    """Where it is trained, and what is written."""

    device: DeviceName
    devices: int
    tensorboard: bool


def _request(
    sources: _Sources,
    network: dict[str, Any],
    training: dict[str, Any],
    people: tuple[str, str, int, int],
    vgg_face: Path | None,
) -> TrainRequest:
    from synth_affect.pipelines.training.face_samples import FaceSource
    from synth_affect.pipelines.training.people_choice import PeopleChoice
    from synth_affect.pipelines.training.train_regressor import TrainRequest
    from synth_affect.regressors.networks import NetworkSettings
    from synth_affect.regressors.train_settings import TrainSettings

    settings, detected = database_settings(sources.settings), sources.detected
    return TrainRequest(
        tuple(FaceSource(path, sources.database, settings, detected) for path in sources.data),
        NetworkSettings(**network),
        TrainSettings(**training),
        tuple(FaceSource(path, detected=detected) for path in sources.augmented),
        PeopleChoice(*people),
        start=open_start(vgg_face),
    )


def _train(request: TrainRequest, out: Path, run: _Run, as_json: bool) -> None:
    from synth_affect.pipelines.training.evaluate_regressor import scores_text
    from synth_affect.pipelines.training.train_regressor import WEIGHTS, train_regressor

    card = train_regressor(
        request, out, device=str(run.device), devices=run.devices, tensorboard=run.tensorboard, progress=reading
    )
    if as_json:
        typer.echo(json.dumps(card, indent=2))
        return
    typer.echo(f"wrote {out / WEIGHTS}, epoch {card['training']['best_epoch']} of {card['training']['epochs_run']}")
    typer.echo(scores_text(card["test"]))
