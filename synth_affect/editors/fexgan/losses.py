"""Losses of generator (encoder and decoder) and discriminator (Siddiqui 2022).

Generator: alpha [BCE(1, D) + CE(target class)] + beta KL + gamma L1. Discriminator: BCE(1) + CE(source class) on real
pictures, BCE(0) + CE(target class) on generated ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import Tensor


def divergence(means: Tensor, log_variances: Tensor) -> Tensor:
    """KL from N(mean, variance) to N(0, 1): summed over z, mean over the batch."""
    of_each = (means**2 + log_variances.exp() - log_variances - 1) / 2
    total: Tensor = of_each.sum(dim=1).mean()
    return total


def judged(answers: tuple[Tensor, Tensor], classes: Tensor, *, real: bool) -> Tensor:
    """BCE(1 or 0) + CE(class), mean over the batch.

    answers : of the discriminator: (batch,) logits of being real, (batch, classes) logits.  classes : (batch,) int64.
    """
    logits, category_logits = answers
    functional = import_optional("torch.nn.functional", "train")
    wanted = logits.new_full(logits.shape, float(real))
    total: Tensor = functional.binary_cross_entropy_with_logits(logits, wanted)
    total = total + functional.cross_entropy(category_logits, classes)
    return total
