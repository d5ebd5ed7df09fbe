"""The log of a training as TensorBoard shows it, in a folder `tensorboard` beside log.csv."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from synth_affect.optional import import_optional

FOLDER, EXTRA = "tensorboard", "tensorboard"


class TensorBoardLog:
    """Writes a line an epoch. Raises MissingDependencyError without TensorBoard.

    first : the epoch to begin with; what a run that was stopped has written of it and later ones counts no more.
    """

    def __init__(self, folder: Path, first: int) -> None:
        check_tensorboard()
        writer = import_optional("torch.utils.tensorboard", EXTRA).SummaryWriter
        self._events: Any = writer(str(folder / FOLDER), purge_step=first)

    def add(self, line: Mapping[str, float]) -> None:
        """Of an epoch, `epoch` being its number."""
        for name, value in line.items():
            if name != "epoch":
                self._events.add_scalar(name, value, int(line["epoch"]))
        self._events.flush()

    def close(self) -> None:
        """Nothing is added afterwards."""
        self._events.close()


def check_tensorboard() -> None:
    """Raises MissingDependencyError when it is not there."""
    import_optional("tensorboard", EXTRA)
