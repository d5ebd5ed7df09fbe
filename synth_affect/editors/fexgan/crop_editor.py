"""An FExGAN that was trained, as a `CropEditor`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from synth_affect.affect import Emotion, ValenceArousal
from synth_affect.arrays import FloatArray
from synth_affect.editors.category_targets import category_target
from synth_affect.editors.fexgan.learner import edit
from synth_affect.editors.fexgan.networks import EXTRA, build_networks
from synth_affect.editors.fexgan.settings import CLASSES, FexganSettings
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from synth_affect.editors.weights import EditorWeights


class FexganCropEditor:
    """Asks for the category nearest in direction. Weaker than that category's position, it is mixed with neutral: the
    label has a share of both. Lambda does not follow the intensity, since every lambda was trained towards the same
    pictures; it is the setting `reach`.
    """

    def __init__(self, settings: FexganSettings, weights: EditorWeights, device: str) -> None:
        """Raises InputError for weights of other shapes."""
        networks = build_networks(settings)
        self._encoder, self._decoder = networks.encoder, networks.decoder
        for name, network in (("encoder", self._encoder), ("decoder", self._decoder)):
            weights.load_into(network, name)
            network.to(device).eval().requires_grad_(requires_grad=False)
        self._settings, self._device = settings, device

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
            for target in targets:  # one by one, so that a picture does not depend on the others asked for
                label = torch.from_numpy(label_of(target)).to(self._device)
                made.append(edit(self._encoder, self._decoder, picture, label, self._settings.reach)[0])
        pictures: FloatArray = torch.stack(made).permute(0, 2, 3, 1).float().cpu().numpy()
        return pictures

    def draw_unedited(self, crop: FloatArray) -> None:
        """None; see `CropEditor.draw_unedited`."""


def label_of(target: ValenceArousal) -> FloatArray:
    """(classes,) float32 shares of the classes, of sum 1."""
    wanted = category_target(target, CLASSES)
    label = np.zeros(len(CLASSES), dtype=np.float32)
    label[CLASSES.index(wanted.emotion)] = wanted.intensity
    label[CLASSES.index(Emotion.NEUTRAL)] = 1 - wanted.intensity
    return label


def open_crop_editor(settings: FexganSettings, weights: EditorWeights, device: str) -> FexganCropEditor:
    """Raises InputError for weights of other shapes."""
    return FexganCropEditor(settings, weights, device)
