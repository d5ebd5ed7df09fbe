"""What lightning calls while a network is trained: losses, scores, the log."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from synth_affect.data.atomic import atomic_write
from synth_affect.errors import InputError
from synth_affect.optional import import_optional
from synth_affect.regressors.batches import Batch, BatchPlan, pictures_of
from synth_affect.regressors.class_scores import score_classes
from synth_affect.regressors.losses import LOSSES
from synth_affect.regressors.metrics import concordance
from synth_affect.regressors.networks import EXTRA, NetworkSettings, build_shape_reading
from synth_affect.regressors.predicting import class_labels, last_of_stills, run_network
from synth_affect.regressors.samples import FaceSamples
from synth_affect.regressors.tensorboard_log import TensorBoardLog
from synth_affect.regressors.train_settings import TrainSettings
from synth_affect.regressors.verification import verification_auc

if TYPE_CHECKING:
    from torch import Tensor

LOG = "log.csv"
COSINE_SCALE, COSINE_MARGIN = 16.0, 0.2
"""Of the classes' cosines when an identity network is trained (Wang et al. 2018, CosFace; smaller, for few people)."""
LABEL_SMOOTHING = 0.1
"""Of categories: faces of neighbouring ones are alike, and a judge that is sure of each has learnt its pictures."""
MOST_PAIRED = 2000
"""Pictures among which all pairs are compared."""


