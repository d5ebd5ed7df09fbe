"""Encoder, classifying layer and decoder.

| network | layers |
| --- | --- |
| encoder | C8 - C32 - F256 - F100; its output is the latent, 100 numbers that are not negative |
| classes | F7 on the latent |
| decoder | F8192 - TC18,3,2 - TC12,3,2 - TC6,3,2 - TC1,1,1 - F16384; sigmoid |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from synth_affect.editors.expression_classifier.networks import EXTRA, build_encoder
from synth_affect.editors.expression_classifier.settings import CLASSES
from synth_affect.editors.fader.settings import FaderSettings
from synth_affect.editors.grey_decoder import build_decoder
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True, eq=False)
class FaderNetworks:
    """encoder(grey) -> (batch, latent).  classes(latents) -> (batch, 7) logits.  decoder(latents) -> logits of grey."""

    encoder: nn.Module
    classes: nn.Linear
    decoder: nn.Module


def build_networks(settings: FaderSettings) -> FaderNetworks:
    """All three, with torch's own first weights, drawn from its random numbers."""
    nn = import_optional("torch.nn", EXTRA)
    n = settings.units[1]
    return FaderNetworks(
        build_encoder(settings),
        nn.Linear(n, len(CLASSES)),
        build_decoder(n, settings.size, last_dense=settings.last_dense),
    )
