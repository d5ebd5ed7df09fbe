"""How a beta-VAE is built, trained and opened."""

from __future__ import annotations

from synth_affect.editors.beta_vae.crop_editor import open_crop_editor
from synth_affect.editors.beta_vae.learner import build_learner
from synth_affect.editors.beta_vae.settings import BetaVaeSettings
from synth_affect.editors.expression_classifier.augmentation import augment_classes
from synth_affect.editors.expression_classifier.settings import CLASSES
from synth_affect.editors.recipes import Recipe

RECIPE = Recipe(
    "beta-vae",
    BetaVaeSettings,
    BetaVaeSettings.small,
    build_learner,
    open_crop_editor,
    needs_category=True,
    categories=CLASSES,
    prepare=lambda settings, faces, seed: augment_classes(faces, settings.per_class, seed),
)
