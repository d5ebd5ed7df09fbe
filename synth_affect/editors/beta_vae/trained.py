"""Encoder and decoder of a beta-VAE that was trained, for experiments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_affect.editors.beta_vae.networks import AXES, build_networks
from synth_affect.editors.beta_vae.settings import BetaVaeSettings
from synth_affect.editors.grey_autoencoder import GreyAutoencoder

if TYPE_CHECKING:
    from synth_affect.editors.weights import EditorWeights


class TrainedBetaVae(GreyAutoencoder):
    """Its latents are (n, 7), the means."""

    def __init__(self, settings: BetaVaeSettings, weights: EditorWeights, device: str = "cpu") -> None:
        """Raises InputError for weights of other shapes."""
        encoder, decoder = build_networks(settings)
        super().__init__(
            encoder, decoder, weights, device, length=AXES, latent_of=lambda encoder, grey: encoder(grey)[0]
        )
