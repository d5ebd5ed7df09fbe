"""The four networks: encoder E, generator G, and discriminators of pictures (D_img) and of codes (D_z).

Pictures are (batch, 3, size, size) RGB in [-1, 1], codes (batch, code) in (-1, 1), labels (batch, 2) valence and
arousal. Discriminators give logits: the sigmoid of the paper is in their loss, where it is stable.

| network | layers |
| --- | --- |
| E | 4 convolutions (kernel 5, stride 2) to 1, 2, 4, 8 widths, ReLU; FC to the code, tanh |
| G | code joined with the repeated label; FC to 16 widths; 4 transposed convolutions (kernel 5, stride 2) to 8, 4, 2, 1 widths and 2 of stride 1 to a half and to 3, ReLU; tanh |
| D_img | 4 convolutions (kernel 5, stride 2) to 1, 2, 4, 8 of its widths, each with batch norm and ReLU and then the repeated label as planes; FC to 64 of its widths, leaky ReLU; FC to 1 |
| D_z | FC to 64, 32, 16, each with batch norm and ReLU; FC to 1 |

torch is imported when networks are built.
"""  # noqa: E501 (a table's rows are lines)

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from synth_affect.editors.caae.settings import FULL_WIDTH, CaaeSettings
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import Tensor, nn

EXTRA = "train"
N_LABELS = 2
KERNEL, HALVINGS = 5, 4
CODE_UNITS = (64, 32, 16)
LEAK = 0.2
SPREAD = 0.02
"""Standard deviation of the first weights."""


@dataclass(frozen=True, slots=True, eq=False)
class CaaeNetworks:
    """encoder(pictures) -> codes.  generator(codes, labels) -> pictures.
    picture_judge(pictures, labels), code_judge(codes) -> (batch,) logits of being real.
    """

    encoder: Any
    generator: Any
    picture_judge: nn.Module
    code_judge: nn.Module


def build_networks(settings: CaaeSettings) -> CaaeNetworks:
    """All four, with weights drawn from torch's random numbers: N(0, 0.02), biases 0.

    Narrower ones: layers whose inputs are fewer than at full width draw wider by the root of that share, and so pass on
    as much as there. E and G have no batch norm, and at an eighth of the width G's pictures would else begin 400 times
    fainter.
    """
    nn = import_optional("torch.nn", EXTRA)
    classes = _classes()
    networks = CaaeNetworks(
        classes.Encoder(settings), classes.Generator(settings), classes.PictureJudge(settings),
        classes.CodeJudge(settings),
    )  # fmt: skip
    narrowed = {*networks.encoder.narrowed(), *networks.generator.narrowed()}
    for network in (networks.encoder, networks.generator, networks.picture_judge, networks.code_judge):
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
                wider = (FULL_WIDTH / settings.width) ** 0.5 if module in narrowed else 1.0
                nn.init.normal_(module.weight, 0.0, SPREAD * wider)
                nn.init.zeros_(module.bias)
    return networks


@dataclass(frozen=True, slots=True)
class _Classes:
    Encoder: Any
    Generator: Any
    PictureJudge: Any
    CodeJudge: Any


