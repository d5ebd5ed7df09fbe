"""Shapes and sizes of the four networks at the paper's size, worked out here from the paper's description."""

from __future__ import annotations

import math
from typing import Any

import pytest

from synth_affect.editors.caae.networks import CaaeNetworks, build_networks
from synth_affect.editors.caae.settings import CaaeSettings
from synth_affect.errors import InputError
from synth_affect.regressors.networks import n_parameters

torch = pytest.importorskip("torch")
TINY = CaaeSettings(size=32, width=4, judging_width=4, code=6, label_copies=3)


@pytest.fixture(scope="module")
def full() -> CaaeNetworks:
    torch.manual_seed(0)
    return build_networks(CaaeSettings())


def tiny(seed: int = 0) -> CaaeNetworks:
    torch.manual_seed(seed)
    return build_networks(TINY)


def judge_of(networks: CaaeNetworks) -> Any:
    """The judge of pictures, whose layers are looked at."""
    return networks.picture_judge


def convolution(before: int, after: int, kernel: int = 5) -> int:
    """Parameters, with biases."""
    return kernel * kernel * before * after + after


def fc(before: int, after: int) -> int:
    return before * after + after


def norm(channels: int) -> int:
    return 2 * channels


def shapes_of(network: object, *inputs: object) -> list[tuple[int, ...]]:
    """Of what each convolution and FC of the network gives, without the batch."""
    found: list[tuple[int, ...]] = []
    layers = [m for m in network.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.ConvTranspose2d | torch.nn.Linear)]  # type: ignore[attr-defined]  # fmt: skip  # noqa: E501
    handles = [m.register_forward_hook(lambda _, __, out: found.append(tuple(out.shape[1:]))) for m in layers]
    with torch.no_grad():
        network(*inputs)  # type: ignore[operator]
    for handle in handles:
        handle.remove()
    return found


def test_the_encoder_halves_four_times(full: CaaeNetworks) -> None:
    shapes = shapes_of(full.encoder, torch.zeros(1, 3, 96, 96))
    assert shapes == [(64, 48, 48), (128, 24, 24), (256, 12, 12), (512, 6, 6), (50,)]
    wanted = sum(convolution(a, b) for a, b in ((3, 64), (64, 128), (128, 256), (256, 512))) + fc(512 * 6 * 6, 50)
    assert n_parameters(full.encoder) == wanted == 5_228_210


def test_the_generator_takes_the_label_fifty_times(full: CaaeNetworks) -> None:
    shapes = shapes_of(full.generator, torch.zeros(1, 50), torch.zeros(1, 2))
    assert shapes == [
        (1024 * 6 * 6,), (512, 12, 12), (256, 24, 24), (128, 48, 48), (64, 96, 96), (32, 96, 96), (3, 96, 96),
    ]  # fmt: skip
    channels = (1024, 512, 256, 128, 64, 32, 3)
    wanted = fc(50 + 2 * 50, 1024 * 6 * 6) + sum(map(convolution, channels, channels[1:]))
    assert n_parameters(full.generator) == wanted == 23_029_059


def test_the_label_follows_every_block_of_the_picture_judge(full: CaaeNetworks) -> None:
    shapes = shapes_of(full.picture_judge, torch.zeros(2, 3, 96, 96), torch.zeros(2, 2))
    assert shapes == [(16, 48, 48), (32, 24, 24), (64, 12, 12), (128, 6, 6), (1024,), (1,)]
    taken = [layer.in_channels for layer in judge_of(full).convolutions]
    assert taken == [16 + 100, 32 + 100, 64 + 100]
    blocks = ((3, 16), (16 + 100, 32), (32 + 100, 64), (64 + 100, 128))
    wanted = sum(convolution(a, b) + norm(b) for a, b in blocks) + fc((128 + 100) * 6 * 6, 1024) + fc(1024, 1)
    assert n_parameters(full.picture_judge) == wanted == 9_237_761


