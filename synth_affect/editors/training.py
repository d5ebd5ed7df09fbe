"""Training of networks that learn against each other, such that a run that was killed goes on to the same weights.

One loop for all editors, on lightning with manual optimisation: what a step is, which network takes it, and in which
stage, is the learner's business. Everything random is drawn from the seed and the number of the interval: an epoch,
or a part of one where it has more than `LoopSettings.interval` steps. `last.ckpt` is written after every interval, so
that no more than one is lost; `log.csv` has a line an interval with the mean of each loss; a sheet is drawn after each
epoch.
"""

from __future__ import annotations

import csv
import io
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from synth_affect.data.atomic import atomic_write
from synth_affect.editors.faces import EditorFaces
from synth_affect.errors import InputError
from synth_affect.optional import import_optional
from synth_affect.regressors.lightning_log import quiet_lightning

if TYPE_CHECKING:
    import torch
    from torch import Tensor

EXTRA = "train"
LAST, LOG = "last.ckpt", "log.csv"


@dataclass(frozen=True, slots=True, eq=False)
class EditorBatch:
    """Faces as a learner sees them, on its device.

    numbers : (batch,) int64, in the faces that are trained on.
    pictures : (batch, 3, size, size) float32 in [-1, 1].  affect : (batch, 2) float32, NaN where there is no label.
    categories : (batch,) int64, see CATEGORIES and MIXED.  people : (batch,) int64, see `EditorFaces.people`.
    """

    numbers: Tensor
    pictures: Tensor
    affect: Tensor
    categories: Tensor
    people: Tensor

    def __len__(self) -> int:
        return len(self.numbers)


class EditorLearner(Protocol):
    """A torch.nn.Module that holds every network of an editor, and knows how they learn.

    What it keeps from step to step are parameters, buffers and its optimizers' states alone, because a checkpoint holds
    nothing else; all other state follows from `begin_epoch`. A frozen network that it compares with is no part of it.
    Random numbers are torch's own.
    """

    def optimizers(self) -> list[torch.optim.Optimizer]:
        """Asked once, before training, when the networks are on their device."""
        ...

    def begin_epoch(self, epoch: int) -> None:
        """Stages and schedules, by the number of the epoch from 0 alone; called again when a run goes on within one."""
        ...

    def training_step(self, batch: EditorBatch, optimizers: Sequence[torch.optim.Optimizer]) -> dict[str, Tensor]:
        """One step of every optimizer whose turn it is: zero_grad, backward, step. Returns losses by name, for the log.

        optimizers : in the order of `optimizers()`.
        """
        ...

    def sheet(self, faces: EditorFaces) -> npt.NDArray[np.uint8]:
        """(height, width, 3) RGB that shows what it can do with some of `faces`; in evaluation, without gradients."""
        ...

    def train(self, mode: bool = True) -> Any:
        """As torch.nn.Module has it."""
        ...

    def state_dict(self) -> dict[str, Tensor]:
        """As torch.nn.Module has it."""
        ...


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """epochs : in all.  batch : pictures; the last batch of an epoch takes what is left, or is left out when that is
    one picture, of which batch norm knows no variance.  interval : steps between checkpoints, at most.
    Raises InputError naming the option.
    """

    epochs: int
    batch: int
    interval: int = 500
    seed: int = 0

    def __post_init__(self) -> None:
        for option, number, least, most in (
            ("--epochs", self.epochs, 1, 100_000), ("--batch", self.batch, 2, 4096),
            ("--interval", self.interval, 1, 1_000_000), ("--seed", self.seed, 0, 2**31 - 1),
        ):  # fmt: skip
            if not least <= number <= most:
                raise InputError(option, f"{number} is not in [{least}, {most}]")


@dataclass(frozen=True, slots=True, eq=False)
class TrainedEditor:
    """state : of the learner's networks, on the CPU.  steps, seconds : of training, in all runs together.
    losses : the last interval's means.
    """

    state: dict[str, Tensor]
    steps: int
    seconds: float
    losses: dict[str, float]


