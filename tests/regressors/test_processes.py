"""Work in several processes: each knows its number, and what goes wrong in one of them comes out."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from synth_affect.errors import InputError
from synth_affect.regressors.processes import run_processes

pytest.importorskip("torch")


def meet(folder: Path) -> None:
    """Process 1 fails once both are there; process 0 would wait for ever."""
    (folder / os.environ["LOCAL_RANK"]).write_text(os.environ["MASTER_PORT"])
    while not (os.environ["LOCAL_RANK"] == "1" and (folder / "0").is_file()):
        time.sleep(0.01)
    raise InputError(folder, "is not liked")


def test_each_process_has_a_number_and_an_error_of_one_ends_all(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not liked"):
        run_processes(2, meet, tmp_path)
    assert (tmp_path / "0").read_text() == (tmp_path / "1").read_text(), "they would meet"
    assert "LOCAL_RANK" not in os.environ
