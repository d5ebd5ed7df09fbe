"""A neural editor as an `Editor`: find the face, cut it out, let the network redraw it, paste it back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from synth_affect.affect import ValenceArousal
from synth_affect.arrays import FloatArray


class CropEditor(Protocol):
    """The network of an editor, opened and ready, as far as its crops."""

    @property
    def size(self) -> int:
        """Height and width of its crops."""
        ...

    @property
    def device(self) -> str:
        """Where it computes: `cpu`, `cuda`."""
        ...

    def edit_crops(self, crop: FloatArray, targets: Sequence[ValenceArousal]) -> FloatArray:
        """(n, size, size, 3) float32 in [-1, 1], one a target, in their order.

        crop : (size, size, 3) float32 in [-1, 1], RGB, aligned by `face_crop`.  targets : one or more.
        The same target gives the same picture, whichever others are asked for with it.
        """
        ...
