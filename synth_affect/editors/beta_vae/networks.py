"""Encoder and decoder; the latent is read off the encoder by two layers of seven.

| network | layers |
| --- | --- |
| encoder | C8 - C32 - F256 - F100, then F7 to the mean and F7 to the logarithm of sigma |
| decoder | F8192 - TC18,3,2 - TC12,3,2 - TC6,3,2 - TC1,1,1 - F16384; sigmoid |
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from synth_affect.editors.beta_vae.settings import BetaVaeSettings
from synth_affect.editors.expression_classifier.networks import EXTRA, build_encoder
from synth_affect.editors.expression_classifier.settings import CLASSES
from synth_affect.editors.grey_decoder import build_decoder
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import Tensor, nn

AXES = len(CLASSES)
"""Of the latent, in the order of CLASSES; nothing is asked of the last one, neutral's."""


def build_networks(settings: BetaVaeSettings) -> tuple[nn.Module, nn.Module]:
    """encoder(grey) -> means and log sigmas, (batch, 7) each; decoder(latents) -> logits of a grey picture.

    With torch's own first weights, drawn from its random numbers.
    """
    return _encoder()(settings), build_decoder(AXES, settings.size, last_dense=settings.last_dense)


@cache
def _encoder() -> Any:
    """The class; made once, because torch is not there when this module is imported."""
    nn = import_optional("torch.nn", EXTRA)

    class Encoder(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, settings: BetaVaeSettings) -> None:
            super().__init__()
            self.body = build_encoder(settings)
            self.mean = nn.Linear(settings.units[1], AXES)
            self.log_sigma = nn.Linear(settings.units[1], AXES)

        def forward(self, grey: Tensor) -> tuple[Tensor, Tensor]:
            seen = self.body(grey)
            return self.mean(seen), self.log_sigma(seen)

    return Encoder
