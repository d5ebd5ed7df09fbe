"""The three networks: encoder, decoder, discriminator.

Pictures are (batch, 3, size, size) RGB in [-1, 1], labels (batch, classes), codes (batch, code).

| network | layers |
| --- | --- |
| encoder | picture and the label as planes; blocks of convolution (kernel 4, stride 2), batch norm, ReLU down to 1 x 1; FC to the mean of z, FC to its log-variance |
| decoder | FC of z and FC of the scaled label, joined at 1 x 1; as many blocks of transposed convolution (kernel 4, stride 2), batch norm, leaky ReLU; the last one to 3 and tanh |
| discriminator | three blocks of convolution (kernel 4, stride 2), batch norm, ReLU; FC to real or generated, FC to the classes |

Batch norm is in all blocks as the paper has them, but the last of the decoder. The discriminator gives logits: sigmoid
and softmax are in the loss. torch is imported when networks are built.
"""  # noqa: E501 (a table's rows are lines)

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from synth_affect.editors.fexgan.settings import CLASSES, FexganSettings
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import Tensor, nn

EXTRA = "train"
JUDGING_BLOCKS = 3
LEAK = 0.2


@dataclass(frozen=True, slots=True, eq=False)
class FexganNetworks:
    """encoder(pictures, labels) -> means and log-variances of z.  decoder(codes, scaled labels) -> pictures.
    discriminator(pictures) -> (batch,) logits of being real, (batch, classes) logits.
    """

    encoder: nn.Module
    decoder: nn.Module
    discriminator: nn.Module


def build_networks(settings: FexganSettings) -> FexganNetworks:
    """All three, with torch's own first weights, drawn from its random numbers."""
    torch, classes = import_optional("torch", EXTRA), _classes()
    built = (classes.Encoder(settings), classes.Decoder(settings), classes.Discriminator(settings))
    # The channels of a pixel lie side by side, which is faster on a CPU.
    return FexganNetworks(*(network.to(memory_format=torch.channels_last) for network in built))


@dataclass(frozen=True, slots=True)
class _Classes:
    Encoder: Any
    Decoder: Any
    Discriminator: Any


@cache
def _classes() -> _Classes:
    """Classes of modules; made once, because torch is not there when this module is imported."""
    torch = import_optional("torch", EXTRA)
    nn = torch.nn

    def halving(before: int, after: int) -> Any:
        # A batch norm of 1 x 1 maps needs two pictures or more, which the batches of the loop always have.
        return nn.Sequential(nn.Conv2d(before, after, 4, stride=2, padding=1), nn.BatchNorm2d(after), nn.ReLU())

    def doubling(before: int, after: int) -> Any:
        up = nn.ConvTranspose2d(before, after, 4, stride=2, padding=1)
        return nn.Sequential(up, nn.BatchNorm2d(after), nn.LeakyReLU(LEAK))

    def widths(settings: FexganSettings) -> list[int]:
        blocks = settings.size.bit_length() - 1
        return [settings.width, *[2 * settings.width] * (blocks - 1)]

    class Encoder(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, settings: FexganSettings) -> None:
            super().__init__()
            channels = [3 + len(CLASSES), *widths(settings)]
            self.blocks = nn.Sequential(*(halving(a, b) for a, b in itertools.pairwise(channels)))
            self.mean = nn.Linear(channels[-1], settings.code)
            self.log_variance = nn.Linear(channels[-1], settings.code)

        def forward(self, pictures: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
            planes = labels[:, :, None, None].expand(-1, -1, *pictures.shape[2:])
            seen = self.blocks(torch.cat([pictures, planes], dim=1)).flatten(1)
            return self.mean(seen), self.log_variance(seen)

    class Decoder(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, settings: FexganSettings) -> None:
            super().__init__()
            channels = widths(settings)[::-1]
            self.of_code = nn.Linear(settings.code, channels[0])
            self.of_label = nn.Linear(len(CLASSES), channels[0])
            channels = [2 * channels[0], *channels[1:]]
            self.blocks = nn.Sequential(*(doubling(a, b) for a, b in itertools.pairwise(channels)))
            self.last = nn.ConvTranspose2d(channels[-1], 3, 4, stride=2, padding=1)

        def forward(self, codes: Tensor, scaled_labels: Tensor) -> Tensor:
            joined = torch.cat([self.of_code(codes), self.of_label(scaled_labels)], dim=1)
            made: Tensor = torch.tanh(self.last(self.blocks(joined[:, :, None, None])))
            return made

    class Discriminator(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, settings: FexganSettings) -> None:
            super().__init__()
            channels = [3, *widths(settings)[:JUDGING_BLOCKS]]
            self.blocks = nn.Sequential(*(halving(a, b) for a, b in itertools.pairwise(channels)))
            n = channels[-1] * (settings.size // 2**JUDGING_BLOCKS) ** 2
            self.real = nn.Linear(n, 1)
            self.category = nn.Linear(n, len(CLASSES))

        def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
            seen = self.blocks(pictures).flatten(1)
            return self.real(seen)[:, 0], self.category(seen)

    return _Classes(Encoder, Decoder, Discriminator)
