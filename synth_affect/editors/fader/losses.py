"""The three losses, of which the third is (dec(z) - x)^2 - 0.1 log(1 - P(emotion)) without its first part."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_affect.editors.expression_classifier.augmentation import NEUTRAL
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import Tensor, nn


def reconstruction_loss(grey_made: Tensor, grey: Tensor) -> Tensor:
    """L2: squared difference, mean over pixels and batch."""
    loss: Tensor = ((grey_made - grey) ** 2).mean()
    return loss


def class_loss(logits: Tensor, classes: Tensor) -> Tensor:
    """Softmax cross-entropy; pictures of no class, -1, are passed over. 0 where there is no other."""
    functional = import_optional("torch.nn.functional", "train")
    known = classes >= 0
    if not bool(known.any()):
        nothing: Tensor = logits.sum() * 0
        return nothing
    loss: Tensor = functional.cross_entropy(logits[known], classes[known])
    return loss


def adversarial_loss(latents: Tensor, classes_layer: nn.Linear) -> Tensor:
    """-log(1 - P(emotion)), mean: small when the layer sees no emotion in the latents. The layer itself learns nothing
    from it: it only says which way the encoder has to go.
    """
    torch = import_optional("torch", "train")
    logits = torch.nn.functional.linear(latents, classes_layer.weight.detach(), classes_layer.bias.detach())
    # 1 - P(emotion) is P(none), that of neutral.
    loss: Tensor = -torch.log_softmax(logits, dim=1)[:, NEUTRAL].mean()
    return loss
