"""A beta-VAE that was trained, as a `CropEditor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_affect.affect import Emotion
from synth_affect.editors.beta_vae.networks import AXES, build_networks
from synth_affect.editors.beta_vae.settings import BetaVaeSettings
from synth_affect.editors.expression_classifier.settings import CLASSES
from synth_affect.editors.grey_crop_editor import GreyCropEditor, stored_numbers

if TYPE_CHECKING:
    from torch import Tensor

    from synth_affect.editors.weights import EditorWeights


class BetaVaeCropEditor(GreyCropEditor):
    """Goes along the emotion's axis towards its peak, from the origin, which is neutral."""

    def __init__(self, settings: BetaVaeSettings, weights: EditorWeights, device: str) -> None:
        """Raises InputError for weights of other shapes."""
        self._encoder, self._decoder = build_networks(settings)
        networks = {"encoder": self._encoder, "decoder": self._decoder}
        super().__init__(settings.size, networks, weights, device, reach=settings.reach)
        self._peaks = stored_numbers(weights, "peaks", (AXES,), device)

    def encode(self, grey: Tensor) -> Tensor:
        """The mean."""
        mean: Tensor = self._encoder(grey)[0]
        return mean

    def move(self, latent: Tensor, emotion: Emotion, amount: float) -> Tensor:
        """All other axes are left: seven numbers hold nothing else of a face."""
        axis = CLASSES.index(emotion)
        moved = latent.new_zeros(latent.shape)
        moved[:, axis] = amount * self._peaks[axis]
        return moved

    def decode(self, latent: Tensor) -> Tensor:
        """See `GreyCropEditor.decode`."""
        grey: Tensor = self._decoder(latent).sigmoid()
        return grey


def open_crop_editor(settings: BetaVaeSettings, weights: EditorWeights, device: str) -> BetaVaeCropEditor:
    """Raises InputError for weights of other shapes."""
    return BetaVaeCropEditor(settings, weights, device)
