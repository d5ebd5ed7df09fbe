"""The editors by name: the 3DMM way, and the neural ones with their weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import synth_affect
from synth_affect.editors.neural_editor import CropEditor, NeuralEditor
from synth_affect.editors.protocol import Editor
from synth_affect.editors.recipes import RECIPES
from synth_affect.editors.weights import StoredEditor, load_editor
from synth_affect.errors import InputError
from synth_affect.pipelines.ibug_points import IbugPoints

THREE_DMM = "3dmm"


@dataclass(frozen=True, slots=True)
class EditorChoice:
    """name : 3dmm, or one of RECIPES.  weights : of a neural editor.  device : where it computes; cpu, cuda or auto.

    Raises InputError for another name, and for weights where none are needed or none where they are.
    """

    name: str = THREE_DMM
    weights: Path | None = None
    device: str = "auto"

    def __post_init__(self) -> None:
        if self.name not in (THREE_DMM, *RECIPES):
            raise InputError("--editor", f"{self.name!r} is none of {', '.join((THREE_DMM, *RECIPES))}")
        if self.name == THREE_DMM and self.weights is not None:
            raise InputError("--weights", f"{THREE_DMM} has none; name the --editor that they are of")
        if self.name != THREE_DMM and self.weights is None:
            raise InputError("--weights", f"missing; {self.name} needs what synth-affect train {self.name} wrote")


def open_editor(choice: EditorChoice) -> Editor:
    """Raises InputError for weights of another editor, size or version, and where the GPU that was asked for is not."""
    if choice.weights is None:
        from synth_affect.pipelines.three_dmm_editor import ThreeDmmEditor

        return ThreeDmmEditor()
    stored = load_editor(choice.weights, choice.name)
    fingerprint = f"synth-affect {synth_affect.__version__}, {choice.name} {stored.sha256[:16]}"
    network = open_crop_editor(stored, choice.device)
    return NeuralEditor(choice.name, fingerprint, network, IbugPoints(), about=_about(stored))


def open_crop_editor(stored: StoredEditor, device: str = "auto") -> CropEditor:
    """The network alone, for crops. Raises InputError as `open_editor` does, and for one that edits nothing."""
    from synth_affect.regressors.devices import choose_device

    if stored.recipe.open_crop_editor is None:
        raise InputError(stored.weights.path, f"{stored.recipe.name} is no editor; it draws nothing")
    return stored.recipe.open_crop_editor(stored.settings, stored.weights, choose_device(device))


def _about(stored: StoredEditor) -> dict[str, Any]:
    """What a report says of it."""
    card = stored.card
    parts = {name: card.get(name) for name in ("licence", "training", "data", "identity_network")}
    return {"weights_sha256": stored.sha256, "size_px": stored.settings.size, **parts}
