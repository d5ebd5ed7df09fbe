"""C8 - C32 - F256 - F100 - dropout - 7 at the paper's size, worked out here."""

from __future__ import annotations

import pytest

from synth_affect.editors.expression_classifier.networks import build_classifier, build_encoder
from synth_affect.editors.expression_classifier.settings import ClassifierSettings, EncoderSettings
from synth_affect.errors import InputError
from synth_affect.regressors.networks import n_parameters

torch = pytest.importorskip("torch")


def fc(before: int, after: int) -> int:
    return before * after + after


CONVOLUTIONS = 3 * 3 * 1 * 8 + 8 + 3 * 3 * 8 * 32 + 32


def test_weights_of_the_paper() -> None:
    with torch.device("meta"):  # the first fully connected layer alone is half a gigabyte
        classifier = build_classifier(ClassifierSettings())
    first = fc(32 * 128 * 128, 256)
    assert first == 134_217_984
    assert n_parameters(classifier) == CONVOLUTIONS + first + fc(256, 100) + fc(100, 7)


def test_strided_pools_are_the_small_form() -> None:
    classifier = build_classifier(ClassifierSettings(pool_stride=2))
    assert n_parameters(classifier) == CONVOLUTIONS + fc(32 * 32 * 32, 256) + fc(256, 100) + fc(100, 7)


@pytest.mark.parametrize(("stride", "sides"), [(1, [16, 16]), (2, [8, 4])])
def test_pools_are_same(stride: int, sides: list[int]) -> None:
    encoder = build_encoder(EncoderSettings(size=16, pool_stride=stride))
    passing, found = torch.rand(2, 1, 16, 16), []
    for layer in encoder:
        passing = layer(passing)
        if isinstance(layer, torch.nn.MaxPool2d):
            found.append(passing.shape[-1])
    assert found == sides
    assert passing.shape == (2, 100)
    assert passing.min() >= 0


def test_a_pool_of_stride_one_takes_the_largest_of_four() -> None:
    encoder = build_encoder(EncoderSettings(size=16))
    pad_and_pool = torch.nn.Sequential(*[layer for layer in encoder if "Pad" in type(layer).__name__ or "Pool" in type(layer).__name__][:2])  # fmt: skip  # noqa: E501
    numbers = -torch.arange(256.0).view(1, 1, 16, 16)  # falling, so the largest is at the upper left: the pixel itself
    assert torch.equal(pad_and_pool(numbers), numbers)


@pytest.mark.parametrize(
    ("change", "option"),
    [
        ({"size": 60}, "--size"),
        ({"pool_stride": 3}, "--pool-stride"),
        ({"units": (0, 3)}, "--units"),
        ({"dropout": 1}, "--dropout"),
    ],
)
def test_settings_that_cannot_be(change: dict[str, object], option: str) -> None:
    with pytest.raises(InputError, match=option):
        ClassifierSettings(**change)  # type: ignore[arg-type]
