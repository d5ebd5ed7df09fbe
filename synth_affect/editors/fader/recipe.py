"""How a fader network is built, trained and opened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from synth_affect.editors.expression_classifier.augmentation import augment_classes
from synth_affect.editors.expression_classifier.reading import accuracy
from synth_affect.editors.expression_classifier.settings import CLASSES
from synth_affect.editors.faces import EditorFaces
from synth_affect.editors.fader.crop_editor import open_crop_editor
from synth_affect.editors.fader.learner import build_learner
from synth_affect.editors.fader.settings import LOSSES, FaderSettings
from synth_affect.editors.fader.trained import TrainedFader
from synth_affect.editors.recipes import Recipe

if TYPE_CHECKING:
    from synth_affect.editors.weights import EditorWeights


def score(settings: FaderSettings, weights: EditorWeights, faces: EditorFaces) -> Mapping[str, Any]:
    """Share of faces whose class the latent tells; nothing where the loss does not ask for it."""
    if settings.loss == LOSSES[0]:
        return {}
    fader = TrainedFader(settings, weights)
    return {"accuracy": accuracy(fader.classify(fader.encode(faces.pictures)), faces)[0]}


RECIPE = Recipe(
    "fader",
    FaderSettings,
    FaderSettings.small,
    build_learner,
    open_crop_editor,
    needs_category=True,
    categories=CLASSES,
    prepare=lambda settings, faces, seed: augment_classes(faces, settings.per_class, seed),
    score=score,
)
