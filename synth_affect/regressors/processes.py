"""The same work in several processes of this machine that wait for each other, as torch trains in parallel."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from typing import Any, TypeVar

from synth_affect.errors import SynthAffectError
from synth_affect.optional import import_optional

T = TypeVar("T")
HERE = "127.0.0.1"


def run_processes(n: int, work: Callable[[T], object], job: T) -> None:
    """Call `work(job)`, both of which can be pickled, in `n` processes; each knows its number (`LOCAL_RANK`).

    Threads of torch are divided among them. They end with this process, and all of them when one of them fails.
    Raises what one of them raises, if that is an error of this package, and RuntimeError for another one.
    """
    processes = import_optional("torch.multiprocessing", "train")
    failed = processes.get_context("spawn").SimpleQueue()
    context = processes.start_processes(
        _one, (n, _free_port(), work, job, failed), nprocs=n, join=False, daemon=True, start_method="spawn"
    )
    try:
        while not context.join():
            pass
    except (processes.ProcessRaisedException, processes.ProcessExitedException) as error:
        if not failed.empty():
            raise failed.get() from None
        raise RuntimeError(f"a process of {n} ended before its work was done: {error}") from error
    finally:
        for process in context.processes:
            if process.is_alive():
                process.terminate()


def _one(rank: int, n: int, port: int, work: Callable[[Any], object], job: Any, failed: Any) -> None:
    torch = import_optional("torch", "train")
    os.environ |= {"MASTER_ADDR": HERE, "MASTER_PORT": str(port), "LOCAL_RANK": str(rank), "NODE_RANK": "0"}
    torch.set_num_threads(max(torch.get_num_threads() // n, 1))
    try:
        work(job)
    except SynthAffectError as error:
        failed.put(error)
        sys.exit(1)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind((HERE, 0))
        return int(found.getsockname()[1])
