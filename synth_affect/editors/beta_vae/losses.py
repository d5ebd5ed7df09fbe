"""alpha BCE + beta (-1/2) sum(1 + 2 log sigma - sigma^2 - mu^2) + gamma softmax cross-entropy on z."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_affect.editors.expression_classifier.augmentation import NEUTRAL
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import Tensor


def reconstruction_loss(logits: Tensor, grey: Tensor) -> Tensor:
    """Binary cross-entropy of grey values in [0, 1], mean over pixels and batch."""
    functional = import_optional("torch.nn.functional", "train")
    loss: Tensor = functional.binary_cross_entropy_with_logits(logits, grey)
    return loss


def divergence(means: Tensor, log_sigmas: Tensor) -> Tensor:
    """KL from N(mu, sigma^2) to N(0, 1): summed over the axes, mean over the batch."""
    of_each = -(1 + 2 * log_sigmas - (2 * log_sigmas).exp() - means**2) / 2
    total: Tensor = of_each.sum(dim=1).mean()
    return total


def classification_loss(latents: Tensor, classes: Tensor) -> Tensor:
    """-sum y log softmax(z), mean over the batch. classes : numbers in CLASSES.

    Neutral has the all-zero label, so it adds nothing: it is the prior that draws it to the origin. Pictures of no
    class, -1, add nothing either.
    """
    torch = import_optional("torch", "train")
    emotional = (classes >= 0) & (classes != NEUTRAL)
    logs = torch.log_softmax(latents, dim=1)
    taken = logs.gather(1, classes.clamp(min=0)[:, None])[:, 0]
    loss: Tensor = -(taken * emotional).mean()
    return loss
