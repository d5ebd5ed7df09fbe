"""The classifier in training: softmax cross-entropy on grey pictures."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from synth_affect.editors.expression_classifier.augmentation import labels_of
from synth_affect.editors.expression_classifier.networks import EXTRA, build_classifier
from synth_affect.editors.expression_classifier.settings import CLASSES, ClassifierSettings
from synth_affect.editors.faces import EditorFaces
from synth_affect.editors.gradient_step import take_step
from synth_affect.editors.grey import grey_of
from synth_affect.editors.learning_rate import set_learning_rate
from synth_affect.editors.training import EditorBatch, EditorLearner, pictures_as_tensor
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import Tensor
    from torch.optim import Optimizer

    from synth_affect.editors.identity_features import IdentityFeatures

SHEET_COLUMNS = 10
WRONG = (220, 40, 40)
"""Colour of the frame round what was misread."""


def build_learner(settings: ClassifierSettings, faces: EditorFaces, identity: IdentityFeatures | None) -> EditorLearner:
    """The network, its optimizer and a step. faces, identity : have no part in it."""
    learner: EditorLearner = _learner()(settings)
    return learner


@cache
def _learner() -> Any:
    """The class; made once, because torch is not there when this module is imported."""
    torch = import_optional("torch", EXTRA)

    class ClassifierLearner(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, settings: ClassifierSettings) -> None:
            super().__init__()
            self.own: list[Optimizer] = []
            self.settings, self.classifier = settings, build_classifier(settings)

        def optimizers(self) -> list[Optimizer]:
            self.own = [torch.optim.Adam(self.parameters(), self.settings.learning_rate)]
            return list(self.own)

        def begin_epoch(self, epoch: int) -> None:
            """Slower and slower."""
            first, last = self.settings.learning_rate, self.settings.last_learning_rate
            for optimizer in self.own:
                set_learning_rate(optimizer, first, last, epoch, self.settings.epochs)

        def training_step(self, batch: EditorBatch, optimizers: Sequence[Optimizer]) -> dict[str, Tensor]:
            labels = torch.from_numpy(labels_of(batch.categories.cpu().numpy())).to(batch.pictures.device)
            logits = self.classifier(grey_of(batch.pictures))
            loss = torch.nn.functional.cross_entropy(logits, labels, ignore_index=-1)
            take_step(optimizers[0], loss)
            right = (logits.argmax(dim=1) == labels)[labels >= 0].float().mean()
            return {"cross_entropy": loss, "accuracy": right}

        def sheet(self, faces: EditorFaces) -> npt.NDArray[np.uint8]:
            """A row for each class: ten of its pictures, those that are misread in a red frame."""
            labels = labels_of(faces.categories)
            rows = []
            for number in range(len(CLASSES)):
                shown = faces.select(np.flatnonzero(labels == number)[:SHEET_COLUMNS])
                row = np.zeros((faces.size, SHEET_COLUMNS * faces.size, 3), dtype=np.uint8)
                if len(shown):
                    pictures = pictures_as_tensor(shown.pictures, next(self.parameters()).device)
                    with torch.no_grad():
                        grey = grey_of(pictures)
                        found = self.classifier(grey).argmax(dim=1).cpu().numpy()
                    tiles = (grey * 255).round().byte().cpu().numpy().transpose(0, 2, 3, 1).repeat(3, axis=3)
                    for tile, read in zip(tiles, found, strict=True):
                        if read != number:
                            tile[:2], tile[-2:], tile[:, :2], tile[:, -2:] = WRONG, WRONG, WRONG, WRONG
                    row[:, : len(tiles) * faces.size] = np.concatenate(tiles, axis=1)
                rows.append(row)
            return np.concatenate(rows)

    return ClassifierLearner
