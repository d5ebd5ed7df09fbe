"""How the expression classifier is built and trained; it edits nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from synth_affect.editors.expression_classifier.augmentation import augment_classes
from synth_affect.editors.expression_classifier.learner import build_learner
from synth_affect.editors.expression_classifier.reading import accuracy, read_expressions
from synth_affect.editors.expression_classifier.settings import CLASSES, ClassifierSettings
from synth_affect.editors.faces import EditorFaces
from synth_affect.editors.recipes import Recipe

if TYPE_CHECKING:
    from synth_affect.editors.weights import EditorWeights


def prepare(settings: ClassifierSettings, faces: EditorFaces, seed: int) -> EditorFaces:
    """As many of each class, see `augment_classes`."""
    return augment_classes(faces, settings.per_class, seed)


def score(settings: ClassifierSettings, weights: EditorWeights, faces: EditorFaces) -> Mapping[str, Any]:
    """Accuracy, and the counts of answers to each class: truth down, answers across, in the order of CLASSES."""
    share, confusion = accuracy(read_expressions(settings, weights, faces.pictures).probabilities, faces)
    return {"accuracy": share, "classes": [str(name) for name in CLASSES], "confusion": confusion.tolist()}


RECIPE = Recipe(
    "classifier",
    ClassifierSettings,
    ClassifierSettings.small,
    build_learner,
    None,
    needs_category=True,
    categories=CLASSES,
    prepare=prepare,
    score=score,
)
