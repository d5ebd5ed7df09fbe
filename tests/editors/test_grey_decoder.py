"""The decoder's layers and weights at the paper's size, worked out here."""

from __future__ import annotations

import pytest

from synth_affect.editors.grey_decoder import build_decoder
from synth_affect.errors import InputError
from synth_affect.regressors.networks import n_parameters

torch = pytest.importorskip("torch")


def fc(before: int, after: int) -> int:
    return before * after + after


def convolution(before: int, after: int, kernel: int) -> int:
    return kernel * kernel * before * after + after


CONVOLUTIONS = convolution(32, 18, 3) + convolution(18, 12, 3) + convolution(12, 6, 3) + convolution(6, 1, 1)


def test_layers_of_the_paper() -> None:
    with torch.device("meta"):  # the last layer alone is a gigabyte
        decoder = build_decoder(100, 128, last_dense=True)
    assert n_parameters(decoder) == fc(100, 8192) + CONVOLUTIONS + fc(16384, 16384)


def test_maps_on_the_way_up() -> None:
    decoder = build_decoder(7, 128, last_dense=False)
    assert n_parameters(decoder) == fc(7, 8192) + CONVOLUTIONS
    found = []
    passing = torch.zeros(2, 7)
    for layer in decoder:
        passing = layer(passing)
        if isinstance(layer, torch.nn.Linear | torch.nn.ConvTranspose2d):
            found.append(tuple(passing.shape[1:]))
    assert found == [(8192,), (18, 32, 32), (12, 64, 64), (6, 128, 128), (1, 128, 128)]


def test_the_last_layer_sees_the_whole_picture() -> None:
    decoder = build_decoder(3, 16, last_dense=True)
    assert decoder(torch.zeros(2, 3)).shape == (2, 1, 16, 16)
    assert decoder[-2].weight.shape == (256, 256)


@pytest.mark.parametrize("size", [8, 20])
def test_sizes_that_do_not_halve(size: int) -> None:
    with pytest.raises(InputError, match="--size"):
        build_decoder(3, size, last_dense=False)
