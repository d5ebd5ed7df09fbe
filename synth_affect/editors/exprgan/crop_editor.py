"""A trained ExprGAN's G_enc and G_dec, as an editor of crops: the picture's code, decoded with another c."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from synth_affect.affect import Emotion, ValenceArousal, position
from synth_affect.arrays import FloatArray
from synth_affect.editors.exprgan.controller import controller_of
from synth_affect.editors.exprgan.networks import EXTRA, ExprGanNetworks, build_networks
from synth_affect.editors.exprgan.settings import CLASSES, ExprGanSettings
from synth_affect.editors.face_change import likest
from synth_affect.editors.neural_editor import Unedited
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from synth_affect.editors.weights import EditorWeights

LEVELS = (0.5, 1.0)
GAIN = 2.0
"""Of classes named in pictures pasted back; chosen on people who were neither trained on nor tested."""
PARTS = ("encoder", "decoder", "discriminator", "code_discriminator")
"""Of the learner, and of ExprGanNetworks."""


def open_networks(settings: ExprGanSettings, weights: EditorWeights, device: str) -> ExprGanNetworks:
    """All four as they were trained, for use. Raises InputError for weights of other shapes."""
    networks = build_networks(settings)
    for part in PARTS:
        network = getattr(networks, part)
        weights.load_into(network, part)
        network.to(device).eval().requires_grad_(requires_grad=False)
    return networks


def open_crop_editor(settings: ExprGanSettings, weights: EditorWeights, device: str) -> ExprGanCropEditor:
    """Raises InputError for weights of other shapes."""
    return ExprGanCropEditor(settings, open_networks(settings, weights, device), device)


class ExprGanCropEditor:
    """See `CropEditor`; what a point of the plane asks for, `controller` says. What the face shows before is not known:
    it is what G_dec draws likest to the crop, of neutral and the classes at LEVELS.
    """

    def __init__(self, settings: ExprGanSettings, networks: ExprGanNetworks, device: str) -> None:
        self._settings, self._networks, self._device = settings, networks, device

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
        picture = torch.from_numpy(np.ascontiguousarray(crop, dtype=np.float32)).to(self._device)
        asked = [torch.from_numpy(controller_of(t, self._settings.controller)).to(self._device) for t in targets]
        with torch.inference_mode():
            code = self._networks.encoder(picture.permute(2, 0, 1)[None])
            # One by one: a batch of another size may round otherwise, and the same target must give the same picture.
            made = torch.cat([self._networks.decoder(code, controller[None]) for controller in asked])
        edited: FloatArray = made.permute(0, 2, 3, 1).contiguous().float().cpu().numpy()
        return edited

    def draw_unedited(self, crop: FloatArray) -> Unedited:
        """See `CropEditor.draw_unedited`."""
        shown = [ValenceArousal(0.0, 0.0), *(_at(emotion, level) for emotion in CLASSES for level in LEVELS)]
        drawings = self.edit_crops(crop, shown)
        return Unedited(drawings[likest(crop, drawings, [point.intensity for point in shown])], GAIN)


def _at(emotion: Emotion, level: float) -> ValenceArousal:
    place = position(emotion)
    return ValenceArousal(level * place.valence, level * place.arousal)
