"""The comparator's loss, and the VAE's: binary cross-entropy minus lambda times the comparator's response."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import Tensor


def comparison_loss(logits: Tensor, same: Tensor) -> Tensor:
    """Binary cross-entropy, mean over the pairs. same : (batch,) bool."""
    functional = import_optional("torch.nn.functional", "train")
    loss: Tensor = functional.binary_cross_entropy_with_logits(logits, same.to(logits.dtype))
    return loss


def response(logits: Tensor) -> Tensor:
    """Mean probability that both pictures of a pair show one emotion, as the comparator sees it; in [0, 1]."""
    mean: Tensor = logits.sigmoid().mean()
    return mean
