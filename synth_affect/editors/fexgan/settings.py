"""What an FExGAN is and how it is trained: the paper's numbers, and where it is silent our own.

In the paper: blocks down to 1 x 1, channels that grow over the first two of them, a discriminator of three blocks, the
label scaled by a normal number, the three losses, Adam 2e-4, batches of 32, 100 epochs, the adversarial loss lowered
after 50.
Silent, and chosen: the size of the pictures, widths, the length of z, kernels (4, stride 2), Adam's betas, the weights
alpha, beta, gamma, and that a target is jittered as its picture is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from synth_affect.affect import Emotion
from synth_affect.editors.setting_ranges import LOOP_RANGES, REACH_RANGE, check_ranges
from synth_affect.errors import InputError

CLASSES: tuple[Emotion, ...] = (
    Emotion.ANGER,
    Emotion.DISGUST,
    Emotion.FEAR,
    Emotion.HAPPINESS,
    Emotion.NEUTRAL,
    Emotion.SADNESS,
    Emotion.SURPRISE,
)
"""FERG-DB's seven, in its order."""


@dataclass(frozen=True, slots=True)
class FexganSettings:
    """size : height and width of the pictures, px; a power of two.
    width : channels of the first block; twice that from the second on.
    code : numbers of z.
    adversarial, late_adversarial, late_after : alpha, and what it is from epoch `late_after` on.
    divergence, reconstruction : beta and gamma.
    folded : scale labels by the absolute value of a normal number. A deviation: the paper's lambda is as often negative
        as not, so that a label's mean effect on the decoder is nothing, and what is asked for comes through late.
    reach : lambda of an edit, 1 in the paper. Every lambda was trained towards the same pictures, but what is drawn of
        the class grows with it: a faint class, such as sadness, needs more.
    Raises InputError naming the option.
    """

    size: int = 128
    width: int = 64
    code: int = 64
    adversarial: float = 1.0
    late_adversarial: float = 0.1
    late_after: int = 50
    divergence: float = 0.1
    reconstruction: float = 100.0
    folded: bool = False
    reach: float = 1.0
    batch: int = 32
    epochs: int = 100
    learning_rate: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.999)

    def __post_init__(self) -> None:
        if not 32 <= self.size <= 512 or self.size & (self.size - 1):
            raise InputError("--size", f"{self.size} is none of 32, 64, 128, 256, 512")
        check_ranges(
            self,
            {"width": (4, 512), "code": (1, 1024), "adversarial": (0, 1000), "late_adversarial": (0, 1000),
             "late_after": (0, 100_000), "divergence": (0, 1000), "reconstruction": (0, 10_000), **REACH_RANGE,
             **LOOP_RANGES},
        )  # fmt: skip

    @classmethod
    def small(cls) -> Self:
        """The size that one core trains in minutes."""
        # Faster steps, and less of the adversary, which a few thousand steps do not balance.
        return cls(
            size=64, width=24, folded=True, reach=2.0, adversarial=0.3, late_after=30, batch=16, epochs=60,
            learning_rate=1e-3,
        )  # fmt: skip
