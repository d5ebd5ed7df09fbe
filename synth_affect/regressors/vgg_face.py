"""The convolutions of VGG-Face (Parkhi et al. 2015) from `vgg_face_dag.pth`, which the user has, and into our networks.

The file is a state dict of the layers conv1_1 ... conv5_3, fc6, fc7, fc8 (2,622 people), for RGB in 0 to 255 less a
mean; its licence is CC BY-NC. The convolutions alone are taken: fc6 takes 7 x 7 places, which pictures of 224 px have,
and the networks here are trained on smaller ones, with fully connected layers of their own.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from synth_affect.errors import InputError
from synth_affect.optional import import_optional
from synth_affect.regressors.networks import CONVOLUTIONS, DOUBLINGS, EXTRA, FULL_WIDTH, layer_names
from synth_affect.regressors.weight_file import check_shape

if TYPE_CHECKING:
    from torch import Tensor, nn

MEAN = (129.186279, 104.762383, 93.593964)
LICENCE = "CC-BY-NC, made from VGG-Face of the Visual Geometry Group, Oxford; research only"


@dataclass(frozen=True, slots=True, eq=False)
class VggFace:
    """weights : of the convolutions and of the input's scaling, as in the part `features` of our networks.
    sha256 : of the file they came from.
    """

    weights: Mapping[str, Tensor]
    sha256: str


def read_vgg_face(path: Path) -> VggFace:
    """The convolutions in the user's file. Raises InputError when it cannot be read or is another network's."""
    torch = import_optional("torch", EXTRA)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror or error})") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of another pickle protocol, on a file that is then refused
            state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise InputError(
            path, f"is no file of weights alone ({(str(error) or type(error).__name__).splitlines()[0]})"
        ) from None
    if not isinstance(state, Mapping):
        raise InputError(path, "holds no weights by name")
    weights = {
        "input.scale": torch.full((3,), 127.5),
        "input.shift": torch.tensor([127.5 - mean for mean in MEAN]),
        **{name: _tensor(state, name, path) for name in _shapes() if not name.startswith("input.")},
    }
    check_vgg_face(weights, path)
    return VggFace(weights, hashlib.sha256(content).hexdigest())


def check_vgg_face(weights: Mapping[str, Tensor], path: Path) -> None:
    """Raises InputError, which names `path`, when they are not those of VGG-Face's convolutions."""
    torch = import_optional("torch", EXTRA)
    for name, shape in _shapes().items():
        check_shape(path, name, _tensor(weights, name, path), torch.empty(shape))


def start_from_vgg_face(network: nn.Module, weights: Mapping[str, Tensor], path: Path) -> None:
    """Put them into every part `features` of `network`.

    Raises InputError when the network is of another width, or has batch norm, which those weights know nothing of.
    """
    for prefix, module in network.named_modules():
        if prefix.rpartition(".")[2] != "features":
            continue
        own = module.state_dict()
        if own.keys() != weights.keys():
            other = sorted(own.keys() ^ weights.keys())[0]
            raise InputError(path, f"and the network differ in {other}; VGG-Face has no batch norm")
        for name, tensor in weights.items():
            check_shape(path, name, tensor, own[name])
        module.load_state_dict(dict(weights))


def _shapes() -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {"input.scale": (3,), "input.shift": (3,)}
    before = 3
    blocks = [c for doubling, n in zip(DOUBLINGS, CONVOLUTIONS, strict=True) for c in [FULL_WIDTH * doubling] * n]
    for name, channels in zip(layer_names(), blocks, strict=True):
        shapes[f"{name}.weight"], shapes[f"{name}.bias"] = (channels, before, 3, 3), (channels,)
        before = channels
    return shapes


def _tensor(state: Mapping[str, Tensor], name: str, path: Path) -> Tensor:
    torch = import_optional("torch", EXTRA)
    tensor = state.get(name)
    if not isinstance(tensor, torch.Tensor):
        raise InputError(path, f"has no weights {name}; is it vgg_face_dag.pth?")
    weights: Tensor = tensor.float()
    return weights
