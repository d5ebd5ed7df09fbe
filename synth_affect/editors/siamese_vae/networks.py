"""Comparator and VAE.

| network | layers |
| --- | --- |
| comparator | C8 - C32 - F256 - F100 for both pictures, with the same weights; F1 on the absolute difference |
| encoder | C8 - C32 - F256 - F100, then one layer to the mean and one to the logarithm of sigma |
| decoder | F8192 - TC18,3,2 - TC12,3,2 - TC6,3,2 - TC1,1,1 - F16384; sigmoid |
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from synth_affect.editors.expression_classifier.networks import EXTRA, build_encoder
from synth_affect.editors.grey_decoder import build_decoder
from synth_affect.editors.siamese_vae.settings import SiameseSettings
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True, slots=True, eq=False)
class SiameseNetworks:
    """comparator(grey, grey) -> (batch,) logits that both show one emotion.
    encoder(grey) -> means and log sigmas, (batch, latent) each.  decoder(latents) -> logits of grey.
    """

    comparator: nn.Module
    encoder: nn.Module
    decoder: nn.Module


def build_networks(settings: SiameseSettings) -> SiameseNetworks:
    """All three, with torch's own first weights, drawn from its random numbers."""
    comparator, encoder = _classes()
    return SiameseNetworks(
        comparator(settings),
        encoder(settings),
        build_decoder(settings.latent, settings.size, last_dense=settings.last_dense),
    )


@cache
def _classes() -> tuple[Any, Any]:
    """Classes of modules; made once, because torch is not there when this module is imported."""
    nn = import_optional("torch.nn", EXTRA)

    class Comparator(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, settings: SiameseSettings) -> None:
            super().__init__()
            self.body = build_encoder(settings)
            self.last = nn.Linear(settings.units[1], 1)

        def forward(self, one: Tensor, other: Tensor) -> Tensor:
            logits: Tensor = self.last((self.body(one) - self.body(other)).abs())[:, 0]
            return logits

    class Encoder(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, settings: SiameseSettings) -> None:
            super().__init__()
            self.body = build_encoder(settings)
            self.mean = nn.Linear(settings.units[1], settings.latent)
            self.log_sigma = nn.Linear(settings.units[1], settings.latent)

        def forward(self, grey: Tensor) -> tuple[Tensor, Tensor]:
            seen = self.body(grey)
            return self.mean(seen), self.log_sigma(seen)

    return Comparator, Encoder
