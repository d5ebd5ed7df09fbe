"""Training on lightning, such that a run that was killed goes on to the same result.

Everything random is drawn from the seed and the number of the epoch, and `last.ckpt` is written after every epoch; so
an epoch that was cut short is begun again, and the run is the one that it would have been. `best.ckpt` is that of the
highest validation score, `log.csv` has a line an epoch. The learning rate falls to 0 along half a cosine.
"""

from __future__ import annotations

import csv
import io
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from synth_affect.data.atomic import atomic_write
from synth_affect.errors import InputError
from synth_affect.optional import import_optional
from synth_affect.regressors.batches import Batch, BatchPlan, BatchStream, pictures_of
from synth_affect.regressors.class_scores import score_classes
from synth_affect.regressors.devices import choose_device
from synth_affect.regressors.lightning_log import quiet_lightning
from synth_affect.regressors.losses import LOSSES, LossName
from synth_affect.regressors.metrics import concordance
from synth_affect.regressors.networks import EXTRA, NetworkSettings, build_network, build_shape_reading
from synth_affect.regressors.predicting import class_labels, last_of_stills, plan_of, run_network
from synth_affect.regressors.processes import run_processes
from synth_affect.regressors.samples import FaceSamples
from synth_affect.regressors.tensorboard_log import TensorBoardLog, check_tensorboard
from synth_affect.regressors.verification import verification_auc
from synth_affect.regressors.vgg_face import VggFace, start_from_vgg_face

if TYPE_CHECKING:
    from torch import Tensor

OptimizerName = Literal["sgd", "adam"]
Precision = Literal["32", "bf16", "16"]
LAST, BEST, LOG = "last.ckpt", "best.ckpt", "log.csv"
_PRECISIONS = {"32": "32-true", "bf16": "bf16-mixed", "16": "16-mixed"}
COSINE_SCALE, COSINE_MARGIN = 16.0, 0.2
"""Of the classes' cosines when an identity network is trained (Wang et al. 2018, CosFace; smaller, for few people)."""
LABEL_SMOOTHING = 0.1
"""Of categories: faces of neighbouring ones are alike, and a judge that is sure of each has learnt its pictures."""
MOST_PAIRED = 2000
"""Pictures among which all pairs are compared."""


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """How a network is trained. The defaults of `va-cnn` in the paper: sgd, 0.001, mae.

    batch : pictures, or sequences.  patience : epochs without a better score until it stops; 0 for never.
    steps : frames of a sequence, and how long a still is held.
    made_share : see `BatchPlan`.
    landmark_loss : weight of a second loss of `va-cnn`, that of `build_shape_reading`; ours.
    Raises InputError naming the option.
    """

    epochs: int = 50
    batch: int = 32
    learning_rate: float = 1e-3
    optimizer: OptimizerName = "adam"
    loss: LossName = "ccc"
    weight_decay: float = 1e-4
    patience: int = 0
    steps: int = 16
    precision: Precision = "32"
    made_share: float | None = None
    landmark_loss: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for option, number, least, most in (
            ("--epochs", self.epochs, 1, 100_000), ("--batch", self.batch, 2, 4096),
            ("--learning-rate", self.learning_rate, 1e-9, 10.0), ("--weight-decay", self.weight_decay, 0.0, 1.0),
            ("--patience", self.patience, 0, 100_000), ("--steps", self.steps, 1, 1000),
            ("--mix", self.made_share or 0.0, 0.0, 1000.0), ("--landmark-loss", self.landmark_loss, 0.0, 1000.0),
            ("--seed", self.seed, 0, 2**31 - 1),
        ):  # fmt: skip
            if not least <= number <= most:
                raise InputError(option, f"{number:g} is not in [{least:g}, {most:g}]")
        for option, name, known in (
            ("--optimizer", self.optimizer, get_args(OptimizerName)),
            ("--loss", self.loss, tuple(LOSSES)),
            ("--precision", self.precision, get_args(Precision)),
        ):
            if name not in known:
                raise InputError(option, f"{name!r} is none of {', '.join(known)}")


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """state : the best epoch's weights.  best_epoch : from 0.  score : its validation score.  epochs : that were run.

    The score is the mean CCC of valence and arousal, for `classes` the mean recall, and for `identity` the share
    `verification_auc`.
    """

    state: dict[str, Tensor]
    best_epoch: int
    score: float
    epochs: int


