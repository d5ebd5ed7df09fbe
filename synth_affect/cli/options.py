"""Options that several commands share, and how numbers are read."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class LookupChoice(StrEnum):
    """How a grid is read between the centres of its cells."""

    CONTINUOUS = "continuous"
    CELL = "cell"


class StatisticChoice(StrEnum):
    """What of a cell is shown."""

    TYPICAL = "typical"
    MEAN = "mean"


class DeviceName(StrEnum):
    """Where torch computes."""

    CPU = "cpu"
    CUDA = "cuda"
    AUTO = "auto"


class InputExpressionChoice(StrEnum):
    """What happens to the expression that the photograph shows."""

    REPLACE = "replace"
    KEEP = "keep"


def number(text: str) -> float:
    """A float; for options and arguments."""
    # Typer's own readers of numbers word their errors differently from version to version, and at length.
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a number") from None


def count(text: str) -> int:
    """A whole number; for options and arguments."""
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a whole number") from None


def _units_that_start(incomplete: str) -> list[str]:
    """For a shell's completion of `--au`."""
    from synth_affect.blendshape.local_units import UNIT_NAMES, why_not

    shown = [name for name, moved in UNIT_NAMES.items() if not any(map(why_not, moved))]
    return [f"{name}=" for name in shown if name.startswith(incomplete)]


ImageOption = Annotated[Path | None, typer.Option("--image", help="The photograph.")]
FaceOption = Annotated[
    str, typer.Option("--face", metavar="largest|all|INDEX", help="Which face; INDEX counts from the largest, 0.")
]
IntensityOption = Annotated[
    float, typer.Option("--intensity", parser=number, metavar="NUMBER", help="Factor on the expression, 0 to 10.")
]
InputExpressionOption = Annotated[
    InputExpressionChoice,
    typer.Option("--input-expression", help="Replace the expression that the face has, or keep it and add to it."),
]
WrinklesOption = Annotated[
    float, typer.Option("--wrinkles", parser=number, metavar="NUMBER", help="Strength of the skin's folds, 0 to 1.")
]
ActionUnitsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--au",
        metavar="UNIT=NUMBER",
        autocompletion=_units_that_start,
        help="A single unit on top, 0 to 1: AU12=0.8, AU12L=0.3, mouthSmileLeft=.5; see units. Repeatable.",
    ),
]
QualityOption = Annotated[
    int, typer.Option("--quality", parser=count, metavar="COUNT", help="Of JPEG, WebP and AVIF, 1 to 100.")
]
FitInOption = Annotated[Path | None, typer.Option("--fit-in", help="Use this fit; nothing is detected.")]
LandmarkModelOption = Annotated[
    Path | None, typer.Option("--landmark-model", help="MediaPipe's face_landmarker.task, where not the one found.")
]
HeadOption = Annotated[
    str,
    typer.Option(
        "--head", metavar="NAME|PATH", help="The head model: a name of synth-affect models list, or a model's file."
    ),
]
LandmarksOption = Annotated[
    Path | None, typer.Option("--landmarks", help="68 points (.pts, .ljson) of the face; nothing is detected.")
]
GridOption = Annotated[
    str,
    typer.Option(
        "--grid",
        metavar="prototypes|default|PATH",
        help="Where expressions come from: the map of prototypes, the packaged grid, or the file of another.",
    ),
]
LookupOption = Annotated[
    LookupChoice, typer.Option("--lookup", help="Between the cells of a grid smoothly, or cell by cell.")
]
StatisticOption = Annotated[
    StatisticChoice, typer.Option("--statistic", help="A cell's typical expression, or its mean (the paper's).")
]
SampleOption = Annotated[
    int | None,
    typer.Option("--sample", parser=count, metavar="SEED", help="Draw an unseen expression from the grid."),
]
DetectorOption = Annotated[
    str,
    typer.Option(
        "--detector", metavar="mediapipe|face-alignment", help="What finds the landmarks (the latter: an extra)."
    ),
]
MinQualityOption = Annotated[
    float,
    typer.Option("--min-quality", parser=number, metavar="NUMBER", help="Refuse a face whose fit scores less, 0 to 1."),
]
RefineOption = Annotated[
    bool, typer.Option("--refine", help="Correct the fit by the pixels of the face (needs torch).")
]
DeviceOption = Annotated[
    DeviceName | None, typer.Option("--device", help="Where --refine runs [auto: the GPU where it can be used].")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print a summary as JSON.")]
