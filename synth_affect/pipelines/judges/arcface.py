"""ArcFace (insightface) as ONNX of the user's: the recogniser `w600k_r50.onnx` and its like."""

from __future__ import annotations

from pathlib import Path

from synth_affect.arrays import FloatArray
from synth_affect.data.provenance import sha256_file
from synth_affect.errors import InputError
from synth_affect.pipelines.judges.face_view import ARCFACE_SIDE, FaceView, recognition_crop
from synth_affect.pipelines.judges.judge import IdentityCard, IdentityJudge
from synth_affect.pipelines.judges.onnx_network import OnnxNetwork


class ArcFaceJudge(IdentityJudge):
    """112 x 112 RGB in [-1, 1], the face aligned on five points. Raises InputError for a file that is no such network.

    No threshold is published with the weights: makers of systems set their own, for the errors that they can bear.
    """

    def __init__(self, path: Path) -> None:
        self._network = OnnxNetwork(path, side=ARCFACE_SIDE)
        if self._network.side != ARCFACE_SIDE:
            raise InputError(path, f"takes pictures of {self._network.side} px; ArcFace takes {ARCFACE_SIDE}")
        self._card = IdentityCard(
            name=f"ArcFace {path.stem}",
            likeness="cosine",
            same_person=None,
            databases="as its makers say (buffalo_l: WebFace600K)",
            terms="insightface's models: non-commercial research only",
            fingerprint=f"arcface 1 {sha256_file(path)}",
        )

    @property
    def card(self) -> IdentityCard:
        """What it is."""
        return self._card

    def embed(self, face: FaceView) -> FloatArray:
        """(n,) float64, as the network gives it."""
        return self._network(recognition_crop(face), "symmetric")
