"""A trained CAAE's E and G, as an editor of crops: the picture's code, decoded with other labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from synth_affect.affect import ValenceArousal, grid
from synth_affect.arrays import FloatArray
from synth_affect.editors.caae.networks import EXTRA, build_networks
from synth_affect.editors.caae.settings import CaaeSettings
from synth_affect.editors.face_change import likest
from synth_affect.editors.neural_editor import Unedited
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from synth_affect.editors.neural_editor import CropEditor
    from synth_affect.editors.weights import EditorWeights

LABELS = grid(7)
GAIN = 2.0
"""Of valence and arousal as of pictures pasted back; chosen on people who were neither trained on nor tested."""


def open_crop_editor(settings: CaaeSettings, weights: EditorWeights, device: str) -> CropEditor:
    """E and G with the trained weights on `device`. Raises InputError for weights of other shapes."""
    return CaaeCropEditor(settings, weights, device)


class CaaeCropEditor:
    """See `CropEditor`. The label of the face as it is is not known: it is the one of LABELS with which G draws a face
    that is likest to the crop.
    """

    def __init__(self, settings: CaaeSettings, weights: EditorWeights, device: str) -> None:
        self.size, self.device = settings.size, device
        self._torch: Any = import_optional("torch", EXTRA)
        networks = build_networks(settings)
        weights.load_into(networks.encoder, "encoder")
        weights.load_into(networks.generator, "generator")
        self._encoder, self._generator = networks.encoder.to(device).eval(), networks.generator.to(device).eval()

    def edit_crops(self, crop: FloatArray, targets: Sequence[ValenceArousal]) -> FloatArray:
        """(n, size, size, 3) float32 in [-1, 1], one a target. crop : (size, size, 3) float32 in [-1, 1]."""
        torch = self._torch
        labels = torch.tensor([[t.valence, t.arousal] for t in targets], device=self.device)
        with torch.inference_mode():
            picture = torch.from_numpy(np.ascontiguousarray(crop, dtype=np.float32)).to(self.device)
            code = self._encoder(picture.permute(2, 0, 1)[None])
            # One by one: a batch of another size may round otherwise, and the same target must give the same picture.
            made = torch.cat([self._generator(code, label[None]) for label in labels])
        edited: FloatArray = made.permute(0, 2, 3, 1).contiguous().cpu().numpy()
        return edited

    def draw_unedited(self, crop: FloatArray) -> Unedited:
        """See `CropEditor.draw_unedited`."""
        drawings = self.edit_crops(crop, LABELS)
        return Unedited(drawings[likest(crop, drawings, [label.intensity for label in LABELS])], GAIN)
