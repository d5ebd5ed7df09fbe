"""The networks, all of VGG-16's topology, with layers named as in the published VGG-Face weights (`conv1_1` ... `fc7`).

`vgg`       one picture: convolutions, FC, FC, 2 linear outputs (Kollias et al. 2017, single-picture form).
`vgg-gru`   a sequence: convolutions, FC joined with 68 x 2 landmarks, two GRU layers, 2 linear outputs (ibid.). That
            the landmarks are levelled, scaled and standardised is ours.
`va-cnn`    the judges of Lindt et al. 2019: two networks that share nothing, one for valence and one for arousal, with
            output in [-1, 1]. Table II with their layers is not available, so VGG-16's, with batch norm, are our
            choice, and hidden layers of 512 at full width.
`classes`   one picture and its landmarks, if it has some: convolutions, FC joined with them, FC, a logit for each
            category of emotion. Ours.
`identity`  an embedding on the unit sphere; `activations` gives conv1_2 ... conv5_2, which editors compare.

Pictures are (batch, 3, size, size) RGB in [-1, 1]. `width` is that of the first convolution, 64 in VGG-16; everything
else scales with it. torch is imported when a network is built.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, get_args

from synth_affect.affect import Emotion, parse_emotion
from synth_affect.errors import InputError
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import Tensor, nn

EXTRA = "train"
Kind = Literal["vgg", "vgg-gru", "va-cnn", "classes", "identity"]
CropName = Literal["square", "aligned"]
KINDS: tuple[Kind, ...] = get_args(Kind)
FULL_WIDTH = 64
DOUBLINGS, CONVOLUTIONS = (1, 2, 4, 8, 8), (2, 2, 3, 3, 3)
"""Of the five blocks: channels as multiples of the width, and convolutions before the pooling."""
IDENTITY_LAYERS = ("conv1_2", "conv2_2", "conv3_2", "conv4_2", "conv5_2")
LANDMARK_VALUES = 68 * 2
RIGHT_EYE, LEFT_EYE = slice(36, 42), slice(42, 48)
"""Of ibug's points; the subject's."""
N_SEEING = 2
"""Of the layers of a judge, those before the fully connected ones: convolutions, and making a row of them."""
_HIDDEN = {"vgg": 4096, "vgg-gru": 4096, "va-cnn": 512, "classes": 512, "identity": 512}


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """What a network is, and what its weights' card says.

    size : height and width of its pictures, px; a multiple of 32.  width : channels of conv1_1.
    hidden : units of the fully connected layers at full width.  gru : units of each GRU layer, whatever the width.
    batch_norm : after every convolution; VGG-Face has none.
    embedding : numbers of an identity.
    crop : how its faces are cut out: a square round their landmarks, or eyes and mouth brought to fixed places.
    categories : what `classes` tells apart, in the order of its outputs; empty for the others.
    landmarks : whether `classes` reads them beside the picture; of the others the kind says it.
    Raises InputError naming the option.
    """

    kind: Kind
    size: int = 96
    width: int = FULL_WIDTH
    hidden: int = 0
    gru: int = 128
    batch_norm: bool = False
    dropout: float = 0.5
    embedding: int = 128
    categories: tuple[Emotion, ...] = ()
    crop: CropName = "square"
    landmarks: bool = True

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError("kind", f"{self.kind!r} is none of {', '.join(KINDS)}")
        if self.crop not in get_args(CropName):
            raise InputError("crop", f"{self.crop!r} is none of {', '.join(get_args(CropName))}")
        if self.hidden == 0:
            object.__setattr__(self, "hidden", _HIDDEN[self.kind])
        if isinstance(self.size, float) or self.size < 32 or self.size > 512 or self.size % 32:
            raise InputError("--size", f"{self.size} is not a multiple of 32 in [32, 512]")
        for option, value, most in (
            ("--width", self.width, 256), ("--hidden", self.hidden, 8192), ("--gru", self.gru, 4096),
            ("--embedding", self.embedding, 4096),
        ):  # fmt: skip
            if isinstance(value, float) or not 1 <= value <= most:  # a card can say anything
                raise InputError(option, f"{value} is no whole number in [1, {most}]")
        if not 0 <= self.dropout < 1:
            raise InputError("--dropout", f"{self.dropout:g} is not in [0, 1)")
        object.__setattr__(self, "categories", tuple(parse_emotion(name) for name in self.categories))
        if self.kind == "classes":
            if len(set(self.categories)) < max(len(self.categories), 2):
                said = ", ".join(self.categories) or "none"
                raise InputError("--categories", f"two different ones or more are needed; there are: {said}")
        elif self.categories:
            raise InputError("--categories", f"are what a network of kind classes tells apart, and this is {self.kind}")
        if not self.landmarks and self.kind != "classes":
            raise InputError("--no-landmarks", f"is for networks of kind classes, and this is {self.kind}")

    @property
    def fc_units(self) -> int:
        """Of each fully connected layer at this width."""
        return max(self.hidden * self.width // FULL_WIDTH, 8)

    @property
    def takes_landmarks(self) -> bool:
        """Whether the network reads landmarks beside pictures."""
        return self.kind == "vgg-gru" or (self.kind == "classes" and self.landmarks)

    @property
    def can_find_landmarks(self) -> bool:
        """Whether a network that reads pictures alone can be taught to find landmarks, see `build_shape_reading`."""
        return self.kind == "va-cnn" or (self.kind == "classes" and not self.landmarks)

    @property
    def is_recurrent(self) -> bool:
        """Whether the network reads sequences."""
        return self.kind == "vgg-gru"


def build_network(settings: NetworkSettings) -> nn.Module:
    """The network with weights drawn from torch's random numbers (He et al. 2015).

    Called with pictures, and landmarks (batch, 136), NaN for unknown ones, where `takes_landmarks`; with (batch, n, 3,
    size, size) and (batch, n, 136) where `is_recurrent`.
    """
    torch = import_optional("torch", EXTRA)
    network: nn.Module
    if settings.kind == "vgg":
        network = torch.nn.Sequential(_layers(settings, 2))
    elif settings.kind == "classes" and settings.landmarks:
        network = _classes().Classes(settings)
    elif settings.kind == "classes":
        network = _classes().Judge(_layers(settings, len(settings.categories)))
    elif settings.kind == "va-cnn":
        network = _classes().Judges(settings)
    elif settings.kind == "identity":
        network = _classes().Embedding(settings)
    else:
        network = _classes().Sequence(settings)
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            torch.nn.init.zeros_(module.bias)
    return network


def build_shape_reading(settings: NetworkSettings) -> nn.Module:
    """What makes convolutions find a face's parts while a network is trained that `can_find_landmarks`: a linear layer
    reads the landmarks from what they see; one for each judge of a `va-cnn`.

    Called with what they `see`, and with landmarks (batch, 136), NaN for unknown ones; gives the mean squared error of
    the standardised shape (see `LandmarkShape`): 1 for a guess of the mean, 0 where no two faces have landmarks.
    """
    reading: nn.Module = _classes().ShapeReading(settings)
    return reading


def activations(features: nn.Sequential, pictures: Tensor, names: Iterable[str] = IDENTITY_LAYERS) -> list[Tensor]:
    """Outputs of the convolutions `names` after their ReLU, in the order of the layers.

    features : the part `features` of a network.
    """
    wanted = {f"relu{name.removeprefix('conv')}" for name in names}
    found = []
    for name, layer in features.named_children():
        pictures = layer(pictures)
        if name in wanted:
            found.append(pictures)
            if len(found) == len(wanted):
                break
    return found


def _features(settings: NetworkSettings) -> Any:
    nn = import_optional("torch.nn", EXTRA)
    layers: OrderedDict[str, Any] = OrderedDict(input=_classes().InputScaling())
    before = 3
    for block, (doubling, count) in enumerate(zip(DOUBLINGS, CONVOLUTIONS, strict=True), start=1):
        for number in range(1, count + 1):
            channels = settings.width * doubling
            layers[f"conv{block}_{number}"] = nn.Conv2d(before, channels, 3, padding=1)
            if settings.batch_norm:
                layers[f"norm{block}_{number}"] = nn.BatchNorm2d(channels)
            layers[f"relu{block}_{number}"] = nn.ReLU()
            before = channels
        layers[f"pool{block}"] = nn.MaxPool2d(2)
    return nn.Sequential(layers)


def _n_features(settings: NetworkSettings) -> int:
    return settings.width * DOUBLINGS[-1] * (settings.size // 32) ** 2


def _layers(settings: NetworkSettings, n_outputs: int) -> OrderedDict[str, Any]:
    nn = import_optional("torch.nn", EXTRA)
    units = settings.fc_units
    return OrderedDict(
        features=_features(settings),
        flatten=nn.Flatten(),
        fc6=nn.Linear(_n_features(settings), units),
        relu6=nn.ReLU(),
        dropout6=nn.Dropout(settings.dropout),
        fc7=nn.Linear(units, units),
        relu7=nn.ReLU(),
        dropout7=nn.Dropout(settings.dropout),
        out=nn.Linear(units, n_outputs),
    )


@dataclass(frozen=True, slots=True)
class _Classes:
    InputScaling: Any
    Judge: Any
    Judges: Any
    Classes: Any
    Embedding: Any
    Sequence: Any
    ShapeReading: Any


@cache
def _classes() -> _Classes:
    """Classes of modules; made once, because torch is not there when this module is imported."""
    torch = import_optional("torch", EXTRA)
    nn = torch.nn

    class InputScaling(nn.Module):  # type: ignore[misc, name-defined]
        """From [-1, 1] to what the first convolution was trained on: x scale + shift, channel by channel."""

        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("scale", torch.ones(3))
            self.register_buffer("shift", torch.zeros(3))

        def forward(self, pictures: Tensor) -> Tensor:
            scaled = pictures * self.scale.view(3, 1, 1) + self.shift.view(3, 1, 1)
            # Channel by channel within a pixel: all that follows keeps the order, and takes a third less time on a CPU.
            ordered: Tensor = scaled.contiguous(memory_format=torch.channels_last)
            return ordered

    class Judge(nn.Sequential):  # type: ignore[misc, name-defined]
        def see(self, pictures: Tensor) -> list[Tensor]:
            """(batch, n_features) of the convolutions."""
            return [self[:N_SEEING](pictures)]

        def judge(self, seen: list[Tensor]) -> Tensor:
            """(batch, categories) of what `see` gave."""
            read: Tensor = self[N_SEEING:](seen[0])
            return read

    class Judges(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, settings: NetworkSettings) -> None:
            super().__init__()
            self.valence = nn.Sequential(_layers(settings, 1))
            self.arousal = nn.Sequential(_layers(settings, 1))

        def see(self, pictures: Tensor) -> list[Tensor]:
            """(batch, n_features) of the convolutions of valence, and of arousal."""
            return [judge[:N_SEEING](pictures) for judge in (self.valence, self.arousal)]

        def judge(self, seen: list[Tensor]) -> Tensor:
            """(batch, 2) of what `see` gave."""
            judged = [judge[N_SEEING:](one) for judge, one in zip((self.valence, self.arousal), seen, strict=True)]
            read: Tensor = torch.tanh(torch.cat(judged, dim=1))
            return read

        def forward(self, pictures: Tensor) -> Tensor:
            read: Tensor = self.judge(self.see(pictures))
            return read

    class Embedding(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, settings: NetworkSettings) -> None:
            super().__init__()
            self.features = _features(settings)
            self.embedding = nn.Linear(_n_features(settings), settings.embedding)

        def forward(self, pictures: Tensor) -> Tensor:
            embedded = self.embedding(self.features(pictures).flatten(1))
            unit: Tensor = nn.functional.normalize(embedded, dim=1)
            return unit

    class LandmarkShape(nn.Module):  # type: ignore[misc, name-defined]
        """Landmarks without the face's place, size and turn in the picture, each number standardised: raw ones differ
        by hundredths between expressions, and by tenths between cuts, so little is learnt of them. A face without
        landmarks has the mean shape.
        """

        def __init__(self) -> None:
            super().__init__()
            self.norm = nn.BatchNorm1d(LANDMARK_VALUES, eps=1e-6, affine=False)

        def forward(self, landmarks: Tensor) -> Tensor:
            """(batch, 136) of (batch, 136)."""
            known = torch.isfinite(landmarks).all(dim=1, keepdim=True)
            points = torch.where(known, landmarks.float(), 0.0).view(-1, 68, 2)
            points = points - points.mean(dim=1, keepdim=True)
            across = points[:, LEFT_EYE].mean(dim=1) - points[:, RIGHT_EYE].mean(dim=1)
            cos, sin = nn.functional.normalize(across, dim=1)[:, :, None].unbind(dim=1)
            x, y = points.unbind(dim=2)
            level = torch.stack([x * cos + y * sin, y * cos - x * sin], dim=2).flatten(1)
            size = level.square().mean(dim=1, keepdim=True).sqrt().clamp_min(1e-6)
            shape: Tensor = self.norm(level / size) * known
            return shape

    class ShapeReading(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, settings: NetworkSettings) -> None:
            super().__init__()
            self.shape = LandmarkShape()
            n_judges = 2 if settings.kind == "va-cnn" else 1
            self.readers = nn.ModuleList([nn.Linear(_n_features(settings), LANDMARK_VALUES) for _ in range(n_judges)])

        def forward(self, seen: list[Tensor], landmarks: Tensor) -> Tensor:
            known = torch.isfinite(landmarks).all(dim=1)
            read = torch.stack([reader(one) for reader, one in zip(self.readers, seen, strict=True)])
            error: Tensor
            if known.sum() < 2:  # nothing to standardise by
                error = 0 * read.sum()
            else:
                error = (read[:, known] - self.shape(landmarks[known])).square().mean()
            return error

    class PictureAndShape(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, settings: NetworkSettings) -> None:
            super().__init__()
            self.features = _features(settings)
            self.shape = LandmarkShape()
            self.fc6 = nn.Linear(_n_features(settings), settings.fc_units)
            self.dropout6 = nn.Dropout(settings.dropout)
            self.fc7 = nn.Linear(settings.fc_units + LANDMARK_VALUES, settings.fc_units)
            self.dropout7 = nn.Dropout(settings.dropout)
            self.out = nn.Linear(settings.fc_units, len(settings.categories))

        def forward(self, pictures: Tensor, landmarks: Tensor) -> Tensor:
            seen = self.dropout6(torch.relu(self.fc6(self.features(pictures).flatten(1))))
            joined = torch.cat([seen, self.shape(landmarks)], dim=1)
            logits: Tensor = self.out(self.dropout7(torch.relu(self.fc7(joined))))
            return logits

    class SequenceNetwork(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, settings: NetworkSettings) -> None:
            super().__init__()
            self.features = _features(settings)
            self.shape = LandmarkShape()
            self.fc6 = nn.Linear(_n_features(settings), settings.fc_units)
            self.dropout6 = nn.Dropout(settings.dropout)
            joined = settings.fc_units + LANDMARK_VALUES
            self.gru = nn.GRU(joined, settings.gru, num_layers=2, batch_first=True)
            self.out = nn.Linear(settings.gru, 2)

        def forward(self, pictures: Tensor, landmarks: Tensor, steps: int = 0) -> Tensor:
            """(batch, n, 2) of (batch, n, 3, size, size) and (batch, n, 136).

            steps : of a still, n = 1, how long it is held: the convolutions see it once, and the GRU so many times.
            """
            batch, n = pictures.shape[:2]
            seen = self.dropout6(torch.relu(self.fc6(self.features(pictures.flatten(0, 1)).flatten(1))))
            joined = torch.cat([seen, self.shape(landmarks.flatten(0, 1))], dim=1).view(batch, n, -1)
            if steps and n == 1:
                joined = joined.expand(batch, steps, joined.shape[2])
            states: Tensor = self.out(self.gru(joined.contiguous())[0])
            return states

    return _Classes(InputScaling, Judge, Judges, PictureAndShape, Embedding, SequenceNetwork, ShapeReading)


def n_parameters(network: nn.Module) -> int:
    """How many numbers it learns."""
    return sum(parameter.numel() for parameter in network.parameters())


def layer_names() -> Sequence[str]:
    """conv1_1 ... conv5_3."""
    return [f"conv{b}_{n}" for b, count in enumerate(CONVOLUTIONS, start=1) for n in range(1, count + 1)]
