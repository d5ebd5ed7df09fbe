"""A fader network in training."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from synth_affect.editors.class_centres import note_centres
from synth_affect.editors.expression_classifier.augmentation import NEUTRAL, labels_of
from synth_affect.editors.expression_classifier.networks import EXTRA
from synth_affect.editors.expression_classifier.settings import CLASSES, EMOTIONS
from synth_affect.editors.faces import EditorFaces
from synth_affect.editors.fader.losses import adversarial_loss, class_loss, reconstruction_loss
from synth_affect.editors.fader.networks import build_networks
from synth_affect.editors.fader.settings import LOSSES, FaderSettings
from synth_affect.editors.gradient_step import take_step
from synth_affect.editors.grey import grey_of
from synth_affect.editors.learning_rate import set_learning_rate
from synth_affect.editors.sheets import first_of_each, grey_sheet
from synth_affect.editors.training import EditorBatch, EditorLearner, pictures_as_tensor
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer

    from synth_affect.editors.identity_features import IdentityFeatures

SHEET_PEOPLE = 6


def build_learner(settings: FaderSettings, faces: EditorFaces, identity: IdentityFeatures | None) -> EditorLearner:
    """The networks, their optimizer and a step. faces, identity : have no part in it."""
    learner: EditorLearner = _learner()(settings)
    return learner


@cache
def _learner() -> Any:
    """The class; made once, because torch is not there when this module is imported."""
    torch = import_optional("torch", EXTRA)

    class FaderLearner(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, settings: FaderSettings) -> None:
            super().__init__()
            self.own: list[Optimizer] = []
            self.settings, self.stage = settings, LOSSES.index(settings.loss)
            networks = build_networks(settings)
            self.encoder, self.classes, self.decoder = networks.encoder, networks.classes, networks.decoder
            self.register_buffer("centres", torch.zeros(len(CLASSES), settings.units[1]))

        def optimizers(self) -> list[Optimizer]:
            self.own = [torch.optim.Adam(self.parameters(), self.settings.learning_rate)]
            return list(self.own)

        def begin_epoch(self, epoch: int) -> None:
            """Slower and slower."""
            first, last = self.settings.learning_rate, self.settings.last_learning_rate
            for optimizer in self.own:
                set_learning_rate(optimizer, first, last, epoch, self.settings.epochs)

        def training_step(self, batch: EditorBatch, optimizers: Sequence[Optimizer]) -> dict[str, Tensor]:
            grey = grey_of(batch.pictures)
            classes = torch.from_numpy(labels_of(batch.categories.cpu().numpy())).to(grey.device)
            latents = self.encoder(grey)
            losses = self.losses(grey, latents, classes)
            total = self.total(losses)
            take_step(optimizers[0], total)
            note_centres(self.centres, latents.detach(), classes)
            return {"total": total, **losses}

        def losses(self, grey: Tensor, latents: Tensor, classes: Tensor) -> dict[str, Tensor]:
            """Those of this ablation, before their weights."""
            losses = {"reconstruction": reconstruction_loss(self.decoder(latents).sigmoid(), grey)}
            if self.stage >= 1:
                losses["classes"] = class_loss(self.classes(latents), classes)
            if self.stage >= 2:
                losses["adversarial"] = adversarial_loss(latents, self.classes)
            return losses

        def total(self, losses: dict[str, Tensor]) -> Tensor:
            weights = {
                "reconstruction": self.settings.reconstruction, "classes": 1.0, "adversarial": self.settings.adversarial
            }  # fmt: skip
            total: Tensor = torch.stack([weights[name] * loss for name, loss in losses.items()]).sum()
            return total

        def sheet(self, faces: EditorFaces) -> npt.NDArray[np.uint8]:
            """A row for each of six people: a picture, its reconstruction, and it as each emotion."""
            numbers = first_of_each(faces, SHEET_PEOPLE)
            with torch.no_grad():
                grey = grey_of(pictures_as_tensor(faces.pictures[numbers], self.centres.device))
                latents = self.encoder(grey)
                columns = [grey, self.decoder(latents).sigmoid()]
                for emotion in EMOTIONS:
                    moved = move(latents, self.classes, self.centres, CLASSES.index(emotion), self.settings.reach)
                    columns.append(self.decoder(moved).sigmoid())
            return grey_sheet(list(torch.cat(columns, dim=1)))

    return FaderLearner


def move(latents: Tensor, classes_layer: Any, centres: Tensor, number: int, amount: float) -> Tensor:
    """Latents with the emotion that they show taken out, and another one put in.

    Both are differences of centres to that of neutral; what is shown is what the classifying layer reads.
    amount : of the difference that is put in.
    """
    away = centres - centres[NEUTRAL]
    shown = classes_layer(latents).softmax(dim=1) @ away
    moved: Tensor = (latents - shown + amount * away[number]).clamp(min=0)
    return moved
