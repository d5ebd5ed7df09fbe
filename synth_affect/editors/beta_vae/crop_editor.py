"""A beta-VAE that was trained, as a `CropEditor`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from synth_affect.affect import ValenceArousal
from synth_affect.arrays import FloatArray
from synth_affect.editors.beta_vae.networks import AXES, build_networks
from synth_affect.editors.beta_vae.settings import BetaVaeSettings
from synth_affect.editors.category_targets import category_target
from synth_affect.editors.expression_classifier.networks import EXTRA
from synth_affect.editors.expression_classifier.settings import CLASSES, EMOTIONS
from synth_affect.editors.grey import carry_change, grey_of
from synth_affect.errors import InputError
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from synth_affect.editors.weights import EditorWeights


class BetaVaeCropEditor:
    """Goes along the axis of the category nearest in direction, as far as its intensity, from the origin, neutral.

    Seven numbers do not tell whose face it is. So the network draws the face as it is and as it is to be, and the
    photograph is changed by their difference, see `carry_change`.
    """

    def __init__(self, settings: BetaVaeSettings, weights: EditorWeights, device: str) -> None:
        """Raises InputError for weights of other shapes."""
        self._encoder, self._decoder = build_networks(settings)
        for name, network in (("encoder", self._encoder), ("decoder", self._decoder)):
            weights.load_into(network, name)
            network.to(device).eval().requires_grad_(requires_grad=False)
        peaks = weights.tensors.get("peaks")
        if peaks is None or tuple(peaks.shape) != (AXES,):
            raise InputError(weights.path, f"has no peaks of {AXES} axes")
        self._peaks, self._settings, self._device = peaks.to(device), settings, device

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
            before = self._decoder(self._encoder(grey_of(picture))[0]).sigmoid()
            for target in targets:
                wanted = category_target(target, EMOTIONS)
                axis = CLASSES.index(wanted.emotion)
                latent = torch.zeros(1, AXES, device=self._device)
                latent[0, axis] = wanted.intensity * self._peaks[axis]
                made.append(carry_change(picture, before, self._decoder(latent).sigmoid())[0])
        pictures: FloatArray = torch.stack(made).permute(0, 2, 3, 1).float().cpu().numpy()
        return pictures


def open_crop_editor(settings: BetaVaeSettings, weights: EditorWeights, device: str) -> BetaVaeCropEditor:
    """Raises InputError for weights of other shapes."""
    return BetaVaeCropEditor(settings, weights, device)
