"""The encoder that the paper's systems share, and the classifier, which is the encoder and a last layer.

C_k is a convolution (3 x 3, stride 1, SAME) to k channels, a max-pool (2 x 2, SAME) and ReLU; its stride is 1 in the
paper. torch is imported when networks are built.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from synth_affect.editors.expression_classifier.settings import CLASSES, ClassifierSettings, EncoderSettings
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import nn

EXTRA = "train"


def build_encoder(settings: EncoderSettings) -> nn.Sequential:
    """From (batch, 1, size, size) in [0, 1] to (batch, units[1]): C8 - C32 - flatten - F256 - F100, ReLU after each."""
    torch = import_optional("torch", EXTRA)
    nn = torch.nn
    first, second = settings.channels
    side = settings.size // settings.pool_stride**2
    built: Any = nn.Sequential(
        *_block(1, first, settings.pool_stride),
        *_block(first, second, settings.pool_stride),
        nn.Flatten(),
        nn.Linear(second * side * side, settings.units[0]),
        nn.ReLU(),
        nn.Linear(settings.units[0], settings.units[1]),
        nn.ReLU(),
    )
    # The channels of a pixel lie side by side: a step takes half the time (benchmarks/bench_editor_steps.py).
    return built.to(memory_format=torch.channels_last)  # type: ignore[no-any-return]


def build_classifier(settings: ClassifierSettings) -> nn.Sequential:
    """`encoder`, `dropout` and `last`: (batch, 7) logits of CLASSES, with weights drawn from torch's random numbers."""
    nn = import_optional("torch.nn", EXTRA)
    network: Any = nn.Sequential()
    network.add_module("encoder", build_encoder(settings))
    network.add_module("dropout", nn.Dropout(settings.dropout))
    network.add_module("last", nn.Linear(settings.units[1], len(CLASSES)))
    return network  # type: ignore[no-any-return]


def _block(before: int, after: int, stride: int) -> list[Any]:
    nn = import_optional("torch.nn", EXTRA)
    # SAME at stride 1: one more column at the right and one more row below, which never win.
    same = [nn.ConstantPad2d((0, 1, 0, 1), float("-inf"))] if stride == 1 else []
    return [nn.Conv2d(before, after, 3, padding=1), *same, nn.MaxPool2d(2, stride), nn.ReLU()]
