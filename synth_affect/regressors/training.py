"""Training on lightning, such that a run that was killed goes on to the same result.

Everything random is drawn from the seed and the number of the epoch, and `last.ckpt` is written after every epoch; so
an epoch that was cut short is begun again, and the run is the one that it would have been. `best.ckpt` is that of the
highest validation score, `log.csv` has a line an epoch. The learning rate falls to 0 along half a cosine.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from synth_affect.errors import InputError
from synth_affect.optional import import_optional
from synth_affect.regressors.batches import BatchPlan, BatchStream
from synth_affect.regressors.devices import choose_device
from synth_affect.regressors.learner import learner_class
from synth_affect.regressors.lightning_log import quiet_lightning
from synth_affect.regressors.networks import EXTRA, NetworkSettings, build_network
from synth_affect.regressors.predicting import plan_of
from synth_affect.regressors.processes import run_processes
from synth_affect.regressors.samples import FaceSamples
from synth_affect.regressors.tensorboard_log import TensorBoardLog, check_tensorboard
from synth_affect.regressors.train_settings import TrainSettings
from synth_affect.regressors.vgg_face import VggFace, start_from_vgg_face

if TYPE_CHECKING:
    from torch import Tensor

LAST, BEST = "last.ckpt", "best.ckpt"
_PRECISIONS = {"32": "32-true", "bf16": "bf16-mixed", "16": "16-mixed"}


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
    if settings.landmark_loss and not network_settings.can_find_landmarks:
        raise InputError("--landmark-loss", "is for networks that read pictures alone; it goes with --no-landmarks")
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
        learner = learner_class()(network, job.network, settings, plan, job.validation, folder)
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
