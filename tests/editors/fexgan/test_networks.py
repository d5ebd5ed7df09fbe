"""Shapes and sizes of the three networks at full size, worked out here from the paper's description."""

from __future__ import annotations

from itertools import pairwise

import pytest

from synth_affect.editors.fexgan.networks import FexganNetworks, build_networks
from synth_affect.editors.fexgan.settings import FexganSettings
from synth_affect.errors import InputError
from synth_affect.regressors.networks import n_parameters

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def full() -> FexganNetworks:
    torch.manual_seed(0)
    return build_networks(FexganSettings())


def convolution(before: int, after: int) -> int:
    return 4 * 4 * before * after + after


def fc(before: int, after: int) -> int:
    return before * after + after


def norm(channels: int) -> int:
    return 2 * channels


def maps_of(network: object, *inputs: object) -> list[tuple[int, ...]]:
    """Shapes of what each convolution gives, without the batch."""
    found: list[tuple[int, ...]] = []
    kinds = torch.nn.Conv2d | torch.nn.ConvTranspose2d
    handles = [
        m.register_forward_hook(lambda _, __, out: found.append(tuple(out.shape[1:])))
        for m in network.modules()  # type: ignore[attr-defined]
        if isinstance(m, kinds)
    ]
    with torch.no_grad():
        network(*inputs)  # type: ignore[operator]
    for handle in handles:
        handle.remove()
    return found


def test_the_encoder_goes_down_to_one_pixel(full: FexganNetworks) -> None:
    maps = maps_of(full.encoder, torch.zeros(2, 3, 128, 128), torch.zeros(2, 7))
    assert maps == [(64, 64, 64), *((128, side, side) for side in (32, 16, 8, 4, 2, 1))]
    channels = (3 + 7, 64, *[128] * 6)
    wanted = sum(convolution(a, b) + norm(b) for a, b in pairwise(channels)) + 2 * fc(128, 64)
    assert n_parameters(full.encoder) == wanted == 1_471_040


def test_the_decoder_joins_code_and_label_and_goes_up(full: FexganNetworks) -> None:
    maps = maps_of(full.decoder, torch.zeros(2, 64), torch.zeros(2, 7))
    assert maps == [*((128, side, side) for side in (2, 4, 8, 16, 32)), (64, 64, 64), (3, 128, 128)]
    channels = (128 + 128, *[128] * 5, 64)
    blocks = sum(convolution(a, b) + norm(b) for a, b in pairwise(channels))
    assert n_parameters(full.decoder) == fc(64, 128) + fc(7, 128) + blocks + convolution(64, 3) == 1_718_467


def test_the_discriminator_has_three_blocks_and_two_answers(full: FexganNetworks) -> None:
    assert maps_of(full.discriminator, torch.zeros(2, 3, 128, 128)) == [(64, 64, 64), (128, 32, 32), (128, 16, 16)]
    blocks = sum(convolution(a, b) + norm(b) for a, b in ((3, 64), (64, 128), (128, 128)))
    assert n_parameters(full.discriminator) == blocks + fc(128 * 16 * 16, 1 + 7) == 659_400
    real, category = full.discriminator(torch.zeros(2, 3, 128, 128))
    assert (real.shape, category.shape) == ((2,), (2, 7))


def test_pictures_stay_in_range(full: FexganNetworks) -> None:
    with torch.no_grad():
        made = full.decoder.eval()(50 * torch.randn(3, 64), torch.randn(3, 7))
    assert made.shape == (3, 3, 128, 128)
    assert made.abs().max() <= 1


@pytest.mark.parametrize(
    ("change", "option"),
    [({"size": 96}, "--size"), ({"code": 0}, "--code"), ({"divergence": float("nan")}, "--divergence")],
)
def test_settings_that_cannot_be(change: dict[str, float], option: str) -> None:
    with pytest.raises(InputError, match=option):
        FexganSettings(**change)  # type: ignore[arg-type]
