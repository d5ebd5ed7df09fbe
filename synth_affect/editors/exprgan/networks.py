"""The networks: G_enc, G_dec, D_img and Q in one, and D_z.

Pictures are (batch, 3, size, size) RGB in [-1, 1], codes (batch, code) in (-1, 1), controllers (batch, 6 d), classes
(batch,) int64. Discriminators give logits.

| network | layers at full size |
| --- | --- |
| G_enc | 5 down blocks (convolution 5, stride 2) of 64, 128, 256, 512, 1024, ReLU; FC 50, tanh |
| G_dec | code and c; FC to a map of 4 x 4 x 1024; up blocks (nearest x2, convolution 3) of 512, 256, 128, 64, 32, and of 16 and 3 without doubling, ReLU; tanh. c joins each block's input as planes |
| D_img, Q | shared: 4 down blocks of 16, 32, 64, 128, FC 1024, each with batch norm and leaky ReLU. D_img: FC 6, of which the unit of the class counts. Q: for each class FC 64, leaky ReLU, FC 5 |
| D_z | FC 64, 32, 16, each with batch norm and leaky ReLU; FC 1 |

Silent, and chosen: seven doublings end at 128 px only when they begin with one pixel, which leaves 16 channels at 64 px;
so the decoder begins with the size and width of the encoder's last map, doubles five times, and the last two of the seven
blocks convolve alone, as in the code that the authors released (as are tanh on the code, and c at each block). The
planes' border is repeated where the picture's is 0: then what the convolution makes of them is one number a channel, and
is computed as that. y reaches D_img in its last layer alone, because Q shares all before and must find the class in the
picture, not be told it. Q is a Gaussian's mean, without an activation. Leaky is 0.2.

torch is imported when networks are built.
"""  # noqa: E501 (a table's rows are lines)

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from synth_affect.editors.exprgan.settings import CLASSES, FIRST_MAP, ExprGanSettings
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import Tensor, nn

EXTRA = "train"
DOWN_KERNEL, UP_KERNEL = 5, 3
LEAK, QUIET = 0.2, 0.3


@dataclass(frozen=True, slots=True, eq=False)
class ExprGanNetworks:
    """encoder(pictures) -> codes.  decoder(codes, controllers) -> pictures.
    discriminator(pictures) -> `Judged`.  code_discriminator(codes) -> (batch,) logits of being drawn from the prior.
    """

    encoder: nn.Module
    decoder: nn.Module
    discriminator: nn.Module
    code_discriminator: nn.Module


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """realism : (batch, 6) logits of being a real picture of each class.  controllers : (batch, 6 d), Q's mean."""

    realism: Tensor
    controllers: Tensor

    def of(self, classes: Tensor) -> Tensor:
        """Logits of being real and of these classes (batch,), of those that are not -1: D_img."""
        return self.realism[classes >= 0].gather(1, classes[classes >= 0, None])[:, 0]


def build_networks(settings: ExprGanSettings) -> ExprGanNetworks:
    """All four, with weights drawn from torch's random numbers."""
    classes = _classes()
    networks = ExprGanNetworks(
        classes.Encoder(settings), classes.Decoder(settings), classes.Discriminator(settings),
        classes.CodeDiscriminator(settings),
    )  # fmt: skip
    _draw_weights(networks)
    return networks


def _draw_weights(networks: Any) -> None:
    """He et al. 2015, but QUIET of that where c joins and where the picture comes out. Biases are 0.

    PyTorch's own are a third as wide: through twelve layers without batch norm nothing would come out. As wide as the
    others c's planes drown the code, and the picture starts where tanh is flat: after 200 steps all people were one.
    """
    nn = import_optional("torch.nn", EXTRA)
    quiet = {networks.decoder.convolutions[-1], *networks.decoder.planes}
    for network in (networks.encoder, networks.decoder, networks.discriminator, networks.code_discriminator):
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                if module in quiet:
                    module.weight.data *= QUIET
                if module.bias is not None:
                    nn.init.zeros_(module.bias)


@dataclass(frozen=True, slots=True)
class _Classes:
    Encoder: Any
    Decoder: Any
    Discriminator: Any
    CodeDiscriminator: Any


