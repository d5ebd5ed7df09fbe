"""Options that the commands of `synth-affect train` share."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synth_affect.cli.options import DeviceName, count, number
from synth_affect.cli.progress import with_progress

if TYPE_CHECKING:
    from synth_affect.regressors.vgg_face import VggFace

DataOption = Annotated[
    list[Path],
    typer.Option(help="Labelled faces: rendered, or a database (see --database). Repeatable.", show_default=False),
]
DatabaseOption = Annotated[
    str,
    typer.Option(metavar="NAME", help="A name of synth-affect databases list [default: what the folder says it is]."),
]
AugmentedOption = Annotated[
    list[Path] | None, typer.Option(help="What synth-affect augment made of the same database. Repeatable.")
]
DetectOption = Annotated[
    bool, typer.Option("--detect", help="Find landmarks in the pictures, as judges do, in place of the data's own.")
]
MixOption = Annotated[
    float | None,
    typer.Option(parser=number, metavar="NUMBER", help="Augmented pictures for each real one [default: all]."),
]
OutOption = Annotated[
    Path, typer.Option("--out", "-o", help="A folder for weights, card and log; a stopped run goes on.")
]
WidthOption = Annotated[
    int, typer.Option(parser=count, metavar="COUNT", help="Channels of the first convolution; 64 is VGG-16's.")
]
SizeOption = Annotated[int, typer.Option(parser=count, metavar="COUNT", help="Height and width, a multiple of 32.")]
EpochsOption = Annotated[int, typer.Option(parser=count, metavar="COUNT", help="At most.")]
BatchOption = Annotated[int, typer.Option(parser=count, metavar="COUNT", help="Pictures, or sequences, in a batch.")]
RateOption = Annotated[float, typer.Option(parser=number, metavar="NUMBER", help="At the start; it falls to 0.")]
OptimizerOption = Annotated[str, typer.Option(metavar="sgd|adam", help="sgd is with momentum 0.9.")]
LossOption = Annotated[str, typer.Option(metavar="ccc|mae|mse", help="What is made small.")]
LandmarkLossOption = Annotated[
    float,
    typer.Option(
        parser=number,
        metavar="NUMBER",
        help="Weight of finding landmarks in training; not the paper's, and much faster.",
    ),
]
PatienceOption = Annotated[
    int, typer.Option(parser=count, metavar="COUNT", help="Stop after so many epochs without gain; 0: never.")
]
CropOption = Annotated[
    str,
    typer.Option(metavar="aligned|square", help="Eyes and mouth at fixed places, or a square round the landmarks."),
]
TestPeopleOption = Annotated[
    str,
    typer.Option(metavar="NAME,A-B,...", help="Who is tested: names, or the numbers they end in [default: a fold]."),
]
ValidationPeopleOption = Annotated[
    str,
    typer.Option(
        metavar="NAME,A-B,...",
        help="Who chooses the epoch, or is drawn on the sheets of editors [default: an eighth of the others].",
    ),
]
FoldsOption = Annotated[int, typer.Option(parser=count, metavar="COUNT", help="Groups of people.")]
FoldOption = Annotated[int, typer.Option(parser=count, metavar="INDEX", help="The group that is tested.")]
SeedOption = Annotated[int, typer.Option(parser=count, metavar="COUNT", help="Of all that is random.")]
PrecisionOption = Annotated[str, typer.Option(metavar="32|bf16|16", help="Bits of the numbers; mixed below 32.")]
DeviceOption = Annotated[DeviceName, typer.Option(help="Where torch computes.")]
DevicesOption = Annotated[
    int, typer.Option(parser=count, metavar="COUNT", help="GPUs, or processes on the CPU, that share each batch.")
]
TensorBoardOption = Annotated[
    bool, typer.Option("--tensorboard", help="Write the log for TensorBoard, too: OUT/tensorboard.")
]
StartOption = Annotated[
    Path | None, typer.Option(help="The user's vgg_face_dag.pth, or what vgg-face-weights made of it.")
]
StepsOption = Annotated[
    int, typer.Option(parser=count, metavar="COUNT", help="Frames of a sequence, and how long a still is held.")
]
NormOption = Annotated[bool, typer.Option(help="Batch norm after each convolution; VGG-Face has none.")]


def reading(items: Iterable[Any], n: int) -> Iterable[Any]:
    """Progress while pictures are read."""
    return with_progress(items, n, "reading faces")


def open_start(path: Path | None) -> VggFace | None:
    """Weights to start from, if any."""
    if path is None:
        return None
    from synth_affect.pipelines.training.vgg_face_weights import open_vgg_face

    return open_vgg_face(path)
