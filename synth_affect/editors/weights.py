"""Weights of an editor on the disk: `NAME.safetensors`, and beside it `NAME.json`, the card that says what they are.

The card holds the editor's name, its settings, the sha256 of the weights, and what training knows: data and people,
seed, losses, time, licence. Weights without their card are refused, because their networks are not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synth_affect.editors.recipes import Recipe, RecipeSettings, open_recipe
from synth_affect.errors import InputError
from synth_affect.regressors.weight_file import card_path, load_weights, read_weights, write_weights

if TYPE_CHECKING:
    from torch import Tensor, nn

FORMAT = "synth-affect/editor/1"


@dataclass(frozen=True, slots=True, eq=False)
class EditorWeights:
    """path : for messages.  tensors : by the names in the learner's state, on the CPU."""

    path: Path
    tensors: Mapping[str, Tensor]

    def load_into(self, module: nn.Module, prefix: str) -> None:
        """Fill `module` with the weights that the learner has as its part `prefix`.

        Raises InputError, which names the first layer that differs.
        """
        start = f"{prefix}."
        own = {name.removeprefix(start): t for name, t in self.tensors.items() if name.startswith(start)}
        load_weights(module, own, self.path)


@dataclass(frozen=True, slots=True, eq=False)
class StoredEditor:
    """An editor that was trained. settings : of its recipe.  card : all that the card says."""

    recipe: Recipe
    settings: RecipeSettings
    weights: EditorWeights
    card: Mapping[str, Any]

    @property
    def sha256(self) -> str:
        """Of the weights, hexadecimal."""
        return str(self.card["sha256"])


def save_editor(
    path: Path, recipe: Recipe, settings: RecipeSettings, state: Mapping[str, Tensor], about: Mapping[str, Any]
) -> dict[str, Any]:
    """Write weights and card, and return the card. about : what it says beside the networks.

    Raises InputError when `path` does not end in .safetensors or cannot be written.
    """
    return write_weights(path, FORMAT, state, {"editor": recipe.name, "settings": as_json(settings)}, about)


def load_editor(path: Path, name: str | None = None) -> StoredEditor:
    """What `save_editor` wrote. name : the editor that they must be of; None for any.

    Raises InputError when weights or card are absent, damaged, of another editor or version, or not of each other.
    """
    card, tensors = read_weights(path, FORMAT)
    found = card.get("editor")
    if name is not None and found != name:
        raise InputError(path, f"has the weights of {found}, not of {name}")
    recipe = open_recipe(str(found))
    stored = card.get("settings")
    known = {field.name: field for field in fields(recipe.settings())}  # type: ignore[arg-type]
    if not isinstance(stored, dict) or stored.keys() != known.keys():
        other = f" ({min(stored.keys() ^ known.keys())})" if isinstance(stored, dict) else ""
        raise InputError(card_path(path), f"has other settings than this version's {found}{other}")
    try:
        settings = recipe.settings(**{n: tuple(v) if isinstance(v, list) else v for n, v in stored.items()})
    except TypeError as error:
        raise InputError(card_path(path), f"has settings that {found} cannot have ({error})") from None
    return StoredEditor(recipe, settings, EditorWeights(path, tensors), card)


def as_json(settings: RecipeSettings) -> dict[str, Any]:
    """The settings as JSON values; tuples are lists."""
    values: dict[str, Any] = asdict(settings)  # type: ignore[call-overload]
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
