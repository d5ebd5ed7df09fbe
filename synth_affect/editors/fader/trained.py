"""All networks of a fader network that was trained, for experiments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from synth_affect.arrays import FloatArray
from synth_affect.editors.expression_classifier.networks import EXTRA
from synth_affect.editors.fader.networks import build_networks
from synth_affect.editors.fader.settings import FaderSettings
from synth_affect.editors.grey import grey_of
from synth_affect.editors.training import pictures_as_tensor
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from synth_affect.editors.weights import EditorWeights

BATCH = 256


class TrainedFader:
    """From pictures (n, size, size, 3) uint8 to latents (n, units[1]) float32, and from these to grey pictures."""

    def __init__(self, settings: FaderSettings, weights: EditorWeights, device: str = "cpu") -> None:
        """Raises InputError for weights of other shapes."""
        self.settings, self._device = settings, device
        networks = build_networks(settings)
        self._encoder, self._decoder = networks.encoder, networks.decoder
        for name, network in (("encoder", self._encoder), ("decoder", self._decoder)):
            weights.load_into(network, name)
            network.to(device).eval().requires_grad_(requires_grad=False)

    def encode(self, pictures: npt.NDArray[np.uint8]) -> FloatArray:
        """(n, units[1]) float32."""
        torch = import_optional("torch", EXTRA)
        with torch.inference_mode():
            parts = [
                self._encoder(grey_of(pictures_as_tensor(pictures[start : start + BATCH], self._device))).cpu().numpy()
                for start in range(0, len(pictures), BATCH)
            ]
        return np.concatenate(parts) if parts else np.empty((0, self.settings.units[1]), dtype=np.float32)

    def decode(self, latents: FloatArray) -> npt.NDArray[np.uint8]:
        """(n, size, size, 3) uint8, all channels the same."""
        torch = import_optional("torch", EXTRA)
        with torch.inference_mode():
            grey = self._decoder(torch.from_numpy(latents.astype(np.float32)).to(self._device)).sigmoid()
        pictures: npt.NDArray[np.uint8] = (grey * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy().repeat(3, 3)
        return pictures
