"""Networks that this package trained, `synth-affect train ...`, as judges of affect and of identity.

Their card says what they learned from and what they reached on people whom they had not seen. Faces are cropped as in
training, by ibug's 68 points, which are taken from MediaPipe's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from synth_affect.arrays import FloatArray
from synth_affect.data.faces.record import FaceRecord
from synth_affect.errors import InputError
from synth_affect.pipelines.embed_landmarks import IBUG_68
from synth_affect.pipelines.judges.classes import class_positions, expected_valence_arousal
from synth_affect.pipelines.judges.face_view import FaceView
from synth_affect.pipelines.judges.judge import AffectJudge, AffectReading, IdentityCard, IdentityJudge, JudgeCard
from synth_affect.pipelines.judges.onnx_network import softmax
from synth_affect.pipelines.training.face_crops import CROPPINGS
from synth_affect.regressors.networks import NetworkSettings
from synth_affect.regressors.predicting import predict
from synth_affect.regressors.samples import unlabelled
from synth_affect.regressors.weight_file import StoredNetwork, load_network

STEPS = 16
"""For which a network of sequences is shown a still, where its card does not say."""


class TrainedJudge(AffectJudge):
    """vgg, vgg-gru, va-cnn or classes. Raises InputError for weights that are none of these.

    Valence and arousal of `classes` are expected over the positions of its categories.
    """

    def __init__(self, path: Path) -> None:
        stored = load_network(path)
        if stored.settings.kind == "identity":
            raise InputError(path, "an identity network reads no affect; it goes with --identity")
        self._stored = stored
        self._card = JudgeCard(
            name=f"{stored.settings.kind} {path.stem}",
            databases=_data(stored),
            accuracy=accuracy_text(stored.settings, stored.card),
            terms=str(stored.card.get("licence", "not said")),
            fingerprint=f"trained 1 {stored.card['sha256']}",
            positions=class_positions([str(category) for category in stored.settings.categories]),
        )

    @property
    def card(self) -> JudgeCard:
        """What it is."""
        return self._card

    def read(self, face: FaceView) -> AffectReading:
        """Clipped to [-1, 1]."""
        found = _predict(self._stored, face)
        if self._stored.settings.kind == "classes":
            probabilities = softmax(found)
            valence, arousal = expected_valence_arousal(probabilities, self._card.positions)
            return AffectReading(valence, arousal, str(self._stored.settings.categories[int(probabilities.argmax())]))
        valence, arousal = np.clip(found, -1, 1)
        return AffectReading(float(valence), float(arousal))


class TrainedIdentity(IdentityJudge):
    """The identity network. Raises InputError for other weights."""

    def __init__(self, path: Path) -> None:
        stored = load_network(path)
        if stored.settings.kind != "identity":
            raise InputError(path, f"a network of kind {stored.settings.kind} embeds no identity")
        self._stored = stored
        self._card = IdentityCard(
            name=f"identity {path.stem}",
            likeness="cosine",
            same_person=None,
            databases=_data(stored),
            terms=str(stored.card.get("licence", "not said")),
            fingerprint=f"trained 1 {stored.card['sha256']}",
        )

    @property
    def card(self) -> IdentityCard:
        """What it is."""
        return self._card

    def embed(self, face: FaceView) -> FloatArray:
        """(n,) float64, of length 1."""
        return _predict(self._stored, face)


def _predict(stored: StoredNetwork, face: FaceView) -> FloatArray:
    record = FaceRecord("face", Path("face"), landmarks=face.points[list(IBUG_68)])
    crop, points = CROPPINGS[stored.settings.crop].cut(face.pixels, record, stored.settings.size)
    samples = unlabelled(crop[np.newaxis], points[np.newaxis])
    steps = int(stored.card.get("training", {}).get("steps", STEPS))
    found: FloatArray = predict(stored.network, stored.settings, samples, steps=steps)[0].astype(np.float64)
    return found


def _data(stored: StoredNetwork) -> str:
    about = stored.card.get("data")
    if not isinstance(about, dict):
        return "not said"
    made = f", {len(about['augmented'])} augmented" if about.get("augmented") else ""
    return f"{about.get('source', 'not said')}{made}"


def accuracy_text(settings: NetworkSettings, card: Mapping[str, Any]) -> str:
    """What the card of a network says that it reached on people held out, in a line."""
    test: Any = card.get("test")
    try:
        if settings.kind == "classes":
            share, n = test["accuracy"]["value"], len(settings.categories)
            return f"{100 * share:.0f} % of {n} classes on {test['n']} pictures of {test['n_groups']} people held out"
        valence, arousal = test["valence"]["ccc"]["value"], test["arousal"]["ccc"]["value"]
        return f"CCC {valence:.2f} / {arousal:.2f} on {test['n']} pictures of {test['n_groups']} people held out"
    except (KeyError, TypeError):
        return "not said" if test is None else json.dumps(test)[:200]
