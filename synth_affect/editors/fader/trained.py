"""Encoder and decoder of a fader network that was trained, for experiments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_affect.editors.fader.networks import build_networks
from synth_affect.editors.fader.settings import FaderSettings
from synth_affect.editors.grey_autoencoder import GreyAutoencoder

if TYPE_CHECKING:
    from synth_affect.editors.weights import EditorWeights


class TrainedFader(GreyAutoencoder):
    """Its latents are (n, units[1])."""

    def __init__(self, settings: FaderSettings, weights: EditorWeights, device: str = "cpu") -> None:
        """Raises InputError for weights of other shapes."""
        self.settings = settings
        networks = build_networks(settings)
        super().__init__(networks.encoder, networks.decoder, weights, device, length=settings.units[1])
