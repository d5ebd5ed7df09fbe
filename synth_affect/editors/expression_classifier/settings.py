"""What the classifier of Barradas-Chacon et al. is, and how it is trained.

In the paper: grey pictures of 128 px, C8 - C32 - F256 - F100 - dropout 0.5 - 7, a pool of stride 1.
Silent, and chosen: the optimizer's numbers (Adam 1e-3), batch, epochs, ReLU after F256 and F100.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from synth_affect.affect import Emotion
from synth_affect.editors.setting_ranges import LOOP_RANGES, SLOWING_RANGES, check_ranges
from synth_affect.errors import InputError

EMOTIONS: tuple[Emotion, ...] = (
    Emotion.ANGER,
    Emotion.CONTEMPT,
    Emotion.DISGUST,
    Emotion.SURPRISE,
    Emotion.HAPPINESS,
    Emotion.SADNESS,
)
"""The paper's six, in its order."""
CLASSES: tuple[Emotion, ...] = (*EMOTIONS, Emotion.NEUTRAL)
AUGMENTED_RANGES = {"per_class": (1, 1_000_000)}
"""Of the setting that every network on augmented pictures has."""


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """size : height and width of the grey pictures, px.
    channels : of the two convolutions.  units : of the two fully connected layers.
    pool_stride : 1 is the paper's, with which the first fully connected layer has 134 million weights at 128 px; 2 is
        a deviation, for machines that have minutes.
    Raises InputError naming the option.
    """

    size: int = 128
    channels: tuple[int, int] = (8, 32)
    units: tuple[int, int] = (256, 100)
    pool_stride: int = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "channels", tuple(self.channels))  # JSON knows lists alone
        object.__setattr__(self, "units", tuple(self.units))
        if not 16 <= self.size <= 512 or self.size % 16:
            raise InputError("--size", f"{self.size} is not a multiple of 16 in [16, 512]")
        if self.pool_stride not in (1, 2):
            raise InputError("--pool-stride", f"{self.pool_stride} is neither 1 nor 2")
        for option, numbers in (("--channels", self.channels), ("--units", self.units)):
            if len(numbers) != 2 or not all(1 <= n <= 4096 for n in numbers):
                raise InputError(option, "are two numbers in [1, 4096]")


@dataclass(frozen=True, slots=True)
class ClassifierSettings(EncoderSettings):
    """dropout : before the last layer.  per_class : pictures of each class that the augmentation makes.
    last_learning_rate : of the last epoch, to which it falls by the same factor each epoch.
    """

    dropout: float = 0.5
    per_class: int = 2000
    batch: int = 64
    epochs: int = 30
    learning_rate: float = 1e-3
    last_learning_rate: float = 1e-3

    def __post_init__(self) -> None:
        EncoderSettings.__post_init__(self)
        check_ranges(self, {"dropout": (0, 0.95), **AUGMENTED_RANGES, **SLOWING_RANGES, **LOOP_RANGES})

    @classmethod
    def small(cls) -> Self:
        """The size that one core trains in minutes."""
        return cls(size=96, pool_stride=2, per_class=1000, epochs=8, last_learning_rate=3e-4)
