"""Comparator and VAE in training, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from synth_affect.editors.beta_vae.losses import divergence, reconstruction_loss
from synth_affect.editors.class_centres import note_centres
from synth_affect.editors.expression_classifier.augmentation import labels_of
from synth_affect.editors.expression_classifier.networks import EXTRA
from synth_affect.editors.expression_classifier.settings import CLASSES
from synth_affect.editors.faces import EditorFaces
from synth_affect.editors.gradient_step import take_step
from synth_affect.editors.grey import grey_of
from synth_affect.editors.sheets import grey_sheet
from synth_affect.editors.siamese_vae.losses import comparison_loss, response
from synth_affect.editors.siamese_vae.networks import build_networks
from synth_affect.editors.siamese_vae.pairs import class_averages, pair_up
from synth_affect.editors.siamese_vae.settings import SiameseSettings
from synth_affect.editors.training import EditorBatch, EditorLearner, pictures_as_tensor
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer

    from synth_affect.editors.identity_features import IdentityFeatures

SHEET_COLUMNS = 8


def build_learner(settings: SiameseSettings, faces: EditorFaces, identity: IdentityFeatures | None) -> EditorLearner:
    """The networks, their optimizers and a step. faces : those that averages are taken of.  identity : has no part."""
    learner: EditorLearner = _learner()(settings, faces)
    return learner


@cache
def _learner() -> Any:
    """The class; made once, because torch is not there when this module is imported."""
    torch = import_optional("torch", EXTRA)

    class SiameseLearner(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, settings: SiameseSettings, faces: EditorFaces) -> None:
            super().__init__()
            self.settings, self.comparing = settings, True
            networks = build_networks(settings)
            self.comparator, self.encoder, self.decoder = networks.comparator, networks.encoder, networks.decoder
            self.register_buffer("averages", torch.from_numpy(class_averages(faces)))
            self.register_buffer("centres", torch.zeros(len(CLASSES), settings.latent))

        def optimizers(self) -> list[Optimizer]:
            """Of the comparator, of the VAE."""
            parts = ([*self.comparator.parameters()], [*self.encoder.parameters(), *self.decoder.parameters()])
            return [torch.optim.Adam(part, self.settings.learning_rate) for part in parts]

        def begin_epoch(self, epoch: int) -> None:
            """First the comparator learns, then the VAE against it."""
            self.comparing = epoch < self.settings.comparator_epochs
            self.comparator.requires_grad_(self.comparing)

        def training_step(self, batch: EditorBatch, optimizers: Sequence[Optimizer]) -> dict[str, Tensor]:
            grey = grey_of(batch.pictures)
            classes = torch.from_numpy(labels_of(batch.categories.cpu().numpy())).to(grey.device)
            if self.comparing:
                logits, same = self.compare(grey, classes)
                losses = {"comparison": comparison_loss(logits, same)}
                total, optimizer = losses["comparison"], optimizers[0]
                shown = {"comparison_accuracy": ((logits > 0) == same).float().mean()}
            else:
                means, log_sigmas = self.encoder(grey)
                losses = self.vae_losses(grey, means, log_sigmas)
                total, optimizer = self.total(losses), optimizers[1]
                shown = {"total": total.detach()}
                note_centres(self.centres, means.detach(), classes)
            take_step(optimizer, total)
            return {**losses, **shown}

        def compare(self, grey: Tensor, classes: Tensor) -> tuple[Tensor, Tensor]:
            """(pairs,) logits, and whether the pairs are of one emotion; of a picture and a picture, or an average."""
            known = classes >= 0
            partners, same = pair_up(classes)
            if self.settings.pairing == "averages":
                other = self.averages[classes[partners].clamp(min=0)]
            else:
                other = grey[partners]
            return self.comparator(grey[known], other[known]), same[known]

        def vae_losses(self, grey: Tensor, means: Tensor, log_sigmas: Tensor) -> dict[str, Tensor]:
            latents = means + torch.randn_like(means) * log_sigmas.exp()
            made = self.decoder(latents)
            return {
                "reconstruction": reconstruction_loss(made, grey),
                "response": response(self.comparator(made.sigmoid(), grey)),
                "divergence": divergence(means, log_sigmas),
            }

        def total(self, losses: dict[str, Tensor]) -> Tensor:
            settings = self.settings
            supported: Tensor = losses["reconstruction"] - settings.support * losses["response"]
            return supported + settings.divergence * losses["divergence"]

        def sheet(self, faces: EditorFaces) -> npt.NDArray[np.uint8]:
            """The averaged faces; then eight pictures and their reconstructions."""
            with torch.no_grad():
                grey = grey_of(pictures_as_tensor(faces.pictures[:SHEET_COLUMNS], self.centres.device))
                again = self.decoder(self.encoder(grey)[0]).sigmoid()
            rows = []
            for row in (self.averages, grey, again):
                blank = row.new_ones(SHEET_COLUMNS - len(row), *row.shape[1:])
                rows.append(torch.cat([row, blank])[:, 0])
            return grey_sheet(rows)

    return SiameseLearner
