"""A VAE that a comparator supported, as a `CropEditor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_affect.affect import Emotion
from synth_affect.editors.expression_classifier.augmentation import NEUTRAL
from synth_affect.editors.expression_classifier.settings import CLASSES
from synth_affect.editors.grey_crop_editor import GreyCropEditor, stored_numbers
from synth_affect.editors.siamese_vae.networks import build_networks
from synth_affect.editors.siamese_vae.settings import SiameseSettings

if TYPE_CHECKING:
    from torch import Tensor

    from synth_affect.editors.weights import EditorWeights


class SiameseCropEditor(GreyCropEditor):
    """Moves the latent as the emotion's centre lies from neutral's.

    It cannot tell what a photograph shows, so an expression that is there already stays underneath.
    """

    def __init__(self, settings: SiameseSettings, weights: EditorWeights, device: str) -> None:
        """Raises InputError for weights of other shapes."""
        built = build_networks(settings)
        self._encoder, self._decoder = built.encoder, built.decoder
        networks = {"encoder": self._encoder, "decoder": self._decoder}
        super().__init__(settings.size, networks, weights, device, reach=settings.reach)
        self._centres = stored_numbers(weights, "centres", (len(CLASSES), settings.latent), device)

    def encode(self, grey: Tensor) -> Tensor:
        """The mean."""
        mean: Tensor = self._encoder(grey)[0]
        return mean

    def move(self, latent: Tensor, emotion: Emotion, amount: float) -> Tensor:
        """See the class."""
        return latent + amount * (self._centres[CLASSES.index(emotion)] - self._centres[NEUTRAL])

    def decode(self, latent: Tensor) -> Tensor:
        """See `GreyCropEditor.decode`."""
        grey: Tensor = self._decoder(latent).sigmoid()
        return grey


def open_crop_editor(settings: SiameseSettings, weights: EditorWeights, device: str) -> SiameseCropEditor:
    """Raises InputError for weights of other shapes."""
    return SiameseCropEditor(settings, weights, device)
