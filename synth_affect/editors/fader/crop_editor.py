"""A fader network that was trained, as a `CropEditor`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synth_affect.affect import Emotion
from synth_affect.editors.expression_classifier.settings import CLASSES
from synth_affect.editors.fader.learner import move
from synth_affect.editors.fader.networks import build_networks
from synth_affect.editors.fader.settings import FaderSettings
from synth_affect.editors.grey_crop_editor import GreyCropEditor, stored_numbers

if TYPE_CHECKING:
    from torch import Tensor

    from synth_affect.editors.weights import EditorWeights


class FaderCropEditor(GreyCropEditor):
    """Takes the emotion that a latent shows out, and puts the one asked for in, see `learner.move`."""

    def __init__(self, settings: FaderSettings, weights: EditorWeights, device: str) -> None:
        """Raises InputError for weights of other shapes."""
        networks = build_networks(settings)
        self._encoder, self._classes, self._decoder = networks.encoder, networks.classes, networks.decoder
        named = {"encoder": self._encoder, "classes": self._classes, "decoder": self._decoder}
        super().__init__(settings.size, named, weights, device, reach=settings.reach)
        self._centres = stored_numbers(weights, "centres", (len(CLASSES), settings.units[1]), device)

    def encode(self, grey: Tensor) -> Tensor:
        """See `GreyCropEditor.encode`."""
        latent: Tensor = self._encoder(grey)
        return latent

    def move(self, latent: Tensor, emotion: Emotion, amount: float) -> Tensor:
        """See `learner.move`."""
        return move(latent, self._classes, self._centres, CLASSES.index(emotion), amount)

    def decode(self, latent: Tensor) -> Tensor:
        """See `GreyCropEditor.decode`."""
        grey: Tensor = self._decoder(latent).sigmoid()
        return grey


def open_crop_editor(settings: FaderSettings, weights: EditorWeights, device: str) -> FaderCropEditor:
    """Raises InputError for weights of other shapes."""
    return FaderCropEditor(settings, weights, device)
