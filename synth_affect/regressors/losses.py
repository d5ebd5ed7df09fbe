"""What training makes small, of (n, 2) predictions and labels: valence and arousal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor

LossName = Literal["ccc", "mae", "mse"]
_SMALL = 1e-8
"""Keeps the gradient finite where a batch has one label only."""


def ccc_loss(prediction: Tensor, truth: Tensor) -> Tensor:
    """1 - (CCC of valence + CCC of arousal) / 2, over the batch (Kollias et al. 2017); population moments."""
    x, y = truth.float(), prediction.float()  # moments in half precision would be noise
    mx, my = x.mean(dim=0), y.mean(dim=0)
    vx, vy = x.var(dim=0, correction=0), y.var(dim=0, correction=0)
    cov = ((x - mx) * (y - my)).mean(dim=0)
    return 1 - (2 * cov / (vx + vy + (mx - my) ** 2 + _SMALL)).mean()


def mae_loss(prediction: Tensor, truth: Tensor) -> Tensor:
    """Mean absolute error (Lindt et al. 2019)."""
    return (prediction.float() - truth.float()).abs().mean()


def mse_loss(prediction: Tensor, truth: Tensor) -> Tensor:
    """Mean squared error."""
    return (prediction.float() - truth.float()).square().mean()


LOSSES: Mapping[LossName, Callable[[Tensor, Tensor], Tensor]] = MappingProxyType(
    {"ccc": ccc_loss, "mae": mae_loss, "mse": mse_loss}
)
