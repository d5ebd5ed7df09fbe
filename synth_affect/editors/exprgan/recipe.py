"""ExprGAN's entry among the neural editors."""

from __future__ import annotations

from synth_affect.affect import Emotion
from synth_affect.editors.exprgan.crop_editor import open_crop_editor
from synth_affect.editors.exprgan.learner import build_learner, is_learnt_from
from synth_affect.editors.exprgan.settings import CLASSES, ExprGanSettings
from synth_affect.editors.faces import EditorFaces
from synth_affect.editors.recipes import Recipe


def prepare(settings: ExprGanSettings, faces: EditorFaces, seed: int) -> EditorFaces:
    """Those that are learnt from."""
    return faces.select(is_learnt_from(faces.categories, neutral=settings.neutral))


RECIPE = Recipe(
    name="exprgan",
    settings=ExprGanSettings,
    small=ExprGanSettings.small,
    build_learner=build_learner,
    open_crop_editor=open_crop_editor,
    needs_category=True,
    needs_identity=True,
    categories=(*CLASSES, Emotion.NEUTRAL),
    prepare=prepare,
)
