"""A trained ExprGAN for experiments: codes, controllers and pictures as arrays, many at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from synth_affect.arrays import FloatArray
from synth_affect.editors.exprgan.crop_editor import open_networks
from synth_affect.editors.exprgan.networks import EXTRA
from synth_affect.editors.exprgan.settings import ExprGanSettings
from synth_affect.editors.training import pictures_as_tensor
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import Tensor

    from synth_affect.editors.weights import EditorWeights

Pictures = npt.NDArray[np.uint8]
BATCH = 64


class TrainedExprGan:
    """Pictures are (n, size, size, 3) uint8, codes (n, code) and controllers (n, 6 d) float32."""

    def __init__(self, settings: ExprGanSettings, weights: EditorWeights, device: str) -> None:
        """Raises InputError for weights of other shapes."""
        self.settings, self.device = settings, device
        self.networks = open_networks(settings, weights, device)

    def encode(self, pictures: Pictures) -> FloatArray:
        """g(x)."""
        return self._batched(lambda x: self.networks.encoder(x), len(pictures), lambda at: self._tensor(pictures[at]))

    def read_controllers(self, pictures: Pictures) -> FloatArray:
        """Q's mean."""
        return self._batched(
            lambda x: self.networks.discriminator(x).controllers, len(pictures), lambda at: self._tensor(pictures[at])
        )

    def decode(self, codes: FloatArray, controllers: FloatArray) -> Pictures:
        """What G_dec makes of each code with the controller of the same number."""
        torch = import_optional("torch", EXTRA)

        def both(at: slice) -> Any:
            return torch.from_numpy(np.hstack([codes[at], controllers[at]]).astype(np.float32)).to(self.device)

        n_code = self.settings.code
        made = self._batched(lambda x: self.networks.decoder(x[:, :n_code], x[:, n_code:]), len(codes), both)
        pictures: Pictures = np.rint((np.moveaxis(made, 1, 3) + 1) * np.float32(127.5)).astype(np.uint8)
        return pictures

    def draw_codes(self, n: int, rng: np.random.Generator) -> FloatArray:
        """People whom nobody is: (n, code) of the prior U(-1, 1)."""
        drawn: FloatArray = rng.uniform(-1, 1, (n, self.settings.code)).astype(np.float32)
        return drawn

    def _tensor(self, pictures: Pictures) -> Tensor:
        return pictures_as_tensor(pictures, self.device)

    def _batched(self, network: Callable[[Tensor], Tensor], n: int, of: Callable[[slice], Tensor]) -> FloatArray:
        torch = import_optional("torch", EXTRA)
        with torch.inference_mode():
            parts = [network(of(slice(start, start + BATCH))).float().cpu() for start in range(0, n, BATCH)]
        found: FloatArray = torch.cat(parts).numpy()
        return found
