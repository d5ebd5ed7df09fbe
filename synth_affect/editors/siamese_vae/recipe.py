"""How the comparator and its VAE are built, trained and opened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from synth_affect.editors.expression_classifier.augmentation import augment_classes
from synth_affect.editors.expression_classifier.settings import CLASSES
from synth_affect.editors.faces import EditorFaces
from synth_affect.editors.recipes import Recipe
from synth_affect.editors.siamese_vae.comparing import comparison_accuracy
from synth_affect.editors.siamese_vae.crop_editor import open_crop_editor
from synth_affect.editors.siamese_vae.learner import build_learner
from synth_affect.editors.siamese_vae.settings import SiameseSettings

if TYPE_CHECKING:
    from synth_affect.editors.weights import EditorWeights


def score(settings: SiameseSettings, weights: EditorWeights, faces: EditorFaces) -> Mapping[str, Any]:
    """Share of pairs that the comparator tells rightly; .5 is chance."""
    return {"comparison_accuracy": comparison_accuracy(settings, weights, faces), "pairing": settings.pairing}


RECIPE = Recipe(
    "siamese",
    SiameseSettings,
    SiameseSettings.small,
    build_learner,
    open_crop_editor,
    needs_category=True,
    categories=CLASSES,
    prepare=lambda settings, faces, seed: augment_classes(faces, settings.per_class, seed),
    score=score,
)
