"""How the comparator and its VAE are built, trained and opened."""

from __future__ import annotations

from synth_affect.editors.expression_classifier.settings import CLASSES
from synth_affect.editors.recipes import Recipe
from synth_affect.editors.siamese_vae.crop_editor import open_crop_editor
from synth_affect.editors.siamese_vae.learner import build_learner
from synth_affect.editors.siamese_vae.settings import SiameseSettings

RECIPE = Recipe(
    "siamese",
    SiameseSettings,
    SiameseSettings.small,
    build_learner,
    open_crop_editor,
    needs_category=True,
    categories=CLASSES,
)
