"""A step of an optimizer down a loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer


def take_step(optimizer: Optimizer, loss: Tensor) -> Tensor:
    """Gradients of `loss` from nothing, and the step. Returns the loss."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    return loss