def train_editor(
    learner: EditorLearner,
    settings: LoopSettings,
    faces: EditorFaces,
    folder: Path,
    *,
    device: str = "cpu",
    draw: Callable[[int, npt.NDArray[np.uint8]], None] | None = None,
    shown: EditorFaces | None = None,
) -> TrainedEditor:
    """Train, or go on where `folder` says that it was stopped.

    draw : is given each epoch's number and sheet.  shown : the faces on it; None for `faces`.  device : cpu or cuda.
    Raises InputError for fewer than two faces, and when a loss is no number any more.
    """
    torch, lightning = import_optional("torch", EXTRA), import_optional("lightning.pytorch", EXTRA)
    callbacks = import_optional("lightning.pytorch.callbacks", EXTRA)
    if len(faces) < 2:
        raise InputError("--data", "two faces are the least that can be trained on")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(folder, f"cannot be made ({error.strerror or error})") from error
    plan = _Plan(len(faces), settings)
    with quiet_lightning():
        loop = _loop_class()(learner, plan, faces, shown or faces, folder, draw)
        trainer = lightning.Trainer(
            max_epochs=plan.n_intervals,
            accelerator={"cuda": "gpu", "cpu": "cpu"}[device.partition(":")[0]],
            devices=1,
            callbacks=[
                callbacks.ModelCheckpoint(
                    folder, filename=Path(LAST).stem, enable_version_counter=False, save_on_train_epoch_end=True
                )
            ],
            logger=False,
            enable_progress_bar=sys.stderr.isatty(),
            enable_model_summary=False,
            use_distributed_sampler=False,
        )
        last = folder / LAST
        try:
            trainer.fit(loop, range(plan.steps), ckpt_path=last if last.is_file() else None, weights_only=True)
        except SystemExit:  # lightning's answer to Ctrl-C
            raise KeyboardInterrupt from None
        if trainer.interrupted:
            raise KeyboardInterrupt
    stored = torch.load(last, map_location="cpu", weights_only=True)
    prefix = "learner."
    # Clones, because parts that networks share are one tensor, and a file of weights has none that overlap.
    state = {name.removeprefix(prefix): tensor.clone() for name, tensor in stored["state_dict"].items()}
    line = loop.history[-1]
    losses = {name: value for name, value in line.items() if name not in _COUNTS}
    return TrainedEditor(state, int(line["step"]), line["seconds"], losses)


_COUNTS = ("epoch", "step", "seconds")


