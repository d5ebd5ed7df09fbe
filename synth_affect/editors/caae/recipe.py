"""The CAAE's entry among the neural editors."""

from __future__ import annotations

from synth_affect.editors.caae.crop_editor import open_crop_editor
from synth_affect.editors.caae.learner import build_learner
from synth_affect.editors.caae.settings import CaaeSettings
from synth_affect.editors.recipes import Recipe

RECIPE = Recipe(
    name="caae",
    settings=CaaeSettings,
    small=CaaeSettings.small,
    build_learner=build_learner,
    open_crop_editor=open_crop_editor,
    needs_affect=True,
    needs_identity=True,
)
