"""Shapes and sizes of the networks at the paper's size, worked out here from the paper's description."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from synth_affect.editors.exprgan.networks import build_networks
from synth_affect.editors.exprgan.settings import CLASSES, ExprGanSettings
from synth_affect.errors import InputError
from synth_affect.regressors.networks import n_parameters

torch = pytest.importorskip("torch")
TINY = ExprGanSettings(
    size=32, code=6, controller=2, encoder=(4, 8), decoder=(8, 8, 8, 8), discriminator=(4, 8), shared=16, branch=4
)
C = 6 * 5
"""Numbers of the controller."""


@pytest.fixture(scope="module")
def full() -> Any:
    torch.manual_seed(0)
    return build_networks(ExprGanSettings())


def tiny(seed: int = 0) -> Any:
    torch.manual_seed(seed)
    return build_networks(TINY)


def convolution(before: int, after: int, kernel: int) -> int:
    """Parameters, with biases."""
    return kernel * kernel * before * after + after


def fc(before: int, after: int) -> int:
    return before * after + after


def norm(channels: int) -> int:
    return 2 * channels


def shapes_of(network: Any, *inputs: Any, kinds: tuple[Any, ...] = (torch.nn.Conv2d, torch.nn.Linear)) -> list[Any]:
    """Of what each layer of these kinds gives, without the batch, in the order of use."""
    found: list[tuple[int, ...]] = []
    layers = [module for module in network.modules() if isinstance(module, kinds)]
    handles = [m.register_forward_hook(lambda _, __, out: found.append(tuple(out.shape[1:]))) for m in layers]
    with torch.no_grad():
        network(*inputs)
    for handle in handles:
        handle.remove()
    return found


def kinds_of(network: Any, *kinds: Any) -> int:
    return sum(isinstance(module, kinds) for module in network.modules())


def test_the_encoder_halves_five_times(full: Any) -> None:
    shapes = shapes_of(full.encoder, torch.zeros(1, 3, 128, 128))
    assert shapes == [(64, 64, 64), (128, 32, 32), (256, 16, 16), (512, 8, 8), (1024, 4, 4), (50,)]
    widths = (3, 64, 128, 256, 512, 1024)
    wanted = sum(convolution(a, b, 5) for a, b in itertools.pairwise(widths)) + fc(1024 * 4 * 4, 50)
    assert n_parameters(full.encoder) == wanted == 18_234_034
    assert {module.stride for module in full.encoder.convolutions} == {(2, 2)}
    assert kinds_of(full.encoder, torch.nn.BatchNorm2d) == 0


def test_the_decoder_has_seven_blocks(full: Any) -> None:
    shapes = shapes_of(full.decoder, torch.zeros(1, 50), torch.zeros(1, C), kinds=(torch.nn.Conv2d,))
    assert shapes == [
        (512, 8, 8), (256, 16, 16), (128, 32, 32), (64, 64, 64), (32, 128, 128), (16, 128, 128), (3, 128, 128),
    ]  # fmt: skip
    widths = (1024, 512, 256, 128, 64, 32, 16, 3)
    blocks = sum(convolution(a, b, 3) + C * b for a, b in itertools.pairwise(widths))
    assert n_parameters(full.decoder) == fc(50 + C, 1024 * 4 * 4) + blocks == 7_648_797
    assert kinds_of(full.decoder, torch.nn.BatchNorm2d) == 0


def test_the_picture_discriminator_and_q_share_all_but_their_last_layers(full: Any) -> None:
    network = full.discriminator
    shapes = shapes_of(network, torch.zeros(2, 3, 128, 128))
    assert shapes == [(16, 64, 64), (32, 32, 32), (64, 16, 16), (128, 8, 8), (1024,), (6,), *[(64,), (5,)] * 6]
    widths = (3, 16, 32, 64, 128)
    shared = sum(convolution(a, b, 5) + norm(b) for a, b in itertools.pairwise(widths))
    shared += fc(128 * 8 * 8, 1024) + norm(1024)
    assert n_parameters(network.layers) == shared == 8_662_400
    q = 6 * (fc(1024, 64) + fc(64, 5))
    assert n_parameters(network) == shared + fc(1024, 6) + q == 9_064_100
    assert kinds_of(network, torch.nn.BatchNorm2d, torch.nn.BatchNorm1d) == 5


def test_the_code_discriminator(full: Any) -> None:
    assert shapes_of(full.code_discriminator, torch.zeros(2, 50)) == [(64,), (32,), (16,), (1,)]
    wanted = sum(fc(a, b) + norm(b) for a, b in ((50, 64), (64, 32), (32, 16))) + fc(16, 1)
    assert n_parameters(full.code_discriminator) == wanted == 6_113


def test_ranges_and_answers(full: Any) -> None:
    torch.manual_seed(1)
    pictures = torch.rand(2, 3, 128, 128) * 2 - 1
    with torch.no_grad():
        codes = full.encoder(pictures)
        made = full.decoder(codes, torch.rand(2, C) * 2 - 1)
    assert made.shape == pictures.shape
    assert codes.abs().max() < 1
    assert 0.1 < float(made.abs().mean()) < 0.9  # neither faint nor saturated before training
    judged = full.discriminator(made)
    assert judged.controllers.shape == (2, C)
    assert full.code_discriminator(codes).shape == (2,)
    logits = judged.of(torch.tensor([4, 1]))
    torch.testing.assert_close(logits, torch.stack([judged.realism[0, 4], judged.realism[1, 1]]))


def test_the_controller_joins_as_planes() -> None:
    """As a convolution of planes whose border is repeated, beside the pictures' zeros."""
    decoder = tiny().decoder
    convolution, planes = decoder.convolutions[1], decoder.planes[1]
    controllers = torch.rand(2, 12, generator=torch.Generator().manual_seed(0))
    pictures = torch.rand(2, 8, 16, 16, generator=torch.Generator().manual_seed(1))
    ours = convolution(pictures) + planes(controllers)[:, :, None, None]

    of_planes = (planes.weight / 9)[:, :, None, None].expand(-1, -1, 3, 3)
    weight = torch.cat([convolution.weight, of_planes], dim=1)
    laid_out = controllers[:, :, None, None].expand(-1, -1, 16 + 2, 16 + 2)
    joined = torch.cat([torch.nn.functional.pad(pictures, (1, 1, 1, 1)), laid_out], dim=1)
    torch.testing.assert_close(ours, torch.nn.functional.conv2d(joined, weight, convolution.bias))


