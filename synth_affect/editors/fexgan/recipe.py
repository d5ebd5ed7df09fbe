"""How an FExGAN is built, trained and opened."""

from __future__ import annotations

from synth_affect.editors.fexgan.crop_editor import open_crop_editor
from synth_affect.editors.fexgan.learner import build_learner
from synth_affect.editors.fexgan.settings import CLASSES, FexganSettings
from synth_affect.editors.recipes import Recipe

RECIPE = Recipe(
    "fexgan",
    FexganSettings,
    FexganSettings.small,
    build_learner,
    open_crop_editor,
    needs_category=True,
    categories=CLASSES,
)
