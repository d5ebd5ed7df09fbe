"""An encoder and a decoder of grey faces that were trained, for experiments."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from synth_affect.arrays import FloatArray
from synth_affect.editors.grey import grey_of
from synth_affect.editors.training import pictures_as_tensor
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import Tensor, nn

    from synth_affect.editors.weights import EditorWeights

BATCH = 256


class GreyAutoencoder:
    """From pictures (n, size, size, 3) uint8 to latents (n, length) float32, and from these to grey pictures."""

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        weights: EditorWeights,
        device: str,
        *,
        length: int,
        latent_of: Callable[[nn.Module, Tensor], Tensor] = lambda encoder, grey: encoder(grey),
    ) -> None:
        """encoder, decoder : named so in the weights, from which they are filled.  length : of a latent.
        latent_of : the latents, of the encoder and grey pictures.
        Raises InputError for weights of other shapes.
        """
        for name, network in (("encoder", encoder), ("decoder", decoder)):
            weights.load_into(network, name)
            network.to(device).eval().requires_grad_(requires_grad=False)
        self._encoder, self._decoder, self._device = encoder, decoder, device
        self._length, self._latent_of = length, latent_of

    def encode(self, pictures: npt.NDArray[np.uint8]) -> FloatArray:
        """(n, length) float32."""
        torch = import_optional("torch", "train")
        found = np.empty((len(pictures), self._length), dtype=np.float32)
        with torch.inference_mode():
            for start in range(0, len(pictures), BATCH):
                grey = grey_of(pictures_as_tensor(pictures[start : start + BATCH], self._device))
                found[start : start + BATCH] = self._latent_of(self._encoder, grey).cpu().numpy()
        return found

    def decode(self, latents: FloatArray) -> npt.NDArray[np.uint8]:
        """(n, size, size, 3) uint8, all channels the same."""
        torch = import_optional("torch", "train")
        with torch.inference_mode():
            grey = self._decoder(torch.from_numpy(latents.astype(np.float32)).to(self._device)).sigmoid()
        pictures: npt.NDArray[np.uint8] = (grey * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy().repeat(3, 3)
        return pictures
