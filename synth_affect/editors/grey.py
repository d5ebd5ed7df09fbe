"""Grey pictures for networks that know no colour, and colour for what they made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import Tensor

LUMA = (0.299, 0.587, 0.114)
"""Of R, G, B, on sRGB values (ITU-R BT.601)."""


def grey_of(pictures: Tensor) -> Tensor:
    """(batch, 1, size, size) in [0, 1] of (batch, 3, size, size) RGB in [-1, 1]."""
    luma = pictures.new_tensor(LUMA).view(1, 3, 1, 1)
    grey: Tensor = ((pictures + 1) * luma).sum(dim=1, keepdim=True) / 2
    return grey


def carry_change(pictures: Tensor, before: Tensor, after: Tensor) -> Tensor:
    """`pictures` (batch, 3, size, size) in [-1, 1], lighter or darker by as much as `after` is than `before`.

    before, after : (batch, 1, size, size) in [0, 1], the network's picture of the face as it is, and as it is to be.
    What the network can not draw, such as colours, skin and whose face it is, so stays the photograph's.
    """
    torch = import_optional("torch", "train")
    changed: Tensor = torch.clamp(pictures + 2 * (after - before), -1, 1)
    return changed
