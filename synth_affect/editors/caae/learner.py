"""A CAAE in training: who learns from which loss, step by step.

In a step D_z and D_img learn first, from the codes and pictures that E and G make now; then E and G together from the
four losses, against discriminators that stand still. G sees each picture's own label. An edit asks for another one;
that D_img finds a picture and a label that do not belong together is what makes G follow it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from synth_affect.editors.adversarial import code_discriminator_loss, discriminator_loss, taken_for_real
from synth_affect.editors.caae.losses import identity_loss, reconstruction_loss
from synth_affect.editors.caae.networks import EXTRA, build_networks
from synth_affect.editors.caae.settings import CaaeSettings
from synth_affect.editors.gradient_step import take_step
from synth_affect.editors.sheets import colour_sheet, first_of_each
from synth_affect.editors.training import pictures_as_tensor
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer

    from synth_affect.editors.faces import EditorFaces
    from synth_affect.editors.identity_features import IdentityFeatures
    from synth_affect.editors.training import EditorBatch, EditorLearner

SHEET_PEOPLE = 6
SHEET_LABELS = ((0.0, 0.0), (0.8, 0.0), (0.6, 0.6), (0.0, 0.8), (-0.6, 0.6), (-0.8, 0.0), (-0.6, -0.6), (0.0, -0.8))
"""Of a sample sheet's columns, after the picture and its reconstruction."""


def build_learner(settings: CaaeSettings, faces: EditorFaces, identity: IdentityFeatures | None) -> EditorLearner:
    """The four networks, their optimizers and a step. identity : None leaves L_iden away."""
    learner: EditorLearner = _learner()(settings, identity)
    return learner


@cache
def _learner() -> Any:
    """The class; made once, because torch is not there when this module is imported."""
    torch = import_optional("torch", EXTRA)

    class CaaeLearner(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, settings: CaaeSettings, identity: IdentityFeatures | None) -> None:
            super().__init__()
            self.settings = settings
            self._identity = (identity,)  # in a tuple, so that its weights are none of the learner's
            networks = build_networks(settings)
            self.encoder, self.generator = networks.encoder, networks.generator
            self.picture_judge, self.code_judge = networks.picture_judge, networks.code_judge
            self.to(memory_format=torch.channels_last)

        def optimizers(self) -> list[Optimizer]:
            """Of E and G, of D_img, of D_z."""
            parts = ((self.encoder, self.generator), (self.picture_judge,), (self.code_judge,))
            return [
                torch.optim.Adam(
                    [weight for network in part for weight in network.parameters()],
                    self.settings.learning_rate,
                    betas=self.settings.betas,
                )
                for part in parts
            ]

        def begin_epoch(self, epoch: int) -> None:
            """The same in all."""

        def training_step(self, batch: EditorBatch, optimizers: Sequence[Optimizer]) -> dict[str, Tensor]:
            of_pair, of_pictures, of_codes = optimizers
            pictures = self._mirrored(batch.pictures).contiguous(memory_format=torch.channels_last)
            codes = self.encoder(pictures)
            made = self.generator(codes, batch.affect)

            judged = take_step(of_pictures, self.judge_pictures_loss(pictures, made.detach(), batch.affect))
            judged_codes = take_step(of_codes, code_discriminator_loss(self.code_judge, codes.detach()))
            for judge in (self.picture_judge, self.code_judge):
                judge.requires_grad_(False)
            losses = self.pair_losses(pictures, batch.affect, codes, made)
            total = take_step(of_pair, self.total(losses))
            for judge in (self.picture_judge, self.code_judge):
                judge.requires_grad_(True)
            named = {"total": total, **losses, "picture_judge": judged, "code_judge": judged_codes}
            return {name: loss.detach() for name, loss in named.items()}

        def _mirrored(self, pictures: Tensor) -> Tensor:
            if not self.settings.mirror:
                return pictures
            chosen = torch.rand(len(pictures), device=pictures.device) < 0.5
            shown: Tensor = torch.where(chosen[:, None, None, None], pictures.flip(3), pictures)
            return shown

        def pair_losses(self, pictures: Tensor, labels: Tensor, codes: Tensor, made: Tensor) -> dict[str, Tensor]:
            """The four of E and G, before their weights."""
            losses = {
                "reconstruction": reconstruction_loss(made, pictures),
                "code_prior": taken_for_real(self.code_judge(codes)),
                "realism": taken_for_real(self.picture_judge(made, labels)),
            }
            features, few = self._identity[0], self.settings.identity_pictures
            if features is not None:
                with torch.no_grad():
                    wanted = features(pictures[:few])
                losses["identity"] = identity_loss(features(made[:few]), wanted)
            return losses

        def total(self, losses: dict[str, Tensor]) -> Tensor:
            """L, of `pair_losses`."""
            total: Tensor = torch.stack([getattr(self.settings, name) * loss for name, loss in losses.items()]).sum()
            return total

        def judge_pictures_loss(self, pictures: Tensor, made: Tensor, labels: Tensor) -> Tensor:
            return discriminator_loss(self.picture_judge(pictures, labels), self.picture_judge(made, labels))

        def sheet(self, faces: EditorFaces) -> npt.NDArray[np.uint8]:
            """A row for each of six people: a picture, its reconstruction, and it with SHEET_LABELS."""
            numbers = first_of_each(faces, SHEET_PEOPLE)
            device = next(self.parameters()).device
            pictures = pictures_as_tensor(faces.pictures[numbers], device)
            own = torch.from_numpy(faces.affect[numbers].copy()).to(device)
            with torch.no_grad():
                codes = self.encoder(pictures)
                columns = [pictures, self.generator(codes, own)]
                columns += [self.generator(codes, own.new_tensor(label).expand_as(own)) for label in SHEET_LABELS]
            return colour_sheet(columns)

    return CaaeLearner
