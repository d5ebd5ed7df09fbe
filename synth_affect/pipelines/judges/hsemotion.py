"""EmotiEffLib / HSEmotion: the `*_va_mtl` networks, which read valence and arousal beside eight classes.

Their file comes from the user. The crop is the box of the face with little margin, not aligned; that of its authors'
detector ends above the forehead and below the chin, to which 10 % round MediaPipe's points come near (our choice).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from synth_affect.data.provenance import sha256_file
from synth_affect.errors import InputError
from synth_affect.pipelines.judges.face_view import FaceView, face_crop
from synth_affect.pipelines.judges.judge import AffectJudge, AffectReading, JudgeCard
from synth_affect.pipelines.judges.onnx_network import OnnxNetwork, Scaling

CLASSES = ("anger", "contempt", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
"""In the order of the first eight outputs; valence and arousal follow."""
SIDE, MARGIN = 224, 0.10
MOBILE_SIDE = 112
"""Of `mbf_va_mtl`, which takes [-1, 1] where the others take ImageNet's scale."""


class HsEmotionJudge(AffectJudge):
    """Raises InputError for a file that is no such network, MissingDependencyError without onnxruntime."""

    def __init__(self, path: Path) -> None:
        self._network = OnnxNetwork(path, side=SIDE)
        self._path = path
        self._scaling: Scaling = "symmetric" if self._network.side == MOBILE_SIDE else "imagenet"
        self._card = JudgeCard(
            name=f"HSEmotion {path.stem}",
            databases="AffectNet (on weights pretrained on VGGFace2)",
            accuracy="its authors' own; none measured here",
            terms="code Apache-2.0; AffectNet and VGGFace2 allow research only",
            fingerprint=f"hsemotion 1 {sha256_file(path)}",
        )

    @property
    def card(self) -> JudgeCard:
        """What it is."""
        return self._card

    def read(self, face: FaceView) -> AffectReading:
        """Values beyond [-1, 1], which nothing in the network forbids, are clipped."""
        outputs = self._network(face_crop(face, self._network.side, MARGIN), self._scaling)
        if len(outputs) != len(CLASSES) + 2:
            raise InputError(self._path, f"gives {len(outputs)} numbers; a va_mtl network gives {len(CLASSES) + 2}")
        valence, arousal = np.clip(outputs[-2:], -1, 1)
        return AffectReading(float(valence), float(arousal), CLASSES[int(outputs[: len(CLASSES)].argmax())])
