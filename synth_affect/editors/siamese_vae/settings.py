"""What comparator and VAE are and how they are trained.

In the paper: a comparator that says of two pictures whether they show one emotion, trained on pairs, or on averaged
faces of one emotion; and a VAE whose loss is binary cross-entropy minus lambda times the comparator's response. Their
comparator stayed at 50 % on test pictures, and the VAE was never trained.
Silent, and chosen: the comparator's and the VAE's encoder, which is the classifier's; that two pictures are compared by
the absolute difference of their codes; lambda; the VAE's latent, the weight of its divergence; the optimizer's
numbers; how an edit is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from synth_affect.editors.expression_classifier.settings import AUGMENTED_RANGES, EncoderSettings
from synth_affect.editors.setting_ranges import LOOP_RANGES, REACH_RANGE, check_ranges
from synth_affect.errors import InputError

PAIRINGS = ("pictures", "averages")


@dataclass(frozen=True, slots=True)
class SiameseSettings(EncoderSettings):
    """pairing : the comparator sees two pictures, or a picture and the average of an emotion's faces.
    comparator_epochs : of the comparator, before the VAE, which has the others.
    latent : numbers of the VAE's.  last_dense : of its decoder, see `build_decoder`.
    support : lambda.  divergence : weight of the KL divergence.  reach : of edits, see `GreyCropEditor`.
    per_class : pictures of each class that the augmentation makes.
    """

    pairing: str = "pictures"
    comparator_epochs: int = 30
    latent: int = 32
    last_dense: bool = True
    support: float = 0.01
    divergence: float = 0.001
    reach: float = 2.0
    per_class: int = 2000
    batch: int = 64
    epochs: int = 60
    learning_rate: float = 1e-3

    def __post_init__(self) -> None:
        EncoderSettings.__post_init__(self)
        if self.pairing not in PAIRINGS:
            raise InputError("--pairing", f"{self.pairing!r} is none of {', '.join(PAIRINGS)}")
        check_ranges(
            self,
            {"comparator_epochs": (1, 100_000), "latent": (1, 1024), "support": (0, 1e6), "divergence": (0, 1e6),
             **REACH_RANGE, **AUGMENTED_RANGES, **LOOP_RANGES},
        )  # fmt: skip

    @classmethod
    def small(cls) -> Self:
        """The size that one core trains in minutes."""
        return cls(size=64, pool_stride=2, last_dense=False, per_class=500, comparator_epochs=12, epochs=24)
