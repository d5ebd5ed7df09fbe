"""A VAE that a comparator supported, as a `CropEditor`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from synth_affect.affect import ValenceArousal
from synth_affect.arrays import FloatArray
from synth_affect.editors.category_targets import category_target
from synth_affect.editors.expression_classifier.augmentation import NEUTRAL
from synth_affect.editors.expression_classifier.networks import EXTRA
from synth_affect.editors.expression_classifier.settings import CLASSES, EMOTIONS
from synth_affect.editors.grey import carry_change, grey_of
from synth_affect.editors.siamese_vae.networks import build_networks
from synth_affect.editors.siamese_vae.settings import SiameseSettings
from synth_affect.errors import InputError
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from synth_affect.editors.weights import EditorWeights


class SiameseCropEditor:
    """Moves the latent as neutral's centre lies to that of the category nearest in direction, times its intensity.

    It cannot tell what a photograph shows, so an expression that is there already stays underneath. The network is
    grey; the photograph is changed by the difference of its two pictures, see `carry_change`.
    """

    def __init__(self, settings: SiameseSettings, weights: EditorWeights, device: str) -> None:
        """Raises InputError for weights of other shapes."""
        networks = build_networks(settings)
        self._encoder, self._decoder = networks.encoder, networks.decoder
        for name, network in (("encoder", self._encoder), ("decoder", self._decoder)):
            weights.load_into(network, name)
            network.to(device).eval().requires_grad_(requires_grad=False)
        centres = weights.tensors.get("centres")
        if centres is None or tuple(centres.shape) != (len(CLASSES), settings.latent):
            raise InputError(weights.path, f"has no centres of {len(CLASSES)} classes")
        self._centres, self._settings, self._device = centres.to(device), settings, device

    @property
    def size(self) -> int:
        """Height and width of its crops."""
        return self._settings.size

    @property
    def device(self) -> str:
        """Where it computes."""
        return self._device

    def edit_crops(self, crop: FloatArray, targets: Sequence[ValenceArousal]) -> FloatArray:
        """See `CropEditor.edit_crops`."""
        torch = import_optional("torch", EXTRA)
        picture = torch.from_numpy(np.ascontiguousarray(crop, dtype=np.float32)).permute(2, 0, 1)[None].to(self._device)
        made = []
        with torch.inference_mode():
            latent = self._encoder(grey_of(picture))[0]
            before = self._decoder(latent).sigmoid()
            for target in targets:
                wanted = category_target(target, EMOTIONS)
                away = self._centres[CLASSES.index(wanted.emotion)] - self._centres[NEUTRAL]
                after = self._decoder(latent + wanted.intensity * away).sigmoid()
                made.append(carry_change(picture, before, after)[0])
        pictures: FloatArray = torch.stack(made).permute(0, 2, 3, 1).float().cpu().numpy()
        return pictures


def open_crop_editor(settings: SiameseSettings, weights: EditorWeights, device: str) -> SiameseCropEditor:
    """Raises InputError for weights of other shapes."""
    return SiameseCropEditor(settings, weights, device)
