"""A beta-VAE in training: encoder and decoder learn together."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from synth_affect.editors.beta_vae.losses import classification_loss, divergence, reconstruction_loss
from synth_affect.editors.beta_vae.networks import AXES, build_networks
from synth_affect.editors.beta_vae.settings import BetaVaeSettings
from synth_affect.editors.expression_classifier.augmentation import labels_of
from synth_affect.editors.expression_classifier.networks import EXTRA
from synth_affect.editors.faces import EditorFaces
from synth_affect.editors.gradient_step import take_step
from synth_affect.editors.grey import grey_of
from synth_affect.editors.sheets import grey_sheet
from synth_affect.editors.training import EditorBatch, EditorLearner, pictures_as_tensor
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer

    from synth_affect.editors.identity_features import IdentityFeatures

SHEET_STEPS = 7
PEAK_MEMORY = 0.99
"""Share of the old mean that stays when a batch has come."""


def build_learner(settings: BetaVaeSettings, faces: EditorFaces, identity: IdentityFeatures | None) -> EditorLearner:
    """The networks, their optimizer and a step. faces, identity : have no part in it."""
    learner: EditorLearner = _learner()(settings)
    return learner


@cache
def _learner() -> Any:
    """The class; made once, because torch is not there when this module is imported."""
    torch = import_optional("torch", EXTRA)

    class BetaVaeLearner(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, settings: BetaVaeSettings) -> None:
            super().__init__()
            self.settings = settings
            self.encoder, self.decoder = build_networks(settings)
            # Where on its axis an emotion lies: a running mean over its pictures, for edits to go to.
            self.register_buffer("peaks", torch.zeros(AXES))

        def optimizers(self) -> list[Optimizer]:
            return [torch.optim.Adam(self.parameters(), self.settings.learning_rate)]

        def begin_epoch(self, epoch: int) -> None:
            """The same in all."""

        def training_step(self, batch: EditorBatch, optimizers: Sequence[Optimizer]) -> dict[str, Tensor]:
            grey = grey_of(batch.pictures)
            classes = torch.from_numpy(labels_of(batch.categories.cpu().numpy())).to(grey.device)
            means, log_sigmas = self.encoder(grey)
            latents = means + torch.randn_like(means) * log_sigmas.exp()
            losses = {
                "reconstruction": reconstruction_loss(self.decoder(latents), grey),
                "divergence": divergence(means, log_sigmas),
                "classification": classification_loss(latents, classes),
            }
            total = torch.stack([getattr(self.settings, name) * loss for name, loss in losses.items()]).sum()
            take_step(optimizers[0], total)
            self._note_peaks(means.detach(), classes)
            return {"total": total, **losses}

        def _note_peaks(self, means: Tensor, classes: Tensor) -> None:
            for axis in range(AXES):
                of_class = means[classes == axis, axis]
                if len(of_class):
                    self.peaks[axis] += (1 - PEAK_MEMORY) * (of_class.mean() - self.peaks[axis])

        def sheet(self, faces: EditorFaces) -> npt.NDArray[np.uint8]:
            """Traversals: a row for each axis, from the negative of its peak over the origin to its peak."""
            steps = torch.linspace(-1, 1, SHEET_STEPS, device=self.peaks.device)
            rows = []
            with torch.no_grad():
                for axis in range(AXES):
                    latents = torch.zeros(SHEET_STEPS, AXES, device=self.peaks.device)
                    latents[:, axis] = steps * self.peaks[axis]
                    rows.append(self.decoder(latents).sigmoid()[:, 0])
                seen = grey_of(pictures_as_tensor(faces.pictures[:SHEET_STEPS], self.peaks.device))
                again = self.decoder(self.encoder(seen)[0]).sigmoid()[:, 0]
            blank = again.new_ones(SHEET_STEPS - len(again), *again.shape[1:])
            rows += [torch.cat([seen[:, 0], blank]), torch.cat([again, blank])]
            return grey_sheet(rows)

    return BetaVaeLearner
