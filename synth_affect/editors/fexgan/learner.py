"""An FExGAN in training: the discriminator takes a step, then encoder and decoder together."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from synth_affect.editors.faces import EditorFaces
from synth_affect.editors.fexgan.losses import divergence, judged
from synth_affect.editors.fexgan.networks import EXTRA, build_networks
from synth_affect.editors.fexgan.settings import CLASSES, FexganSettings
from synth_affect.editors.fexgan.targets import CLASS_OF_CATEGORY, SamePerson
from synth_affect.editors.gradient_step import take_step
from synth_affect.editors.sheets import colour_sheet, first_of_each
from synth_affect.editors.training import EditorBatch, EditorLearner, pictures_as_tensor
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer

    from synth_affect.editors.identity_features import IdentityFeatures

SHEET_PEOPLE = 8
JITTER = 9 / 8
"""Pictures are enlarged so much before a window of their old size is cut out at random."""


def build_learner(settings: FexganSettings, faces: EditorFaces, identity: IdentityFeatures | None) -> EditorLearner:
    """The three networks, their optimizers and a step. identity : has no part in this method.

    Raises InputError when nobody in `faces` is seen with two expressions.
    """
    learner: EditorLearner = _learner()(settings, faces)
    return learner


@cache
def _learner() -> Any:
    """The class; made once, because torch is not there when this module is imported."""
    torch = import_optional("torch", EXTRA)

    class FexganLearner(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, settings: FexganSettings, faces: EditorFaces) -> None:
            super().__init__()
            self.settings, self.faces, self.same_person = settings, faces, SamePerson(faces)
            self.adversarial = settings.adversarial
            networks = build_networks(settings)
            self.encoder, self.decoder = networks.encoder, networks.decoder
            self.discriminator = networks.discriminator
            self.class_of_category = torch.from_numpy(CLASS_OF_CATEGORY)

        def optimizers(self) -> list[Optimizer]:
            """Of encoder and decoder, of the discriminator."""
            parts = ([*self.encoder.parameters(), *self.decoder.parameters()], [*self.discriminator.parameters()])
            settings = self.settings
            return [torch.optim.Adam(part, settings.learning_rate, betas=settings.betas) for part in parts]

        def begin_epoch(self, epoch: int) -> None:
            """From `late_after` on the adversarial loss counts less."""
            late = epoch >= self.settings.late_after
            self.adversarial = self.settings.late_adversarial if late else self.settings.adversarial

        def training_step(self, batch: EditorBatch, optimizers: Sequence[Optimizer]) -> dict[str, Tensor]:
            of_pair, of_discriminator = optimizers
            device = batch.pictures.device
            sources = self.class_of_category[batch.categories.cpu()]
            known = sources >= 0
            if known.sum() < 2:  # of which batch norm knows no variance
                return {}
            wanted, numbers = self.same_person.draw(batch.people.cpu()[known])
            targets = pictures_as_tensor(self.faces.pictures[numbers.numpy()], device)
            # Both alike: a target at another place, or mirrored, says nothing but blur.
            pictures, targets = jitter(batch.pictures[known.to(device)], targets)
            wanted, sources = wanted.to(device), sources[known].to(device)
            labels = torch.nn.functional.one_hot(wanted, len(CLASSES)).float()

            means, log_variances = self.encoder(pictures, labels)
            codes = means + torch.randn_like(means) * (log_variances / 2).exp()
            scales = torch.randn(len(labels), 1, device=device)
            made = self.decoder(codes, labels * (scales.abs() if self.settings.folded else scales))

            judgements = self.discriminator_losses(pictures, sources, made.detach(), wanted)
            take_step(of_discriminator, judgements["discriminator_real"] + judgements["discriminator_made"])
            self.discriminator.requires_grad_(False)
            losses = self.pair_losses(made, targets, wanted, means, log_variances)
            total = self.total(losses)
            take_step(of_pair, total)
            self.discriminator.requires_grad_(True)
            return {"total": total.detach(), **losses, **judgements}

        def discriminator_losses(
            self, pictures: Tensor, sources: Tensor, made: Tensor, wanted: Tensor
        ) -> dict[str, Tensor]:
            """On real pictures with their classes, and on made ones with those asked for."""
            return {
                "discriminator_real": judged(self.discriminator(pictures), sources, real=True),
                "discriminator_made": judged(self.discriminator(made), wanted, real=False),
            }

        def pair_losses(
            self, made: Tensor, targets: Tensor, wanted: Tensor, means: Tensor, log_variances: Tensor
        ) -> dict[str, Tensor]:
            """The three of encoder and decoder, before their weights."""
            return {
                "adversarial": judged(self.discriminator(made), wanted, real=True),
                "divergence": divergence(means, log_variances),
                "reconstruction": (made - targets).abs().mean(),
            }

        def total(self, losses: dict[str, Tensor]) -> Tensor:
            """Of `pair_losses`, with the adversarial weight of this epoch."""
            adversarial: Tensor = self.adversarial * losses["adversarial"]
            rest = self.settings.divergence * losses["divergence"]
            return adversarial + rest + self.settings.reconstruction * losses["reconstruction"]

        def sheet(self, faces: EditorFaces) -> npt.NDArray[np.uint8]:
            """A row for each of eight people: a picture, and it with each class."""
            numbers = first_of_each(faces, SHEET_PEOPLE)
            pictures = pictures_as_tensor(faces.pictures[numbers], next(self.parameters()).device)
            labels = torch.eye(len(CLASSES), device=pictures.device)
            reach = self.settings.reach
            with torch.no_grad():
                columns = [pictures, *(edit(self.encoder, self.decoder, pictures, label, reach) for label in labels)]
            return colour_sheet(columns)

    return FexganLearner


def edit(encoder: Any, decoder: Any, pictures: Tensor, label: Tensor, reach: float) -> Tensor:
    """Pictures (batch, 3, size, size) with one label (classes,): z at its mean, lambda at `reach`."""
    labels = label.expand(len(pictures), -1)
    edited: Tensor = decoder(encoder(pictures, labels)[0], reach * labels)
    return edited


def jitter(pictures: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Each picture enlarged by JITTER and cut to its size again, at a random place, and by half a chance mirrored; and
    its target in the same way.
    """
    torch = import_optional("torch", EXTRA)
    n, size = len(pictures), pictures.shape[-1]
    place = torch.rand(n, 2, device=pictures.device)
    mirrored = torch.where(torch.rand(n, device=pictures.device) < 0.5, -1.0, 1.0)
    matrix = pictures.new_zeros(n, 2, 3)
    matrix[:, 0, 0], matrix[:, 1, 1] = mirrored / JITTER, 1 / JITTER
    matrix[:, :, 2] = (2 * place - 1) * (1 - 1 / JITTER)
    grid = torch.nn.functional.affine_grid(matrix, [n, 6, size, size], align_corners=False)
    both = torch.cat([pictures, targets], dim=1)
    moved = torch.nn.functional.grid_sample(both, grid, padding_mode="border", align_corners=False)
    return moved[:, :3], moved[:, 3:]
