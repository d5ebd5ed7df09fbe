"""Losses of an ExprGAN; those of its two discriminators, and L_img and L_z, are in `adversarial`.

L = L_pixel + 1 L_id + 1 L_Q + 0.01 L_img + 0.01 L_z + 0.001 L_tv trains G_enc, G_dec and Q; D_img and D_z learn to tell
what was made from what is real.

Silent, and chosen: means over all values in L_pixel, in each layer of L_id and over its layers, and in L_tv, which is
of absolute differences; the variance of Q's Gaussian, which is the same for all numbers, and so large (half their
number) that L_Q is the mean of their squared errors. With variance 1 it is 15 times that: it drowns L_pixel, and no
face is learnt.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import Tensor


def pixel_loss(made: Tensor, pictures: Tensor) -> Tensor:
    """L_pixel: mean absolute difference."""
    return (made - pictures).abs().mean()


def identity_loss(of_made: Sequence[Tensor], of_pictures: Sequence[Tensor]) -> Tensor:
    """L_id: mean absolute difference of activations, layer by layer, and its mean over the layers of a face network."""
    torch = import_optional("torch", "train")
    total: Tensor = torch.stack([(a - b).abs().mean() for a, b in zip(of_made, of_pictures, strict=True)]).mean()
    return total


def controller_loss(read: Tensor, controllers: Tensor) -> Tensor:
    """L_Q: -log of the Gaussian round what Q read, at c, without its constant."""
    variance = controllers.shape[1] / 2
    return ((read - controllers) ** 2).sum(dim=1).mean() / (2 * variance)


def variation_loss(made: Tensor) -> Tensor:
    """L_tv: mean absolute difference between neighbours, along rows and along columns."""
    return made.diff(dim=2).abs().mean() + made.diff(dim=3).abs().mean()
