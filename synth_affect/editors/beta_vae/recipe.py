"""How a beta-VAE is built, trained and opened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from synth_affect.editors.beta_vae.crop_editor import open_crop_editor
from synth_affect.editors.beta_vae.latents import latent_figures
from synth_affect.editors.beta_vae.learner import build_learner
from synth_affect.editors.beta_vae.settings import BetaVaeSettings
from synth_affect.editors.beta_vae.trained import TrainedBetaVae
from synth_affect.editors.expression_classifier.augmentation import augment_classes
from synth_affect.editors.expression_classifier.settings import CLASSES
from synth_affect.editors.faces import EditorFaces
from synth_affect.editors.recipes import Recipe

if TYPE_CHECKING:
    from synth_affect.editors.weights import EditorWeights


def score(settings: BetaVaeSettings, weights: EditorWeights, faces: EditorFaces) -> Mapping[str, Any]:
    """See `latent_figures`."""
    return latent_figures(TrainedBetaVae(settings, weights).encode(faces.pictures), faces)


RECIPE = Recipe(
    "beta-vae",
    BetaVaeSettings,
    BetaVaeSettings.small,
    build_learner,
    open_crop_editor,
    needs_category=True,
    categories=CLASSES,
    prepare=lambda settings, faces, seed: augment_classes(faces, settings.per_class, seed),
    score=score,
)
