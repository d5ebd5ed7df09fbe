"""What discriminators make small, and those who make what they see.

CAAE and ExprGAN share it: cross-entropy of a sigmoid, for what is judged as a picture and for what is judged as a code;
codes are drawn towards U(-1, 1).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import Tensor

EXTRA = "train"


def taken_for_real(logits: Tensor) -> Tensor:
    """-log sigmoid, mean: small when a discriminator takes what it saw for real. L_z and L_img, of what was made."""
    functional = import_optional("torch.nn.functional", EXTRA)
    loss: Tensor = functional.softplus(-logits).mean()
    return loss


def taken_for_made(logits: Tensor) -> Tensor:
    """-log(1 - sigmoid), mean: small when a discriminator takes what it saw for made."""
    functional = import_optional("torch.nn.functional", EXTRA)
    loss: Tensor = functional.softplus(logits).mean()
    return loss


def discriminator_loss(of_real: Tensor, of_made: Tensor) -> Tensor:
    """What D_img and D_z make small, of their logits."""
    return taken_for_real(of_real) + taken_for_made(of_made)


def code_discriminator_loss(discriminator: Callable[[Tensor], Tensor], codes: Tensor) -> Tensor:
    """What D_z makes small: codes that were made against as many drawn from the prior, U(-1, 1)."""
    torch = import_optional("torch", EXTRA)
    drawn = torch.rand_like(codes) * 2 - 1
    return discriminator_loss(discriminator(drawn), discriminator(codes))