@cache
def _classes() -> _Classes:
    """Classes of modules; made once, because torch is not there when this module is imported."""
    torch = import_optional("torch", EXTRA)
    nn = torch.nn

    def halving(before: int, after: int) -> Any:
        return nn.Conv2d(before, after, KERNEL, stride=2, padding=KERNEL // 2)

    class Encoder(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, settings: CaaeSettings) -> None:
            super().__init__()
            widths = [3, *(settings.width * 2**k for k in range(HALVINGS))]
            self.convolutions = nn.ModuleList(halving(a, b) for a, b in pairwise(widths))
            self.fc = nn.Linear(widths[-1] * (settings.size // 2**HALVINGS) ** 2, settings.code)

        def narrowed(self) -> list[Any]:
            """Layers that have fewer inputs where the width is less."""
            return [*self.convolutions[1:], self.fc]

        def forward(self, pictures: Tensor) -> Tensor:
            for convolution in self.convolutions:
                pictures = torch.relu(convolution(pictures))
            codes: Tensor = torch.tanh(self.fc(pictures.flatten(1)))
            return codes

    class Generator(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, settings: CaaeSettings) -> None:
            super().__init__()
            self.copies = settings.label_copies
            w = settings.width
            self.first = (16 * w, settings.size // 2**HALVINGS, settings.size // 2**HALVINGS)
            self.fc = nn.Linear(settings.code + N_LABELS * self.copies, self.first[0] * self.first[1] ** 2)
            widths = [16 * w, 8 * w, 4 * w, 2 * w, w]
            doubling = {"kernel_size": KERNEL, "stride": 2, "padding": KERNEL // 2, "output_padding": 1}
            self.convolutions = nn.ModuleList(nn.ConvTranspose2d(a, b, **doubling) for a, b in pairwise(widths))
            for before, after in ((w, w // 2), (w // 2, 3)):
                self.convolutions.append(nn.ConvTranspose2d(before, after, KERNEL, padding=KERNEL // 2))

        def narrowed(self) -> list[Any]:
            return list(self.convolutions)

        def forward(self, codes: Tensor, labels: Tensor) -> Tensor:
            joined = torch.cat([codes, labels.repeat(1, self.copies)], dim=1)
            pictures = self.fc(joined).view(-1, *self.first)
            for convolution in self.convolutions:
                pictures = convolution(torch.relu(pictures))
            made: Tensor = torch.tanh(pictures)
            return made

    class LabelledHalving(nn.Conv2d):  # type: ignore[misc, name-defined]
        """A convolution of pictures to which the repeated label was joined as planes.

        All copies of a plane are one plane, so it is convolved once, with the sum of the copies' weights: the same
        numbers and gradients as if they were laid out, in a fraction of the time.
        """

        def __init__(self, before: int, after: int, copies: int) -> None:
            super().__init__(before + N_LABELS * copies, after, KERNEL, stride=2, padding=KERNEL // 2)
            self.before = before

        def forward(self, pictures: Tensor, planes: Tensor) -> Tensor:
            of_label = self.weight[:, self.before :].unflatten(1, (-1, N_LABELS)).sum(dim=1)
            weight = torch.cat([self.weight[:, : self.before], of_label], dim=1)
            joined = torch.cat([pictures, planes], dim=1)
            convolved: Tensor = self._conv_forward(joined, weight, self.bias)
            return convolved

    class PictureJudge(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, settings: CaaeSettings) -> None:
            super().__init__()
            self.copies = settings.label_copies
            widths = [settings.judging_width * 2**k for k in range(HALVINGS)]
            self.first = halving(3, widths[0])
            self.convolutions = nn.ModuleList(LabelledHalving(a, b, self.copies) for a, b in pairwise(widths))
            self.norms = nn.ModuleList(nn.BatchNorm2d(w) for w in widths)
            places = (settings.size // 2**HALVINGS) ** 2
            self.fc1 = nn.Linear((widths[-1] + N_LABELS * self.copies) * places, 64 * settings.judging_width)
            self.fc2 = nn.Linear(64 * settings.judging_width, 1)

        def forward(self, pictures: Tensor, labels: Tensor) -> Tensor:
            seen = torch.relu(self.norms[0](self.first(pictures)))
            for convolution, norm in zip(self.convolutions, self.norms[1:], strict=True):
                seen = torch.relu(norm(convolution(seen, _planes(labels, seen))))
            joined = torch.cat([seen, _planes(labels.repeat(1, self.copies), seen)], dim=1)
            hidden = nn.functional.leaky_relu(self.fc1(joined.flatten(1)), LEAK)
            logits: Tensor = self.fc2(hidden)[:, 0]
            return logits

    class CodeJudge(nn.Sequential):  # type: ignore[misc, name-defined]
        def __init__(self, settings: CaaeSettings) -> None:
            layers: list[Any] = []
            before = settings.code
            for units in CODE_UNITS:
                layers += [nn.Linear(before, units), nn.BatchNorm1d(units), nn.ReLU()]
                before = units
            super().__init__(*layers, nn.Linear(before, 1), nn.Flatten(0))

    return _Classes(Encoder, Generator, PictureJudge, CodeJudge)


def _planes(labels: Tensor, like: Tensor) -> Tensor:
    """(batch, n, height, width) of (batch, n): each number as a plane of the height and width of `like`."""
    return labels[:, :, None, None].expand(-1, -1, *like.shape[2:])