@dataclass(frozen=True, slots=True)
class _Plan:
    """Which faces are in which batch, by the numbers of interval and step alone."""

    n: int
    settings: LoopSettings

    @property
    def _batches(self) -> int:
        return -(-(self.n - 1) // self.settings.batch)  # a last batch of one is left out

    @property
    def parts(self) -> int:
        """Intervals of an epoch."""
        return -(-self._batches // self.settings.interval)

    @property
    def steps(self) -> int:
        """Of an interval; the last one of an epoch may have fewer."""
        return -(-self._batches // self.parts)

    @property
    def n_intervals(self) -> int:
        return self.settings.epochs * self.parts

    def order(self, interval: int) -> npt.NDArray[np.int64]:
        """All faces as the interval's epoch takes them."""
        rng = np.random.default_rng([self.settings.seed, 1, interval // self.parts])
        return rng.permutation(self.n)

    def cut(self, order: npt.NDArray[np.int64], interval: int, step: int) -> npt.NDArray[np.int64]:
        """The batch of a step; empty where the epoch is over."""
        place = interval % self.parts * self.steps + step
        batch = self.settings.batch
        return order[place * batch : (place + 1) * batch if place < self._batches else 0]


def pictures_as_tensor(pictures: npt.NDArray[np.uint8], device: torch.device | str) -> Tensor:
    """(n, 3, size, size) float32 in [-1, 1] of (n, size, size, 3) uint8."""
    torch = import_optional("torch", EXTRA)
    tensor: Tensor = torch.from_numpy(np.ascontiguousarray(pictures)).to(device)
    return tensor.permute(0, 3, 1, 2).float().div_(127.5).sub_(1)


@cache
def _loop_class() -> Any:
    """The class of lightning's module; made once, because lightning is not there when this module is imported."""
    torch, lightning = import_optional("torch", EXTRA), import_optional("lightning.pytorch", EXTRA)

    class Loop(lightning.LightningModule):  # type: ignore[misc, name-defined]
        def __init__(
            self,
            learner: Any,
            plan: _Plan,
            faces: EditorFaces,
            shown: EditorFaces,
            folder: Path,
            draw: Callable[[int, npt.NDArray[np.uint8]], None] | None,
        ) -> None:
            super().__init__()
            self.automatic_optimization = False
            self.learner, self.plan, self.faces, self.shown, self.folder = learner, plan, faces, shown, folder
            self.draw, self.people = draw, faces.people
            self.history: list[dict[str, float]] = []
            self.sums: dict[str, Tensor] = {}
            self.counts: dict[str, int] = {}

        def configure_optimizers(self) -> Any:
            return self.learner.optimizers()

        def on_train_epoch_start(self) -> None:
            seed = np.random.SeedSequence([self.plan.settings.seed, 2, self.current_epoch]).generate_state(1)[0]
            torch.manual_seed(int(seed))
            self.order = self.plan.order(self.current_epoch)
            self.started, self.n_steps = time.perf_counter(), 0
            self.sums.clear()
            self.counts.clear()
            self.learner.train()
            self.learner.begin_epoch(self.current_epoch // self.plan.parts)

        def training_step(self, step: int, _: int) -> None:
            rows = self.plan.cut(self.order, self.current_epoch, step)
            if not len(rows):
                return
            batch = EditorBatch(
                torch.from_numpy(rows).to(self.device),
                pictures_as_tensor(self.faces.pictures[rows], self.device),
                torch.from_numpy(self.faces.affect[rows]).to(self.device),
                torch.from_numpy(self.faces.categories[rows]).to(self.device),
                torch.from_numpy(self.people[rows]).to(self.device),
            )
            own = self.optimizers()
            losses = self.learner.training_step(batch, own if isinstance(own, list) else [own])
            self.n_steps += 1
            for name, loss in losses.items():
                self.sums[name] = self.sums.get(name, 0) + loss.detach()
                self.counts[name] = self.counts.get(name, 0) + 1

        def on_train_epoch_end(self) -> None:
            epoch, part = divmod(self.current_epoch, self.plan.parts)
            before = self.history[-1] if self.history else {"step": 0.0, "seconds": 0.0}
            means = {name: float(total) / self.counts[name] for name, total in self.sums.items()}
            broken = [name for name, mean in means.items() if not np.isfinite(mean)]
            if broken:
                raise InputError("--set", f"loss {broken[0]} is no number any more in epoch {epoch}; learn slower")
            if self.draw is not None and part == self.plan.parts - 1:
                self.learner.train(False)
                with torch.no_grad():
                    self.draw(epoch, self.learner.sheet(self.shown))
                self.learner.train(True)
            seconds = before["seconds"] + time.perf_counter() - self.started
            counts = {"epoch": float(epoch), "step": before["step"] + self.n_steps, "seconds": seconds}
            self.history.append({**counts, **means})
            with atomic_write(self.folder / LOG) as file:
                file.write(_table(self.history).encode())

        def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
            checkpoint["history"] = self.history

        def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
            self.history = list(checkpoint["history"])

    return Loop


def _table(history: Sequence[dict[str, float]]) -> str:
    """Stages have losses of their own; the table has all of them, and blanks where one is not."""
    columns = dict.fromkeys(name for line in history for name in line)
    text = io.StringIO()
    table = csv.DictWriter(text, list(columns), restval="", lineterminator="\n")
    table.writeheader()
    table.writerows({**line, "epoch": int(line["epoch"]), "step": int(line["step"])} for line in history)
    return text.getvalue()
