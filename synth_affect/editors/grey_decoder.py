"""The decoder of Barradas-Chacon, Salvador, Werner: F8192 - TC18,3,2 - TC12,3,2 - TC6,3,2 - TC1,1,1 - F16384.

TCf,k,s is a transposed convolution to f channels, kernel k, stride s, SAME. 8192 numbers are 32 maps of 16 x 16, and
16384 a grey picture of 128 px; other sizes have as many as they need. The last F has 268 million weights at 128 px.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from synth_affect.errors import InputError
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import nn

FIRST_MAPS = 32
CHANNELS = (18, 12, 6)


def build_decoder(code: int, size: int, *, last_dense: bool) -> nn.Sequential:
    """From (batch, code) to logits (batch, 1, size, size) of a grey picture; their sigmoid is in [0, 1].

    ReLU is after each layer but the last.  last_dense : without it F16384 is left out, a deviation.
    Raises InputError for a size that does not halve three times.
    """
    torch = import_optional("torch", "train")
    nn = torch.nn
    if size < 16 or size % 8:
        raise InputError("--size", f"{size} is not a multiple of 8 from 16 on")
    side = size // 8
    layers: list[Any] = [nn.Linear(code, FIRST_MAPS * side**2), nn.ReLU(), nn.Unflatten(1, (FIRST_MAPS, side, side))]
    before = FIRST_MAPS
    for channels in CHANNELS:
        layers += [nn.ConvTranspose2d(before, channels, 3, stride=2, padding=1, output_padding=1), nn.ReLU()]
        before = channels
    layers.append(nn.ConvTranspose2d(before, 1, 1))
    if last_dense:
        layers += [nn.ReLU(), nn.Flatten(), nn.Linear(size**2, size**2), nn.Unflatten(1, (1, size, size))]
    built: Any = nn.Sequential(*layers)
    # As in the encoder.
    return built.to(memory_format=torch.channels_last)  # type: ignore[no-any-return]
