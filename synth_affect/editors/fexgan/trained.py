"""All networks of an FExGAN that was trained, for experiments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from synth_affect.arrays import FloatArray
from synth_affect.editors.fexgan.learner import edit
from synth_affect.editors.fexgan.networks import EXTRA, build_networks
from synth_affect.editors.fexgan.settings import CLASSES, FexganSettings
from synth_affect.editors.training import pictures_as_tensor
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import Tensor

    from synth_affect.editors.weights import EditorWeights

Pictures = npt.NDArray[np.uint8]


class TrainedFexgan:
    """Pictures are (n, size, size, 3) uint8 RGB, aligned; labels (n, classes) float32, shares of CLASSES."""

    def __init__(self, settings: FexganSettings, weights: EditorWeights, device: str = "cpu") -> None:
        """Raises InputError for weights of other shapes."""
        self.settings, self._device = settings, device
        networks = build_networks(settings)
        self._encoder, self._decoder = networks.encoder, networks.decoder
        self._discriminator = networks.discriminator
        for name in ("encoder", "decoder", "discriminator"):
            network = getattr(networks, name)
            weights.load_into(network, name)
            network.to(device).eval().requires_grad_(requires_grad=False)

    def edit(self, pictures: Pictures, label: FloatArray) -> Pictures:
        """All with one label (classes,)."""
        torch = import_optional("torch", EXTRA)
        with torch.inference_mode():
            wanted = torch.from_numpy(label.astype(np.float32)).to(self._device)
            shown = pictures_as_tensor(pictures, self._device)
            return _as_pictures(edit(self._encoder, self._decoder, shown, wanted, self.settings.reach))

    def sample(self, codes: FloatArray, label: FloatArray) -> Pictures:
        """Of nobody: codes (n, settings.code) are drawn, not read."""
        torch = import_optional("torch", EXTRA)
        with torch.inference_mode():
            labels = torch.from_numpy(label.astype(np.float32)).to(self._device).expand(len(codes), -1)
            return _as_pictures(self._decoder(torch.from_numpy(codes.astype(np.float32)).to(self._device), labels))

    def judge(self, pictures: Pictures) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
        """Whether the discriminator takes each for real, and its class, a number in CLASSES."""
        torch = import_optional("torch", EXTRA)
        with torch.inference_mode():
            real, category = self._discriminator(pictures_as_tensor(pictures, self._device))
        return (real > 0).cpu().numpy(), category.argmax(dim=1).cpu().numpy()


def one_hot(numbers: Sequence[int]) -> FloatArray:
    """(classes,) float32 label with even shares of the numbers."""
    label = np.zeros(len(CLASSES), dtype=np.float32)
    label[list(numbers)] = 1 / len(numbers)
    return label


def _as_pictures(tensor: Tensor) -> Pictures:
    shown = ((tensor.permute(0, 2, 3, 1) + 1) * 127.5).round().clamp(0, 255)
    pictures: Pictures = shown.byte().cpu().numpy()
    return pictures
