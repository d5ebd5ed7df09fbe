"""Where the latents of each class lie: running means, between which edits go."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

CENTRE_MEMORY = 0.99
"""Share of the old mean that stays when a batch has come."""


def note_centres(centres: Tensor, latents: Tensor, classes: Tensor) -> None:
    """Move the centres of the classes that a batch shows.

    centres : (n_classes, n), written to.  latents : (batch, n).  classes : (batch,) numbers; -1 is none.
    """
    for number in range(len(centres)):
        of_class = latents[classes == number]
        if len(of_class):
            centres[number] += (1 - CENTRE_MEMORY) * (of_class.mean(dim=0) - centres[number])
