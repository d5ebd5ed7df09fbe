"""What the fader network is and how it is trained.

In the paper: encoder (the classifier's) and decoder, the three losses that are added one after the other (L2;
multi-class cross-entropy on the emotion; adversarial, weight 0.1), Adam.
Silent, and chosen: a mean over the pixels of L2 and its weight beside the cross-entropy, the optimizer's numbers,
batch, epochs; how an edit is made; that P(emotion) in the adversarial loss is the probability of any emotion, against
none, as read by the layer that learns the classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from synth_affect.editors.expression_classifier.settings import AUGMENTED_RANGES, EncoderSettings
from synth_affect.editors.setting_ranges import LOOP_RANGES, REACH_RANGE, SLOWING_RANGES, check_ranges
from synth_affect.errors import InputError

LOSSES = ("l2", "multi-class", "adversarial")


@dataclass(frozen=True, slots=True)
class FaderSettings(EncoderSettings):
    """last_dense : of the decoder, see `build_decoder`.
    loss : one of LOSSES; each has those before it, too.
    reconstruction : weight of L2.  adversarial : weight of the third loss.
    reach : of edits, see `GreyCropEditor`.
    per_class : pictures of each class that the augmentation makes.
    last_learning_rate : of the last epoch, to which it falls by the same factor each epoch.
    """

    last_dense: bool = True
    loss: str = "multi-class"
    reconstruction: float = 100.0
    adversarial: float = 0.1
    reach: float = 2.5
    per_class: int = 2000
    batch: int = 64
    epochs: int = 50
    learning_rate: float = 1e-3
    last_learning_rate: float = 1e-3

    def __post_init__(self) -> None:
        EncoderSettings.__post_init__(self)
        if self.loss not in LOSSES:
            raise InputError("--loss", f"{self.loss!r} is none of {', '.join(LOSSES)}")
        check_ranges(
            self,
            {"reconstruction": (0, 1e6), "adversarial": (0, 1e6),
             **REACH_RANGE, **AUGMENTED_RANGES, **SLOWING_RANGES, **LOOP_RANGES},
        )  # fmt: skip

    @classmethod
    def small(cls) -> Self:
        """The size that one core trains in minutes."""
        return cls(size=64, pool_stride=2, last_dense=False, per_class=1000, epochs=36, last_learning_rate=2e-4)
