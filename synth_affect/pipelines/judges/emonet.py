"""EmoNet (Toisoul, Kossaifi, Bulat, Tzimiropoulos, Pantic 2021) from the user's `emonet_8.pth` or `emonet_5.pth`.

A face alignment network (four convolutional stages, two hourglasses of depth 4), whose features, weighted by the sum
of the landmarks' heat maps, go through four residual blocks to classes, valence and arousal. The network is built here
from its published topology, with the names of its state dict; weights that do not fit it in name or shape are refused.
Input 256 x 256 RGB in [0, 1]; crop: the square round the landmarks with 20 % margin (ours: the authors use a box of
another detector). Of the five-class weights the fifth class is called Fear in one place and Anger in another, so no
class is reported for them.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from synth_affect.data.provenance import sha256_file
from synth_affect.errors import InputError
from synth_affect.optional import import_optional
from synth_affect.pipelines.judges.face_view import FaceView, face_crop
from synth_affect.pipelines.judges.judge import AffectJudge, AffectReading, JudgeCard
from synth_affect.pipelines.judges.weights_of_users import check_weights_file, first_line

if TYPE_CHECKING:
    from torch import Tensor, nn

EXTRA = "train"
CLASSES = ("neutral", "happiness", "sadness", "surprise", "fear", "disgust", "anger", "contempt")
"""AffectNet's order."""
SIDE, MARGIN = 256, 0.20
LANDMARKS, FEATURES, DEPTH, HOURGLASSES = 68, 256, 4, 2
LAST_LAYER = "emo_fc_2.3.bias"


class EmoNetJudge(AffectJudge):
    """Raises InputError for a file that is no such state dict, MissingDependencyError without torch."""

    def __init__(self, path: Path) -> None:
        torch = import_optional("torch", EXTRA)
        self._torch = torch
        state = _state_dict(path)
        n_classes = len(state[LAST_LAYER]) - 2 if LAST_LAYER in state else 0
        if n_classes not in (5, 8):
            raise InputError(path, "not the weights of EmoNet with 5 or 8 classes")
        self._network = build_emonet(n_classes)
        try:
            self._network.load_state_dict(state)
        except RuntimeError as error:  # names or shapes
            raise InputError(path, f"does not fit EmoNet ({str(error).splitlines()[-1].strip()})") from error
        self._network.eval()
        self._classes = CLASSES if n_classes == 8 else ()
        self._card = JudgeCard(
            name=f"EmoNet, {n_classes} classes",
            databases="AffectNet",
            accuracy="CCC .82 / .75 on AffectNet's test faces (its authors, 8 classes)",
            terms="CC BY-NC-ND 4.0",
            fingerprint=f"emonet 1 {sha256_file(path)}",
        )

    @property
    def card(self) -> JudgeCard:
        """What it is."""
        return self._card

    def read(self, face: FaceView) -> AffectReading:
        """Clipped to [-1, 1]."""
        crop = np.ascontiguousarray(np.moveaxis(face_crop(face, SIDE, MARGIN), 2, 0))
        with self._torch.no_grad():
            outputs = self._network(self._torch.from_numpy(crop).float()[None] / 255)[0].double().numpy()
        valence, arousal = np.clip(outputs[-2:], -1, 1)
        emotion = self._classes[int(outputs[:-2].argmax())] if self._classes else ""
        return AffectReading(float(valence), float(arousal), emotion)


def _state_dict(path: Path) -> dict[str, Any]:
    torch = import_optional("torch", EXTRA)
    check_weights_file(path)
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # of zip, of torch, of the restricted unpickler
        raise InputError(path, f"no weights that torch can read ({first_line(error)})") from error
    if not isinstance(state, dict) or not all(torch.is_tensor(value) for value in state.values()):
        raise InputError(path, "not a state dict")
    return {name.removeprefix("module."): value for name, value in state.items()}