@cache
def learner_class() -> Any:
    """The class of lightning's module; made once, because lightning is not there when this module is imported."""
    torch, lightning = import_optional("torch", EXTRA), import_optional("lightning.pytorch", EXTRA)
    torchmetrics = import_optional("torchmetrics", EXTRA)

    class Learner(lightning.LightningModule):  # type: ignore[misc, name-defined]
        def __init__(
            self,
            network: Any,
            network_settings: NetworkSettings,
            settings: TrainSettings,
            plan: BatchPlan,
            validation: FaceSamples,
            folder: Path,
        ) -> None:
            super().__init__()
            self.network, self.network_settings, self.settings = network, network_settings, settings
            self.validation_samples, self.folder = validation, folder
            self.loss_mean, self.seen = torchmetrics.MeanMetric(), torchmetrics.CatMetric(sync_on_compute=False)
            self.history: list[dict[str, float]] = []
            self.tensorboard: Callable[[int], TensorBoardLog] | None = None
            self.shown: TensorBoardLog | None = None
            if network_settings.kind == "identity":
                people = int(plan.labels.max()) + 1
                self.people = torch.nn.Parameter(torch.randn(people, network_settings.embedding))
            elif network_settings.kind == "classes":
                counts = np.bincount(plan.labels, minlength=len(network_settings.categories))
                self.register_buffer("category_weights", torch.tensor(1 / counts, dtype=torch.float32))
            self.finds_landmarks = network_settings.can_find_landmarks and settings.landmark_loss > 0
            if self.finds_landmarks:
                self.shape_reading = build_shape_reading(network_settings)

        def configure_optimizers(self) -> Any:
            s = self.settings
            if s.optimizer == "sgd":
                optimizer = torch.optim.SGD(
                    self.parameters(), s.learning_rate, momentum=0.9, weight_decay=s.weight_decay
                )
            else:
                optimizer = torch.optim.AdamW(self.parameters(), s.learning_rate, weight_decay=s.weight_decay)
            falling = torch.optim.lr_scheduler.LambdaLR(
                optimizer, lambda epoch: (1 + math.cos(math.pi * epoch / s.epochs)) / 2
            )
            return {"optimizer": optimizer, "lr_scheduler": falling}

        def on_train_start(self) -> None:
            if self.tensorboard is not None:
                self.shown = self.tensorboard(len(self.history))

        def on_train_end(self) -> None:
            if self.shown is not None:
                self.shown.close()

        def on_train_epoch_start(self) -> None:
            torch.manual_seed(int(np.random.SeedSequence(self._seed()).generate_state(1)[0]))

        def _seed(self) -> list[int]:
            """Of what a layer draws in this epoch, in this process."""
            more = [self.global_rank] if self.global_rank else []
            return [self.settings.seed, self.current_epoch, *more]

        def training_step(self, batch: Batch, _: int) -> Tensor:
            losses = {"identity": self._identity_loss, "classes": self._class_loss}
            loss_of = losses.get(self.network_settings.kind, self._affect_loss)
            if self.finds_landmarks:
                seen = self.network.see(pictures_of(batch).flatten(0, 1))
                shapes: Tensor = self.shape_reading(seen, batch["landmarks"].flatten(0, 1))
                loss = loss_of(self.network.judge(seen)[:, None], batch) + self.settings.landmark_loss * shapes
            else:
                loss = loss_of(run_network(self.network, self.network_settings, batch, self.settings.steps), batch)
            if not torch.isfinite(loss):
                raise InputError("--learning-rate", f"the loss left the finite numbers in epoch {self.current_epoch}")
            self.loss_mean.update(loss.detach(), weight=len(batch["labels"]))
            shared: Tensor = loss * batch["weight"]  # the mean over the processes is that of the whole batch
            return shared

        def _affect_loss(self, found: Tensor, batch: Batch) -> Tensor:
            truth, real = batch["affect"], batch["real"]
            if found.shape[1] != truth.shape[1]:  # stills that are held
                truth, real = truth.expand(found.shape), real.expand(found.shape[:2])
            return LOSSES[self.settings.loss](found[real], truth[real])

        def _identity_loss(self, found: Tensor, batch: Batch) -> Tensor:
            cosines = found[:, 0] @ torch.nn.functional.normalize(self.people, dim=1).T
            margin = COSINE_MARGIN * torch.nn.functional.one_hot(batch["labels"], len(self.people))
            loss: Tensor = torch.nn.functional.cross_entropy(COSINE_SCALE * (cosines - margin), batch["labels"])
            return loss

        def _class_loss(self, found: Tensor, batch: Batch) -> Tensor:
            loss: Tensor = torch.nn.functional.cross_entropy(
                found[:, 0].float(), batch["labels"], self.category_weights, label_smoothing=LABEL_SMOOTHING
            )
            return loss

        def validation_step(self, batch: Batch, _: int) -> None:
            found = run_network(self.network, self.network_settings, batch, self.settings.steps)
            found = last_of_stills(found, batch)[batch["real"]].double()
            self.seen.update(torch.cat([batch["numbers"][batch["real"]][:, None].double(), found], dim=1))

        def on_validation_epoch_end(self) -> None:
            seen = self.seen.compute().cpu().numpy()
            self.seen.reset()
            self.validated = self._scores(seen[:, 0].astype(np.int64), seen[:, 1:])
            score = torch.tensor(self.validated["score"], dtype=torch.float64)
            self.log("score", score, sync_dist=self.trainer.world_size > 1)

        def _scores(self, numbers: Any, found: Any) -> dict[str, float]:
            samples = self.validation_samples
            if self.network_settings.kind == "identity":
                return {"score": verification_auc(found[:MOST_PAIRED], samples.subjects[numbers][:MOST_PAIRED])}
            if self.network_settings.kind == "classes":
                labels = class_labels(samples, self.network_settings)[numbers]
                categories = self.network_settings.categories
                scores = score_classes(labels, found.argmax(axis=1), categories, n_bootstrap=0)
                return {"score": scores.mean_recall.value, "accuracy": scores.accuracy.value}
            ccc = [concordance(samples.affect[numbers, d], found[:, d]) for d in range(2)]
            score = float(np.nan_to_num(np.mean(ccc), nan=-1.0))  # all predictions one, and all labels: no better
            return {"score": score, "ccc_valence": ccc[0], "ccc_arousal": ccc[1]}

        def on_train_epoch_end(self) -> None:
            line = {"epoch": float(self.current_epoch), "loss": float(self.loss_mean.compute()), **self.validated}
            self.loss_mean.reset()
            self.history.append(line)
            if self.shown is not None:
                self.shown.add(line)
            if not self.trainer.is_global_zero:
                return
            text = io.StringIO()
            table = csv.DictWriter(text, list(line), lineterminator="\n")
            table.writeheader()
            table.writerows({**row, "epoch": int(row["epoch"])} for row in self.history)
            with atomic_write(self.folder / LOG) as file:
                file.write(text.getvalue().encode())

        def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
            checkpoint["history"] = self.history

        def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
            self.history = list(checkpoint["history"])

    return Learner