def train_network(
    network_settings: NetworkSettings,
    settings: TrainSettings,
    training: FaceSamples,
    validation: FaceSamples,
    folder: Path,
    *,
    start: VggFace | None = None,
    device: str = "auto",
    devices: int = 1,
    tensorboard: bool = False,
) -> Trained:
    """Train, or go on where `folder` says that it was stopped.

    training, validation : without a person in common, which is the caller's to see to.
    start : weights of the convolutions instead of random ones.  device : cpu, cuda or auto.
    devices : GPUs, or processes on the CPU, that share each batch (DDP).  tensorboard : write its log, too.
    Raises InputError for samples that the network cannot be trained on, and MissingDependencyError without lightning,
    or TensorBoard.
    """
    if tensorboard:
        check_tensorboard()
    for module in ("torch", "lightning.pytorch", "torchmetrics"):
        import_optional(module, EXTRA)
    kind = choose_device(device, devices)
    job = _Job(network_settings, settings, training, validation, folder, start, kind, devices, tensorboard)
    plan, held_out = _plans(job)
    _check(network_settings, plan, held_out)
    smallest = min(batch.size for batch in BatchStream(plan, lambda: 0).numbers(0))
    if devices > smallest:
        raise InputError("--devices", f"{devices} processes would share a batch of {smallest}")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(folder, f"cannot be made ({error.strerror or error})") from error
    if devices == 1:
        _fit(job)
    else:
        run_processes(devices, _fit, job)
    return _best(folder)


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """What `train_network` was asked, for each process. kind : cpu or cuda."""

    network: NetworkSettings
    settings: TrainSettings
    training: FaceSamples
    validation: FaceSamples
    folder: Path
    start: VggFace | None
    kind: str
    devices: int
    tensorboard: bool


def _plans(job: _Job) -> tuple[BatchPlan, BatchPlan]:
    """Of training, and of validation."""
    settings = job.settings
    more = {"batch": settings.batch, "steps": settings.steps, "seed": settings.seed}
    plan = plan_of(job.training, job.network, **more, made_share=settings.made_share)
    return plan, plan_of(job.validation, job.network, **more, varied=False)


def _fit(job: _Job) -> None:
    """Train until the checkpoints say that it is done; in each of the processes, if there are several."""
    torch, lightning = import_optional("torch", EXTRA), import_optional("lightning.pytorch", EXTRA)
    settings, folder = job.settings, job.folder
    plan, held_out = _plans(job)
    with quiet_lightning():
        torch.manual_seed(settings.seed)
        network = build_network(job.network)
        if job.start is not None:
            start_from_vgg_face(network, job.start.weights, Path("vgg-face"))
        learner = _learner()(network, job.network, settings, plan, job.validation, folder)
        trainer = lightning.Trainer(
            max_epochs=settings.epochs,
            accelerator={"cuda": "gpu", "cpu": "cpu"}[job.kind],
            devices=job.devices,
            **_together(job),
            precision=_PRECISIONS[settings.precision],
            callbacks=_callbacks(settings, folder),
            logger=False,
            enable_progress_bar=sys.stderr.isatty(),
            enable_model_summary=False,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,
        )
        if job.tensorboard and trainer.is_global_zero:
            learner.tensorboard = lambda epoch: TensorBoardLog(folder, epoch)
        part = (int(trainer.global_rank), job.devices)
        stream = BatchStream(plan, lambda: int(trainer.current_epoch), part)
        last = folder / LAST
        try:
            trainer.fit(
                learner, stream, BatchStream(held_out, None), ckpt_path=last if last.is_file() else None,
                weights_only=True,
            )  # fmt: skip
        except SystemExit:  # lightning's answer to Ctrl-C
            raise KeyboardInterrupt from None
    if trainer.interrupted:
        raise KeyboardInterrupt