@cache
def _classes() -> _Classes:
    """Classes of modules; made once, because torch is not there when this module is imported."""
    torch = import_optional("torch", EXTRA)
    nn = torch.nn

    def down(before: int, after: int) -> Any:
        return nn.Conv2d(before, after, DOWN_KERNEL, stride=2, padding=DOWN_KERNEL // 2)

    def n_values(settings: ExprGanSettings, widths: tuple[int, ...]) -> int:
        """After the down blocks."""
        side = settings.size
        for _ in widths:
            side = -(-side // 2)
        return widths[-1] * side**2

    class Encoder(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, settings: ExprGanSettings) -> None:
            super().__init__()
            widths = (3, *settings.encoder)
            self.convolutions = nn.ModuleList(down(a, b) for a, b in itertools.pairwise(widths))
            self.fc = nn.Linear(n_values(settings, settings.encoder), settings.code)

        def forward(self, pictures: Tensor) -> Tensor:
            for convolution in self.convolutions:
                pictures = torch.relu(convolution(pictures))
            codes: Tensor = torch.tanh(self.fc(pictures.flatten(1)))
            return codes

    class Decoder(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, settings: ExprGanSettings) -> None:
            super().__init__()
            self.doublings = settings.doublings
            self.first = (settings.decoder[0], FIRST_MAP, FIRST_MAP)
            self.fc = nn.Linear(settings.code + settings.n_control, settings.decoder[0] * FIRST_MAP**2)
            widths = (*settings.decoder, 3)
            self.convolutions = nn.ModuleList(
                nn.Conv2d(a, b, UP_KERNEL, padding=UP_KERNEL // 2) for a, b in itertools.pairwise(widths)
            )
            self.planes = nn.ModuleList(nn.Linear(settings.n_control, width, bias=False) for width in widths[1:])

        def forward(self, codes: Tensor, controllers: Tensor) -> Tensor:
            pictures = self.fc(torch.cat([codes, controllers], dim=1)).view(-1, *self.first)
            for number, (convolution, planes) in enumerate(zip(self.convolutions, self.planes, strict=True)):
                pictures = torch.relu(pictures)
                if number < self.doublings:
                    pictures = nn.functional.interpolate(pictures, scale_factor=2, mode="nearest")
                pictures = convolution(pictures) + planes(controllers)[:, :, None, None]
            made: Tensor = torch.tanh(pictures)
            return made

    class Discriminator(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, settings: ExprGanSettings) -> None:
            super().__init__()
            layers: list[Any] = []
            before = 3
            for width in settings.discriminator:
                layers += [down(before, width), nn.BatchNorm2d(width), nn.LeakyReLU(LEAK)]
                before = width
            layers += [nn.Flatten(), nn.Linear(n_values(settings, settings.discriminator), settings.shared)]
            layers += [nn.BatchNorm1d(settings.shared), nn.LeakyReLU(LEAK)]
            self.layers = nn.Sequential(*layers)
            self.realism = nn.Linear(settings.shared, len(CLASSES))
            self.branches = nn.ModuleList(
                nn.Sequential(
                    nn.Linear(settings.shared, settings.branch),
                    nn.LeakyReLU(LEAK),
                    nn.Linear(settings.branch, settings.controller),
                )
                for _ in CLASSES
            )

        def forward(self, pictures: Tensor) -> Judged:
            seen = self.layers(pictures)
            return Judged(self.realism(seen), torch.cat([branch(seen) for branch in self.branches], dim=1))

    class CodeDiscriminator(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, settings: ExprGanSettings) -> None:
            super().__init__()
            layers: list[Any] = []
            before = settings.code
            for units in settings.code_discriminator:
                layers += [nn.Linear(before, units), nn.BatchNorm1d(units), nn.LeakyReLU(LEAK)]
                before = units
            self.layers = nn.Sequential(*layers, nn.Linear(before, 1))

        def forward(self, codes: Tensor) -> Tensor:
            logits: Tensor = self.layers(codes)[:, 0]
            return logits

    return _Classes(Encoder, Decoder, Discriminator, CodeDiscriminator)