def build_emonet(n_classes: int) -> nn.Module:
    """The network with random weights; called with (batch, 3, 256, 256) in [0, 1] it gives (batch, n_classes + 2):
    logits of the classes, then valence and arousal.
    """
    torch = import_optional("torch", EXTRA)
    nn, functional = torch.nn, torch.nn.functional

    class Residual(nn.Module):  # type: ignore[misc, name-defined]
        """Three convolutions of a half, a quarter and a quarter of the channels, side by side, added to the input."""

        def __init__(self, before: int, after: int) -> None:
            super().__init__()
            widths = (before, after // 2, after // 4, after // 4)
            for number in (1, 2, 3):
                setattr(self, f"bn{number}", nn.BatchNorm2d(widths[number - 1]))
                convolution = nn.Conv2d(widths[number - 1], widths[number], 3, padding=1, bias=False)
                setattr(self, f"conv{number}", convolution)
            self.downsample = None
            if before != after:
                mixing = nn.Conv2d(before, after, 1, bias=False)
                self.downsample = nn.Sequential(nn.BatchNorm2d(before), nn.ReLU(), mixing)

        def forward(self, x: Tensor) -> Tensor:
            first = self.conv1(functional.relu(self.bn1(x)))
            second = self.conv2(functional.relu(self.bn2(first)))
            third = self.conv3(functional.relu(self.bn3(second)))
            beside: Tensor = x if self.downsample is None else self.downsample(x)
            added: Tensor = torch.cat([first, second, third], dim=1) + beside
            return added

    class Hourglass(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            for level in range(1, DEPTH + 1):
                for part in ("b1", "b2", "b3"):
                    self.add_module(f"{part}_{level}", Residual(FEATURES, FEATURES))
            self.b2_plus_1 = Residual(FEATURES, FEATURES)

        def forward(self, x: Tensor, level: int = DEPTH) -> Tensor:
            beside = getattr(self, f"b1_{level}")(x)
            low = getattr(self, f"b2_{level}")(functional.max_pool2d(x, 2))
            low = self.forward(low, level - 1) if level > 1 else self.b2_plus_1(low)
            low = getattr(self, f"b3_{level}")(low)
            enlarged: Tensor = beside + functional.interpolate(low, scale_factor=2, mode="nearest")
            return enlarged

    class EmoNet(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3)
            self.bn1 = nn.BatchNorm2d(64)
            self.conv2, self.conv3, self.conv4 = Residual(64, 128), Residual(128, 128), Residual(128, FEATURES)
            for number in range(HOURGLASSES):
                parts = {
                    "m": Hourglass(),
                    "top_m_": Residual(FEATURES, FEATURES),
                    "conv_last": nn.Conv2d(FEATURES, FEATURES, 1),
                    "bn_end": nn.BatchNorm2d(FEATURES),
                    "l": nn.Conv2d(FEATURES, LANDMARKS, 1),
                }
                if number < HOURGLASSES - 1:
                    parts |= {"bl": nn.Conv2d(FEATURES, FEATURES, 1), "al": nn.Conv2d(LANDMARKS, FEATURES, 1)}
                for name, part in parts.items():
                    self.add_module(f"{name}{number}", part)
            self.conv1x1_input_emo_2 = nn.Conv2d(FEATURES * (HOURGLASSES + 1), FEATURES, 1)
            blocks = [layer for _ in range(4) for layer in (Residual(FEATURES, FEATURES), nn.MaxPool2d(2))]
            self.emo_net_2 = nn.Sequential(*blocks)
            head = [nn.Linear(FEATURES, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, n_classes + 2)]
            self.emo_fc_2 = nn.Sequential(OrderedDict((str(place), layer) for place, layer in enumerate(head)))

        def forward(self, x: Tensor) -> Tensor:
            part = self.get_submodule
            x = functional.relu(self.bn1(self.conv1(x)))
            x = self.conv4(self.conv3(functional.max_pool2d(self.conv2(x), 2)))
            going, seen = x, []
            for number in range(HOURGLASSES):
                features = part(f"top_m_{number}")(part(f"m{number}")(going))
                features = functional.relu(part(f"bn_end{number}")(part(f"conv_last{number}")(features)))
                heat = part(f"l{number}")(features)
                if number < HOURGLASSES - 1:
                    features = part(f"bl{number}")(features)
                    going = going + features + part(f"al{number}")(heat)
                seen.append(features)
            attended = torch.cat(seen, dim=1) * heat.sum(dim=1, keepdim=True)
            features = self.emo_net_2(self.conv1x1_input_emo_2(torch.cat([x, attended], dim=1)))
            answer: Tensor = self.emo_fc_2(functional.avg_pool2d(features, 4).flatten(1))
            return answer

    return EmoNet()