def _together(job: _Job) -> dict[str, Any]:
    """Settings of lightning for processes that `run_processes` has started; GPUs also share batch norm's moments."""
    if job.devices == 1:
        return {}
    environments = import_optional("lightning.pytorch.plugins.environments", EXTRA)
    return {
        "strategy": "ddp",
        "plugins": [environments.LightningEnvironment()],
        "sync_batchnorm": job.kind == "cuda",
    }


def _check(network: NetworkSettings, training: BatchPlan, validation: BatchPlan) -> None:
    if network.kind == "identity":
        if training.labels.max() < 1:
            raise InputError("samples", "an identity network needs pictures of two people or more")
        return
    if network.kind == "classes":
        for plan in (training, validation):
            if (plan.labels < 0).any():
                key = str(plan.samples.keys[plan.labels < 0][0])
                raise InputError(key, f"shows none of {', '.join(network.categories)}")
        absent = np.setdiff1d(np.arange(len(network.categories)), training.labels)
        if len(absent):
            raise InputError("--categories", f"no training picture shows {network.categories[absent[0]]}")
        return
    for name, samples in (("training", training.samples), ("validation", validation.samples)):
        if np.isnan(samples.affect).any():
            raise InputError(str(samples.keys[np.isnan(samples.affect).any(axis=1)][0]), "has no valence and arousal")
        if np.ptp(samples.affect, axis=0).max() == 0:
            raise InputError("samples", f"all {len(samples)} {name} pictures have one label; nothing can be learnt")


def _best(folder: Path) -> Trained:
    torch = import_optional("torch", EXTRA)
    checkpoint = torch.load(folder / BEST, map_location="cpu", weights_only=True)
    history = torch.load(folder / LAST, map_location="cpu", weights_only=True)["history"]
    prefix = "network."
    state = {name.removeprefix(prefix): t for name, t in checkpoint["state_dict"].items() if name.startswith(prefix)}
    epoch = int(checkpoint["epoch"])
    return Trained(state, epoch, history[epoch]["score"], len(history))


def _callbacks(settings: TrainSettings, folder: Path) -> list[Any]:
    callbacks = import_optional("lightning.pytorch.callbacks", EXTRA)
    where = {"dirpath": folder, "enable_version_counter": False, "save_on_train_epoch_end": True}
    # The last checkpoint comes after the best one, and so knows of it.
    keep = [
        callbacks.ModelCheckpoint(filename=Path(BEST).stem, monitor="score", mode="max", **where),
        callbacks.ModelCheckpoint(filename=Path(LAST).stem, **where),
    ]
    if settings.patience:
        keep.insert(0, callbacks.EarlyStopping("score", mode="max", patience=settings.patience))
    return keep


@cache
def _learner() -> Any:
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
            elif network_settings.kind == "va-cnn" and settings.landmark_loss:
                self.shape_reading = build_shape_reading(network_settings)
            elif network_settings.kind == "classes":
                counts = np.bincount(plan.labels, minlength=len(network_settings.categories))
                self.register_buffer("category_weights", torch.tensor(1 / counts, dtype=torch.float32))

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
            if self.network_settings.kind == "va-cnn" and self.settings.landmark_loss:
                loss = self._judges_loss(batch)
            else:
                found = run_network(self.network, self.network_settings, batch, self.settings.steps)
                losses = {"identity": self._identity_loss, "classes": self._class_loss}
                loss = losses.get(self.network_settings.kind, self._affect_loss)(found, batch)
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

        def _judges_loss(self, batch: Batch) -> Tensor:
            seen = self.network.see(pictures_of(batch).flatten(0, 1))
            shapes: Tensor = self.shape_reading(seen, batch["landmarks"].flatten(0, 1))
            return self._affect_loss(self.network.judge(seen)[:, None], batch) + self.settings.landmark_loss * shapes

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
