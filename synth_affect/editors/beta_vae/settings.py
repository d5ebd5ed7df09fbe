"""What the semi-supervised beta-VAE is and how it is trained.

In the paper: a latent of seven numbers that is also the layer of classification, the three losses and their weights 1,
2, 10, neutral with the all-zero label.
Silent, and chosen: encoder and decoder, which are those of the paper's other systems; a mean over the pixels of the
cross-entropy, as Keras gives it; the optimizer's numbers (Adam 1e-3), batch, epochs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from synth_affect.editors.expression_classifier.settings import EncoderSettings
from synth_affect.errors import InputError


@dataclass(frozen=True, slots=True)
class BetaVaeSettings(EncoderSettings):
    """last_dense : of the decoder, see `build_decoder`.
    reconstruction, divergence, classification : alpha, beta, gamma.
    per_class : pictures of each class that the augmentation makes.
    """

    last_dense: bool = True
    reconstruction: float = 1.0
    divergence: float = 2.0
    classification: float = 10.0
    per_class: int = 2000
    batch: int = 64
    epochs: int = 50
    learning_rate: float = 1e-3

    def __post_init__(self) -> None:
        EncoderSettings.__post_init__(self)
        for option, value, least, most in (
            ("--reconstruction", self.reconstruction, 0, 1e6), ("--divergence", self.divergence, 0, 1e6),
            ("--classification", self.classification, 0, 1e6), ("--per-class", self.per_class, 1, 1_000_000),
            ("--batch", self.batch, 2, 4096), ("--epochs", self.epochs, 1, 100_000),
            ("--learning-rate", self.learning_rate, 1e-9, 1),
        ):  # fmt: skip
            if not least <= value <= most:
                raise InputError(option, f"{value:g} is not in [{least:g}, {most:g}]")

    @classmethod
    def small(cls) -> Self:
        """The size that one core trains in minutes."""
        return cls(size=64, pool_stride=2, last_dense=False, per_class=1000, epochs=15)
