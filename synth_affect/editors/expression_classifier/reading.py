"""What a trained classifier says of faces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from synth_affect.arrays import FloatArray
from synth_affect.editors.expression_classifier.augmentation import labels_of
from synth_affect.editors.expression_classifier.networks import EXTRA, build_classifier
from synth_affect.editors.expression_classifier.settings import CLASSES, ClassifierSettings
from synth_affect.editors.faces import EditorFaces
from synth_affect.editors.grey import grey_of
from synth_affect.editors.training import pictures_as_tensor
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from synth_affect.editors.weights import EditorWeights

BATCH = 256


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """probabilities : (n, classes) float32, of CLASSES.  features : (n, 100) float32, the last dense layer before them,
    which the paper's t-SNE is drawn of.
    """

    probabilities: FloatArray
    features: FloatArray


def read_expressions(
    settings: ClassifierSettings, weights: EditorWeights, pictures: npt.NDArray[np.uint8], device: str = "cpu"
) -> Readings:
    """pictures : (n, size, size, 3) uint8 RGB, aligned. Raises InputError for weights of other shapes."""
    torch = import_optional("torch", EXTRA)
    network = build_classifier(settings)
    weights.load_into(network, "classifier")
    network.to(device).eval()
    probabilities, features = [], []
    with torch.inference_mode():
        for start in range(0, len(pictures), BATCH):
            of_encoder = network[0](grey_of(pictures_as_tensor(pictures[start : start + BATCH], device)))
            probabilities.append(network[2](of_encoder).softmax(dim=1).cpu().numpy())
            features.append(of_encoder.cpu().numpy())
    empty = np.empty((0, 0), dtype=np.float32)
    return Readings(
        np.concatenate(probabilities) if probabilities else empty, np.concatenate(features) if features else empty
    )


def accuracy(probabilities: FloatArray, faces: EditorFaces) -> tuple[float, npt.NDArray[np.int64]]:
    """Share of right answers among faces of a class, and the (classes, classes) counts: truth down, answers across."""
    labels = labels_of(faces.categories)
    known = labels >= 0
    confusion = np.zeros((len(CLASSES), len(CLASSES)), dtype=np.int64)
    np.add.at(confusion, (labels[known], probabilities[known].argmax(axis=1)), 1)
    total = int(confusion.sum())
    return (float(np.trace(confusion)) / total if total else float("nan")), confusion
