"""How a network is trained, checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from synth_affect.errors import InputError
from synth_affect.regressors.losses import LOSSES, LossName

OptimizerName = Literal["sgd", "adam"]
Precision = Literal["32", "bf16", "16"]


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """How a network is trained. The defaults of `va-cnn` in the paper: sgd, 0.001, mae.

    batch : pictures, or sequences.  patience : epochs without a better score until it stops; 0 for never.
    steps : frames of a sequence, and how long a still is held.
    made_share : see `BatchPlan`.
    landmark_loss : weight of a second loss, that of `build_shape_reading`, of networks that `can_find_landmarks`; ours.
    Raises InputError naming the option.
    """

    epochs: int = 50
    batch: int = 32
    learning_rate: float = 1e-3
    optimizer: OptimizerName = "adam"
    loss: LossName = "ccc"
    weight_decay: float = 1e-4
    patience: int = 0
    steps: int = 16
    precision: Precision = "32"
    made_share: float | None = None
    landmark_loss: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for option, number, least, most in (
            ("--epochs", self.epochs, 1, 100_000), ("--batch", self.batch, 2, 4096),
            ("--learning-rate", self.learning_rate, 1e-9, 10.0), ("--weight-decay", self.weight_decay, 0.0, 1.0),
            ("--patience", self.patience, 0, 100_000), ("--steps", self.steps, 1, 1000),
            ("--mix", self.made_share or 0.0, 0.0, 1000.0), ("--landmark-loss", self.landmark_loss, 0.0, 1000.0),
            ("--seed", self.seed, 0, 2**31 - 1),
        ):  # fmt: skip
            if not least <= number <= most:
                raise InputError(option, f"{number:g} is not in [{least:g}, {most:g}]")
        for option, name, known in (
            ("--optimizer", self.optimizer, get_args(OptimizerName)),
            ("--loss", self.loss, tuple(LOSSES)),
            ("--precision", self.precision, get_args(Precision)),
        ):
            if name not in known:
                raise InputError(option, f"{name!r} is none of {', '.join(known)}")
