"""Losses of a CAAE; those of its two discriminators, and L_z and L_img, are in `adversarial`.

L = 1 L_rec + 1/3 L_iden + 0.01 L_z + 0.01 L_img trains E and G; the paper names lambda_3 twice, of which the second
is the weight of L_img. Equations 1 and 2 print z where the label is meant. No total variation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import Tensor


def reconstruction_loss(made: Tensor, pictures: Tensor) -> Tensor:
    """L_rec: mean absolute difference of the values."""
    return (made - pictures).abs().mean()


def identity_loss(of_made: Sequence[Tensor], of_pictures: Sequence[Tensor]) -> Tensor:
    """L_iden: over the layers of a face network, the sum of the mean absolute differences of their activations, each
    divided by the layer's places.

    The paper is silent on how layers are scaled. The code that its authors released divides like this, so that deep
    layers, which know people, count, and shallow ones, which know edges, hardly do. Without it, on our small networks,
    L_iden is weighted three times L_rec, and what G draws is sharper but a grid of edges, and follows arousal less.

    of_made, of_pictures : each layer (batch, channels, height, width).
    """
    torch = import_optional("torch", "train")
    layers = [(a - b).abs().mean() / a[0, 0].numel() for a, b in zip(of_made, of_pictures, strict=True)]
    total: Tensor = torch.stack(layers).sum()
    return total
