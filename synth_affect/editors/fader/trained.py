"""The networks of a fader that was trained, for experiments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_affect.arrays import FloatArray
from synth_affect.editors.fader.networks import build_networks
from synth_affect.editors.fader.settings import FaderSettings
from synth_affect.editors.grey_autoencoder import GreyAutoencoder
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from synth_affect.editors.weights import EditorWeights


class TrainedFader(GreyAutoencoder):
    """Its latents are (n, units[1])."""

    def __init__(self, settings: FaderSettings, weights: EditorWeights, device: str = "cpu") -> None:
        """Raises InputError for weights of other shapes."""
        self.settings = settings
        networks = build_networks(settings)
        super().__init__(networks.encoder, networks.decoder, weights, device, length=settings.units[1])
        weights.load_into(networks.classes, "classes")
        self._classes = networks.classes.to(device).eval().requires_grad_(requires_grad=False)

    def classify(self, latents: FloatArray) -> FloatArray:
        """(n, 7) probabilities of CLASSES."""
        torch = import_optional("torch", "train")
        with torch.inference_mode():
            logits = self._classes(torch.from_numpy(latents).to(self._device))
            found: FloatArray = logits.softmax(dim=1).cpu().numpy()
        return found