def test_each_number_of_the_controller_moves_the_picture() -> None:
    networks = tiny()
    controllers = torch.zeros(1, 12, requires_grad=True)
    made = networks.decoder(torch.ones(1, 6), controllers)
    (gradient,) = torch.autograd.grad(made.square().sum(), controllers)
    assert (gradient != 0).all()


def test_q_has_a_branch_a_class() -> None:
    """A branch answers for the numbers of its class alone."""
    network = tiny().discriminator.eval()
    pictures = torch.rand(1, 3, 32, 32)
    before = network(pictures).controllers
    with torch.no_grad():
        network.branches[CLASSES.index("happiness")][-1].bias += 1
    changed = (network(pictures).controllers - before)[0]
    torch.testing.assert_close(changed, torch.tensor([0.0] * 6 + [1.0] * 2 + [0.0] * 4))


def test_a_picture_may_be_alone_in_evaluation() -> None:
    networks = tiny()
    pictures = torch.rand(4, 3, 32, 32)
    discriminator = networks.discriminator.eval()
    alone = torch.cat([discriminator(pictures[i : i + 1]).controllers for i in range(4)])
    torch.testing.assert_close(discriminator(pictures).controllers, alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [32, 64, 128, 256])
def test_all_sizes_decode_to_themselves(size: int) -> None:
    settings = ExprGanSettings(
        size=size, code=3, controller=1, encoder=(2, 2), decoder=(2,) * 7, discriminator=(2, 2), shared=2, branch=2
    )
    networks = build_networks(settings)
    made = networks.decoder(networks.encoder(torch.zeros(2, 3, size, size)), torch.zeros(2, 6))
    assert made.shape == (2, 3, size, size)
    assert networks.discriminator(made).controllers.shape == (2, 6)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"size": 96}, "--size: 96 is none of 32"),
        ({"stages": (1, 2)}, r"--stages: \(1, 2\) are not the epochs of controller, reconstruction, refining"),
        ({"stages": (0, 0, 0)}, "--stages"),
        ({"encoder": ()}, r"--encoder: \(\) are not widths"),
        ({"decoder": (8, 8)}, "--decoder: has 2 blocks; 128 px need 5"),
        ({"control": -1.0}, r"--control: -1 is not in \[0, 1000\]"),
        ({"batch": 1}, r"--batch: 1 is not in \[2, 4096\]"),
    ],
)
def test_settings_that_cannot_be(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        ExprGanSettings(**changes)
