"""Weights of a network on the disk: `NAME.safetensors`, and beside it `NAME.json`, the card that says what they are.

The card holds `network` (see NetworkSettings), the sha256 of the weights, and whatever else its writer knows: data,
training, scores, licence. Weights without their card are refused, because their architecture is not known.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synth_affect.data.atomic import atomic_write
from synth_affect.errors import InputError
from synth_affect.optional import import_optional
from synth_affect.regressors.networks import EXTRA, NetworkSettings, build_network

if TYPE_CHECKING:
    from torch import Tensor, nn

FORMAT = "synth-affect/regressor/1"
SUFFIX = ".safetensors"
MAX_STEPS = 10_000


@dataclass(frozen=True, slots=True, eq=False)
class StoredNetwork:
    """network : with its weights, on the CPU, set to evaluation.  card : all that the card says."""

    network: nn.Module
    settings: NetworkSettings
    card: Mapping[str, Any]


def card_path(weights: Path) -> Path:
    """Of the card that belongs to `weights`."""
    return weights.with_suffix(".json")


def save_network(
    path: Path, settings: NetworkSettings, state: Mapping[str, Tensor], about: Mapping[str, Any]
) -> dict[str, Any]:
    """Write weights and card, and return the card. about : what it says beside the network.

    Raises InputError when `path` does not end in .safetensors or cannot be written.
    """
    return write_weights(path, FORMAT, state, {"network": asdict(settings)}, about)


def write_weights(
    path: Path, form: str, state: Mapping[str, Tensor], named: Mapping[str, Any], about: Mapping[str, Any]
) -> dict[str, Any]:
    """Weights of any kind and their card, which is returned. form : its format.  named : what the weights are of.

    Raises InputError when `path` does not end in .safetensors or cannot be written.
    """
    if path.suffix != SUFFIX:
        raise InputError(path, f"weights are written as {SUFFIX}")
    content: bytes = import_optional("safetensors.torch", EXTRA).save({k: v.contiguous() for k, v in state.items()})
    card = {"format": form, **named, "sha256": hashlib.sha256(content).hexdigest(), **about}
    with atomic_write(path) as file:
        file.write(content)
    with atomic_write(card_path(path)) as file:
        file.write((json.dumps(card, indent=2) + "\n").encode())
    return card


def load_network(path: Path) -> StoredNetwork:
    """The network that `save_network` wrote.

    Raises InputError when weights or card are absent, damaged, or do not belong together.
    """
    card, state = read_weights(path, FORMAT)
    try:
        settings = NetworkSettings(**card["network"])
    except (KeyError, TypeError) as error:
        raise InputError(card_path(path), f"names no network ({error})") from None
    _check_said(card, card_path(path))
    network = build_network(settings)
    load_weights(network, state, path)
    return StoredNetwork(network.eval(), settings, card)


def _check_said(card: Mapping[str, Any], path: Path) -> None:
    """What is used of a card beside its network is of its kind. Raises InputError."""
    for part in ("training", "data"):
        if not isinstance(card.get(part, {}), dict):
            raise InputError(path, f"{part} is no JSON object")
    steps = card.get("training", {}).get("steps", 1)
    if isinstance(steps, bool) or not isinstance(steps, int) or not 1 <= steps <= MAX_STEPS:
        raise InputError(path, f"steps is no whole number in [1, {MAX_STEPS}]")
    for group in ("held_out_people", "seen_people"):
        people = card.get("data", {}).get(group, [])
        if not isinstance(people, list) or not all(isinstance(name, str) for name in people):
            raise InputError(path, f"{group} is no list of names")


def read_weights(path: Path, form: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The card and the weights that `write_weights` wrote in that format; tensors on the CPU.

    Raises InputError when one of them is absent, damaged, of another format, or they do not belong together.
    """
    safetensors = import_optional("safetensors.torch", EXTRA)
    if path.suffix != SUFFIX:
        raise InputError(path, f"is no {SUFFIX} file")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror or error})") from error
    card = read_card(card_path(path), form)
    if card.get("sha256") != hashlib.sha256(content).hexdigest():
        raise InputError(path, f"is not the file that {card_path(path).name} speaks of (another sha256)")
    try:
        state: dict[str, Tensor] = safetensors.load(content)
    except Exception as error:  # safetensors' own error is of no public class
        raise InputError(
            path, f"is no safetensors file ({(str(error) or type(error).__name__).splitlines()[0]})"
        ) from None
    return card, state


def read_card(path: Path, form: str) -> dict[str, Any]:
    """The JSON object of a card. Raises InputError when it is none of ours in the format `form`."""
    try:
        card = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InputError(path, f"the card of the weights cannot be read ({error.strerror or error})") from error
    except (ValueError, RecursionError) as error:
        raise InputError(path, f"is no JSON ({error})") from error
    if not isinstance(card, dict) or card.get("format") != form:
        raise InputError(path, f"is no card of {form}")
    return card


def load_weights(network: nn.Module, state: Mapping[str, Tensor], path: Path) -> None:
    """Put all of `state` into `network`. Raises InputError, which names the first layer that differs."""
    own = network.state_dict()
    absent, foreign = sorted(own.keys() - state.keys()), sorted(state.keys() - own.keys())
    if absent or foreign:
        raise InputError(path, f"has no weights {absent[0]}" if absent else f"has weights {foreign[0]} of no layer")
    for name, tensor in own.items():  # in the order of the layers
        check_shape(path, name, state[name], tensor)
    network.load_state_dict(dict(state))


def check_shape(path: Path, name: str, found: Tensor, wanted: Tensor) -> None:
    """Raises InputError when weights `name` have another shape than their layer."""
    if found.shape != wanted.shape:
        raise InputError(path, f"weights {name} are {tuple(found.shape)}, the layer takes {tuple(wanted.shape)}")
