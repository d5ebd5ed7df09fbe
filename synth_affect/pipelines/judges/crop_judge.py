"""A network of `synth-affect train classes` that names what crops show, as editors cut them out and draw them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from synth_affect.affect import Emotion
from synth_affect.arrays import FloatArray
from synth_affect.errors import InputError
from synth_affect.pipelines.judges.trained import accuracy_text
from synth_affect.regressors.predicting import predict
from synth_affect.regressors.samples import unlabelled
from synth_affect.regressors.weight_file import load_network


class CropJudge:
    """It has to see faces as editors do, and by nothing but the picture: a crop that was drawn has no landmarks of its
    own, and those of the face that it was drawn from would tell what that showed.

    Raises InputError for weights of another network, or of one that sees faces otherwise.
    """

    def __init__(self, path: Path, device: str = "cpu") -> None:
        stored = load_network(path)
        settings = stored.settings
        if settings.kind != "classes" or settings.crop != "aligned" or settings.takes_landmarks:
            reason = "is of no judge of crops, which is trained by train classes --crop aligned --no-landmarks"
            raise InputError(path, reason)
        self._network, self._settings, self._card = stored.network.to(device), settings, stored.card

    @property
    def categories(self) -> tuple[Emotion, ...]:
        """What it tells apart."""
        return self._settings.categories

    def seen(self, people: Sequence[str]) -> list[str]:
        """Those of `people` whom it learnt from, or who chose its epoch, as far as its card names them."""
        return sorted(set(people) & set(self._card.get("data", {}).get("seen_people", [])))

    def described(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "sha256": self._card["sha256"],
            "categories": [str(category) for category in self.categories],
            "accuracy": accuracy_text(self._settings, self._card),
            "terms": self._card.get("licence", "not said"),
        }

    def read(self, pictures: npt.NDArray[np.uint8]) -> FloatArray:
        """(n, categories) float32, logits. pictures : (n, size, size, 3) RGB of any size, aligned by `face_crop`."""
        size = self._settings.size
        flags = cv2.INTER_AREA if pictures.shape[1] > size else cv2.INTER_LINEAR
        seen = np.stack([cv2.resize(picture, (size, size), interpolation=flags) for picture in pictures])
        return predict(self._network, self._settings, unlabelled(seen))
