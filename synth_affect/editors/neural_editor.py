"""A neural editor as an `Editor`: find the face, cut it out, let the network redraw it, paste it back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from synth_affect.affect import ValenceArousal
from synth_affect.arrays import FloatArray, ImageArray
from synth_affect.editors.face_change import change_between
from synth_affect.editors.face_crop import align, carry_back, cut_out, paste_back
from synth_affect.editors.protocol import Editor

BATCH = 32
"""Targets that the network is given at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Unedited:
    """drawing : (size, size, 3) float32 in [-1, 1], a face as it is, as a network draws it.
    gain : how many times over an edit's difference from it is given to a photograph.
    """

    drawing: FloatArray
    gain: float


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

    def draw_unedited(self, crop: FloatArray) -> Unedited | None:
        """The crop as the network draws it without an edit, so that a photograph gets what changes from there to
        `edit_crops`; None where it gets the edited crops themselves.
        """
        ...


class FaceLocator(Protocol):
    """Finds the face that is edited."""

    def __call__(self, image: ImageArray) -> FloatArray:
        """ibug's 68 points (68, 2), px, of the largest face. Raises NoFaceError where there is none."""
        ...

    def close(self) -> None:
        """Free what it holds; a second call does nothing."""
        ...


class NeuralEditor(Editor):
    """A `CropEditor` before whole photographs."""

    def __init__(
        self,
        name: str,
        fingerprint: str,
        crop_editor: CropEditor,
        locate: FaceLocator,
        *,
        about: Mapping[str, Any] | None = None,
    ) -> None:
        """name, fingerprint, about : see `Editor`.  locate : is taken over, and closed by `close`."""
        self._name, self._fingerprint, self._about = name, fingerprint, {} if about is None else about
        self._crop_editor, self._locate = crop_editor, locate

    @property
    def name(self) -> str:
        """Of the recipe."""
        return self._name

    @property
    def fingerprint(self) -> str:
        """Of the weights."""
        return self._fingerprint

    @property
    def about(self) -> Mapping[str, Any]:
        """Of the weights' card."""
        return self._about

    @property
    def device(self) -> str:
        """Of the network; the face is found and pasted back on the CPU."""
        return self._crop_editor.device

    def edit(self, image: ImageArray, targets: Sequence[ValenceArousal]) -> Iterator[ImageArray]:
        """See `Editor.edit`; the face is found once, and the network redraws it for BATCH targets at a time, but for
        the first one alone, so that it comes at once.
        """
        crop = align(self._locate(image))
        pixels = cut_out(image, crop, self._crop_editor.size)
        before = self._crop_editor.draw_unedited(pixels)
        starts = [0, *range(1, len(targets), BATCH)]
        for start, end in zip(starts, [*starts[1:], len(targets)], strict=True):
            for edited in self._crop_editor.edit_crops(pixels, targets[start:end]) if start < end else ():
                if before is None:
                    yield paste_back(image, crop, edited)
                else:
                    yield carry_back(image, crop, change_between(before.drawing, edited, before.gain))

    def close(self) -> None:
        """Close the detector."""
        self._locate.close()
