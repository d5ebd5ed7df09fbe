"""How a fader network is built, trained and opened."""

from __future__ import annotations

from synth_affect.editors.expression_classifier.augmentation import augment_classes
from synth_affect.editors.expression_classifier.settings import CLASSES
from synth_affect.editors.fader.crop_editor import open_crop_editor
from synth_affect.editors.fader.learner import build_learner
from synth_affect.editors.fader.settings import FaderSettings
from synth_affect.editors.recipes import Recipe

RECIPE = Recipe(
    "fader",
    FaderSettings,
    FaderSettings.small,
    build_learner,
    open_crop_editor,
    needs_category=True,
    categories=CLASSES,
    prepare=lambda settings, faces, seed: augment_classes(faces, settings.per_class, seed),
)
