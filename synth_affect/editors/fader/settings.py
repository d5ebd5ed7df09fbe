"""What the fader network is and how it is trained.

In the paper: encoder (the classifier's) and decoder, the three losses that are added one after the other (L2;
multi-class cross-entropy on the emotion; adversarial, weight 0.1), Adam.
Silent, and chosen: a mean over the pixels of L2 and its weight beside the cross-entropy, the optimizer's numbers,
batch, epochs; that P(emotion) in the adversarial loss is the probability of any emotion, against none, as read by the
layer that learns the classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from synth_affect.editors.expression_classifier.settings import EncoderSettings
from synth_affect.errors import InputError

LOSSES = ("l2", "multi-class", "adversarial")


@dataclass(frozen=True, slots=True)
class FaderSettings(EncoderSettings):
    """last_dense : of the decoder, see `build_decoder`.
    loss : one of LOSSES; each has those before it, too.
    reconstruction : weight of L2.  adversarial : weight of the third loss.
    per_class : pictures of each class that the augmentation makes.
    """

    last_dense: bool = True
    loss: str = "multi-class"
    reconstruction: float = 100.0
    adversarial: float = 0.1
    per_class: int = 2000
    batch: int = 64
    epochs: int = 50
    learning_rate: float = 1e-3

    def __post_init__(self) -> None:
        EncoderSettings.__post_init__(self)
        if self.loss not in LOSSES:
            raise InputError("--loss", f"{self.loss!r} is none of {', '.join(LOSSES)}")
        for option, value, least, most in (
            ("--reconstruction", self.reconstruction, 0, 1e6), ("--adversarial", self.adversarial, 0, 1e6),
            ("--per-class", self.per_class, 1, 1_000_000), ("--batch", self.batch, 2, 4096),
            ("--epochs", self.epochs, 1, 100_000), ("--learning-rate", self.learning_rate, 1e-9, 1),
        ):  # fmt: skip
            if not least <= value <= most:
                raise InputError(option, f"{value:g} is not in [{least:g}, {most:g}]")

    @classmethod
    def small(cls) -> Self:
        """The size that one core trains in minutes."""
        return cls(size=64, pool_stride=2, last_dense=False, per_class=1000, epochs=15)