def test_the_code_judge_is_of_four_layers(full: CaaeNetworks) -> None:
    assert shapes_of(full.code_judge, torch.zeros(2, 50)) == [(64,), (32,), (16,), (1,)]
    wanted = fc(50, 64) + norm(64) + fc(64, 32) + norm(32) + fc(32, 16) + norm(16) + fc(16, 1)
    assert n_parameters(full.code_judge) == wanted == 6_113
    assert full.code_judge(torch.zeros(3, 50)).shape == (3,)


def test_weights_are_drawn_as_in_the_paper(full: CaaeNetworks) -> None:
    for network in (full.encoder, full.generator, full.picture_judge):
        for name, weights in network.named_parameters():
            if name.endswith("bias"):
                assert not weights.any()
            elif weights.numel() > 10_000:
                assert float(weights.detach().std()) == pytest.approx(0.02, rel=0.02)
                assert abs(float(weights.detach().mean())) < 0.02 / math.sqrt(weights.numel()) * 4


def test_a_narrow_generator_begins_as_bright_as_a_wide_one(full: CaaeNetworks) -> None:
    torch.manual_seed(1)
    codes, labels = torch.rand(8, 50) * 2 - 1, torch.rand(8, 2) * 2 - 1
    with torch.no_grad():
        wide = full.generator(codes, labels).std()
        narrow = build_networks(CaaeSettings.small()).generator(codes, labels).std()
    assert 1 / 4 < float(narrow / wide) < 4  # with the full one's spread it is 1 / 400


def test_ranges() -> None:
    networks = tiny()
    with torch.no_grad():
        for weights in networks.encoder.parameters():
            weights *= 30
        codes = networks.encoder(torch.rand(4, 3, 32, 32) * 2 - 1)
        made = networks.generator(codes * 100, torch.ones(4, 2))
    assert (codes.shape, made.shape) == ((4, 6), (4, 3, 32, 32))
    assert float(codes.abs().max()) <= 1
    assert float(made.abs().max()) <= 1


def test_planes_that_are_folded_are_those_that_are_laid_out() -> None:
    """Outputs and gradients are those of 50 planes of valence and 50 of arousal behind one another."""
    torch.manual_seed(0)
    layer = judge_of(tiny()).convolutions[0].double()
    pictures = torch.randn(2, 4, 8, 8, dtype=torch.float64)
    labels = torch.randn(2, 2, dtype=torch.float64)
    folded = layer(pictures, labels[:, :, None, None].expand(-1, -1, 8, 8))
    laid_out = torch.cat([pictures, labels.repeat(1, 3)[:, :, None, None].expand(-1, -1, 8, 8)], dim=1)
    wanted = torch.nn.functional.conv2d(laid_out, layer.weight, layer.bias, stride=2, padding=2)
    torch.testing.assert_close(folded, wanted)
    gradients = [torch.autograd.grad(out.square().sum(), layer.weight)[0] for out in (folded, wanted)]
    torch.testing.assert_close(*gradients)


def test_every_block_of_the_picture_judge_sees_the_label() -> None:
    judge = judge_of(tiny())
    pictures = torch.rand(4, 3, 32, 32)
    judge(pictures, torch.ones(4, 2)).sum().backward()
    for layer in judge.convolutions:
        of_label = layer.weight.grad[:, layer.before :]
        assert of_label.shape[1] == 2 * 3
        assert of_label.any()
    per_place = judge.fc1.weight.grad.view(-1, 32 + 2 * 3, 2 * 2)
    assert per_place[:, 32:].any()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"size": 90}, "--size: 90"),
        ({"width": 0}, "--width: 0"),
        ({"batch": 1}, "--batch: 1"),
        ({"realism": -1}, "--realism"),
    ],
)
def test_settings_that_are_none(changes: dict[str, float], said: str) -> None:
    with pytest.raises(InputError, match=said):
        CaaeSettings(**changes)  # type: ignore[arg-type]
