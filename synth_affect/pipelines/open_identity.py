"""The network by which losses of identity compare: the user's VGG-Face, one trained here, or the packaged one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from synth_affect.editors.identity_features import IdentityFeatures, features_of_network, features_of_vgg_face
from synth_affect.errors import InputError
from synth_affect.pipelines.training.vgg_face_weights import open_vgg_face
from synth_affect.regressors.weight_file import load_network

PACKAGED = Path(__file__).parent.parent / "editors" / "identity.safetensors"
"""See docs/editors.md for how it was trained."""


@dataclass(frozen=True, slots=True)
class IdentityChoice:
    """network : weights of `synth-affect train identity`.  vgg_face : the user's VGG-Face, as it is or converted.
    The packaged network where neither is given. Raises InputError for both.
    """

    network: Path | None = None
    vgg_face: Path | None = None

    def __post_init__(self) -> None:
        if self.network is not None and self.vgg_face is not None:
            raise InputError("--vgg-face", "is an identity network, and so is --identity-network; give one of them")


def open_identity(choice: IdentityChoice) -> IdentityFeatures:
    """Raises InputError for weights that are none of an identity network."""
    if choice.vgg_face is not None:
        return features_of_vgg_face(open_vgg_face(choice.vgg_face), choice.vgg_face)
    path = PACKAGED if choice.network is None else choice.network
    stored = load_network(path)
    if stored.settings.kind != "identity":
        raise InputError(path, f"has the weights of a {stored.settings.kind}, not of an identity network")
    return features_of_network(stored)
