"""What editors that draw grey faces share: a photograph gets the difference of two drawings of the face."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from synth_affect.affect import Emotion, ValenceArousal
from synth_affect.arrays import FloatArray
from synth_affect.editors.category_targets import category_target
from synth_affect.editors.expression_classifier.networks import EXTRA
from synth_affect.editors.expression_classifier.settings import EMOTIONS
from synth_affect.editors.grey import carry_change, grey_of
from synth_affect.editors.neural_editor import Unedited
from synth_affect.errors import InputError
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import Tensor, nn

    from synth_affect.editors.weights import EditorWeights


class GreyCropEditor(ABC):
    """A `CropEditor` that asks for the category nearest in direction, by its intensity.

    The network draws the face as it is and as it is to be, and the photograph is changed by their difference, see
    `carry_change`.
    """

    def __init__(
        self, size: int, networks: Mapping[str, nn.Module], weights: EditorWeights, device: str, *, reach: float
    ) -> None:
        """networks : by the names of their weights; they are filled, and made ready.
        reach : how far the latent goes at intensity 1; to where the emotion's faces lie in the mean is 1. The drawing
            of a mean is fainter than any face, so that an edit has to go farther.

        Raises InputError for weights of other shapes.
        """
        for name, network in networks.items():
            weights.load_into(network, name)
            network.to(device).eval().requires_grad_(requires_grad=False)
        self._size, self._device, self._reach = size, device, reach

    @property
    def size(self) -> int:
        """Height and width of its crops."""
        return self._size

    @property
    def device(self) -> str:
        """Where it computes."""
        return self._device

    @abstractmethod
    def encode(self, grey: Tensor) -> Tensor:
        """(1, latent) of one grey face (1, 1, size, size) in [0, 1]."""

    @abstractmethod
    def move(self, latent: Tensor, emotion: Emotion, amount: float) -> Tensor:
        """(1, latent) of the same face with so much of an emotion, never neutral.

        amount : 0 for nothing of it, 1 for as much as its faces have in the mean; up to the reach.
        """

    @abstractmethod
    def decode(self, latent: Tensor) -> Tensor:
        """(1, 1, size, size) in [0, 1], a grey face."""

    def edit_crops(self, crop: FloatArray, targets: Sequence[ValenceArousal]) -> FloatArray:
        """See `CropEditor.edit_crops`."""
        torch = import_optional("torch", EXTRA)
        picture = torch.from_numpy(np.ascontiguousarray(crop, dtype=np.float32)).permute(2, 0, 1)[None].to(self._device)
        made = []
        with torch.inference_mode():
            latent = self.encode(grey_of(picture))
            before = self.decode(latent)
            for target in targets:  # one by one, so that a picture does not depend on the others asked for
                wanted = category_target(target, EMOTIONS)
                after = self.decode(self.move(latent, wanted.emotion, self._reach * wanted.intensity))
                made.append(carry_change(picture, before, after)[0])
        pictures: FloatArray = torch.stack(made).permute(0, 2, 3, 1).float().cpu().numpy()
        return pictures

    def draw_unedited(self, crop: FloatArray) -> Unedited | None:
        """None, since crops are edited by a difference already; see `CropEditor.draw_unedited`."""
        return None


def stored_numbers(weights: EditorWeights, name: str, shape: tuple[int, ...], device: str) -> Tensor:
    """The tensor `name` that a learner keeps beside its networks. Raises InputError when there is none of the shape."""
    found = weights.tensors.get(name)
    if found is None or tuple(found.shape) != shape:
        raise InputError(weights.path, f"has no {name} of shape {shape}")
    return found.to(device)
