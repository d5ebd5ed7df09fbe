"""The network by which losses of identity compare."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from synth_affect.editors.identity_features import features_of_vgg_face
from synth_affect.errors import InputError
from synth_affect.pipelines.open_identity import PACKAGED, IdentityChoice, open_identity
from synth_affect.regressors.networks import NetworkSettings, build_network
from synth_affect.regressors.vgg_face import LICENCE, VggFace
from synth_affect.regressors.weight_file import read_card, save_network

torch = pytest.importorskip("torch")


def test_the_packaged_network_knows_people_and_passes_gradients_to_pictures_alone() -> None:
    identity = open_identity(IdentityChoice())
    pictures = torch.zeros(2, 3, 64, 64, requires_grad=True)
    found = identity(pictures)
    shapes = [(2, channels, size, size) for channels, size in ((8, 64), (16, 32), (32, 16), (64, 8), (64, 4))]
    assert [tuple(one.shape) for one in found] == shapes
    (gradient,) = torch.autograd.grad(torch.stack([one.sum() for one in found]).sum(), pictures)
    assert gradient.abs().sum() > 0
    assert not any(parameter.requires_grad for parameter in identity._features.parameters())
    card = read_card(PACKAGED.with_suffix(".json"), "synth-affect/regressor/1")
    assert card["test"]["verification_auc"] > 0.97
    assert identity.sha256 == card["sha256"]
    assert PACKAGED.stat().st_size < 2 << 20
    assert not any(path.startswith("/") for path in card["data"]["paths"])


def test_other_weights_are_no_identity(tmp_path: Path) -> None:
    settings = NetworkSettings("va-cnn", size=32, width=4)
    save_network(tmp_path / "w.safetensors", settings, build_network(settings).state_dict(), {})
    with pytest.raises(InputError, match="has the weights of a va-cnn, not of an identity network"):
        open_identity(IdentityChoice(tmp_path / "w.safetensors"))
    with pytest.raises(InputError, match="cannot be read"):
        open_identity(IdentityChoice(vgg_face=tmp_path / "vgg_face_dag.pth"))


def test_vgg_face_brings_its_layers_its_scaling_and_its_licence() -> None:
    network: Any = build_network(NetworkSettings("vgg"))
    weights = dict(network.features.state_dict())
    weights |= {"input.scale": torch.full((3,), 127.5), "input.shift": torch.tensor([10.0, 20.0, 30.0])}
    identity = features_of_vgg_face(VggFace(weights, "abc"), Path("vgg.pth"))
    assert (identity.licence, identity.sha256, identity.name) == (LICENCE, "abc", "VGG-Face")
    pictures = torch.linspace(-1, 1, 3 * 32 * 32).view(1, 3, 32, 32)
    first = torch.relu(
        torch.nn.functional.conv2d(
            pictures * 127.5 + torch.tensor([10.0, 20.0, 30.0]).view(3, 1, 1),
            weights["conv1_1.weight"], weights["conv1_1.bias"], padding=1,
        )
    )  # fmt: skip
    second = torch.nn.functional.conv2d(first, weights["conv1_2.weight"], weights["conv1_2.bias"], padding=1)
    torch.testing.assert_close(identity(pictures)[0], torch.relu(second), atol=1e-3, rtol=1e-4)


def test_ours_can_be_trained_anew(tmp_path: Path) -> None:
    settings = NetworkSettings("identity", size=32, width=4, embedding=8)
    save_network(tmp_path / "w.safetensors", settings, build_network(settings).state_dict(), {"licence": "mine"})
    identity = open_identity(IdentityChoice(tmp_path / "w.safetensors"))
    assert (identity.licence, identity.name) == ("mine", "identity network")
    assert identity(torch.zeros(1, 3, 96, 96))[0].shape == (1, 4, 96, 96)
