"""What the semi-supervised beta-VAE is and how it is trained.

In the paper: a latent of seven numbers that is also the layer of classification, the three losses and their weights 1,
2, 10, neutral with the all-zero label.
Silent, and chosen: encoder and decoder, which are those of the paper's other systems; a mean over the pixels of the
cross-entropy, as Keras gives it; the optimizer's numbers (Adam 1e-3), batch, epochs; how an edit is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from synth_affect.editors.expression_classifier.settings import AUGMENTED_RANGES, EncoderSettings
from synth_affect.editors.setting_ranges import LOOP_RANGES, REACH_RANGE, check_ranges


@dataclass(frozen=True, slots=True)
class BetaVaeSettings(EncoderSettings):
    """last_dense : of the decoder, see `build_decoder`.
    reconstruction, divergence, classification : alpha, beta, gamma.
    reach : of edits, see `GreyCropEditor`.
    per_class : pictures of each class that the augmentation makes.
    """

    last_dense: bool = True
    reconstruction: float = 1.0
    divergence: float = 2.0
    classification: float = 10.0
    reach: float = 5.0
    per_class: int = 2000
    batch: int = 64
    epochs: int = 50
    learning_rate: float = 1e-3

    def __post_init__(self) -> None:
        EncoderSettings.__post_init__(self)
        check_ranges(
            self,
            {"reconstruction": (0, 1e6), "divergence": (0, 1e6), "classification": (0, 1e6), **REACH_RANGE,
             **AUGMENTED_RANGES, **LOOP_RANGES},
        )  # fmt: skip

    @classmethod
    def small(cls) -> Self:
        """The size that one core trains in minutes."""
        return cls(size=64, pool_stride=2, last_dense=False, per_class=1000, epochs=15)
