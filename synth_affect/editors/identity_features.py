"""What losses of identity compare: activations of five layers of a network that knows who it is, and does not learn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from synth_affect.optional import import_optional
from synth_affect.regressors.networks import EXTRA, IDENTITY_LAYERS, NetworkSettings, activations, build_network
from synth_affect.regressors.vgg_face import LICENCE as VGG_FACE_LICENCE
from synth_affect.regressors.vgg_face import VggFace, start_from_vgg_face
from synth_affect.regressors.weight_file import StoredNetwork

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor, nn


class IdentityFeatures:
    """Called with pictures (batch, 3, size, size) in [-1, 1]; gives their activations, in the order of `layers`.

    Gradients pass through to the pictures, and none reaches the network. It is no part of whatever holds it: not in its
    state, and it follows the pictures to their device.
    """

    def __init__(
        self, features: nn.Sequential, *, name: str, licence: str, sha256: str, layers: Sequence[str] = IDENTITY_LAYERS
    ) -> None:
        """features : the part `features` of one of our networks; is taken over.  name, licence, sha256 : of it, for
        the cards of what is trained with it.
        """
        self._features = features.eval().requires_grad_(requires_grad=False)
        self.name, self.licence, self.sha256, self.layers = name, licence, sha256, tuple(layers)

    def __call__(self, pictures: Tensor) -> list[Tensor]:
        """conv1_2, conv2_2, conv3_2, conv4_2, conv5_2, after their ReLU."""
        if next(self._features.parameters()).device != pictures.device:
            self._features.to(pictures.device)
        return activations(self._features, pictures, self.layers)


def features_of_network(stored: StoredNetwork) -> IdentityFeatures:
    """Of an identity network that was trained here."""
    return IdentityFeatures(
        stored.network.features,  # type: ignore[arg-type]
        name="identity network",
        licence=str(stored.card.get("licence", "not said")),
        sha256=str(stored.card["sha256"]),
    )


def features_of_vgg_face(weights: VggFace, path: Path) -> IdentityFeatures:
    """Of VGG-Face, as in the papers. path : of the weights, for messages."""
    network = import_optional("torch", EXTRA).nn.Module()
    network.features = build_network(NetworkSettings("vgg")).features
    start_from_vgg_face(network, weights.weights, path)
    return IdentityFeatures(network.features, name="VGG-Face", licence=VGG_FACE_LICENCE, sha256=weights.sha256)
