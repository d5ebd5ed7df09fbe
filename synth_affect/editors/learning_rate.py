"""A learning rate that falls from the first epoch to the last."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch.optim import Optimizer


def set_learning_rate(optimizer: Optimizer, first: float, last: float, epoch: int, epochs: int) -> None:
    """By the same factor each epoch; it follows from the epoch alone, so a run that goes on learns as it would have."""
    rate = first * (last / first) ** (min(epoch, epochs - 1) / max(epochs - 1, 1))
    for group in optimizer.param_groups:
        group["lr"] = rate
