"""What an editor is: whatever turns a photograph and points of the valence-arousal plane into photographs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from synth_affect.affect import ValenceArousal
from synth_affect.arrays import ImageArray


class Editor(Protocol):
    """One way of editing, opened and ready. Closing it frees what it holds."""

    @property
    def name(self) -> str:
        """What it is called on the command line."""
        ...

    @property
    def fingerprint(self) -> str:
        """Version and weights in a few words: editors of one fingerprint give the same pictures."""
        ...

    @property
    def about(self) -> Mapping[str, Any]:
        """What reports say of it beside its name, JSON values: what it was trained on, and its terms."""
        ...

    @property
    def device(self) -> str:
        """Where it computes: `cpu`, `cuda:0`, ..."""
        ...

    def edit(self, image: ImageArray, targets: Sequence[ValenceArousal]) -> Iterator[ImageArray]:
        """One picture a target, of the size and dtype of `image`, in the order of `targets`; each when it is asked for.

        image : (height, width, 3) uint8 or uint16 sRGB; its largest face is edited.
        Raises NoFaceError when there is none, another SynthAffectError when it cannot be edited.
        """
        ...

    def close(self) -> None:
        """Free models and native handles; a second call does nothing."""
        ...
