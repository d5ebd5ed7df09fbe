"""Work spread over processes: each makes its worker once, tasks go to whichever is free, few are under way at a time.

A worker is a callable that holds what is worth keeping between tasks (a detector, a head model); one that lives in
this process is closed at the end, if it can be. Outcomes come in the order in which they are done: whoever needs
another order gives tasks numbers, see `in_order`.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol, TypeVar, runtime_checkable

from synth_affect.errors import InputError, SynthAffectError

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")
MAX_WORKERS = 256
UNDER_WAY = 2
"""Tasks a worker, so that none waits for us and nothing piles up."""


def in_order(outcomes: Iterable[tuple[int, Outcome]]) -> Iterator[Outcome]:
    """Numbered outcomes by their numbers, from 0; those that come too soon are held back."""
    early: dict[int, Outcome] = {}
    following = 0
    for number, outcome in outcomes:
        early[number] = outcome
        while following in early:
            yield early.pop(following)
            following += 1


class WorkerDiedError(SynthAffectError):
    """A worker process ended before its time; what was done before stays done."""


@runtime_checkable
class Closes(Protocol):
    """A worker with native handles to free."""

    def close(self) -> None:
        """Free them."""
        ...


class Engine(Protocol):
    """Where work is done: on this machine, or on a cluster."""

    def outcomes(
        self, make_worker: Callable[[], Callable[[Task], Outcome]], tasks: Iterable[Task]
    ) -> Generator[Outcome, None, None]:
        """What becomes of `tasks`, in the order in which they are done. An exception of a worker is raised here.

        make_worker : called once in every process; it must be picklable, and so must tasks and outcomes.
        Raises WorkerDiedError. Closing the iterator lets tasks under way end, and starts no more.
        """
        ...


@dataclass(frozen=True, slots=True)
class LocalEngine:
    """Processes of this machine; one is this process itself. workers : 1 or more."""

    workers: int

    def __post_init__(self) -> None:
        if not 1 <= self.workers <= MAX_WORKERS:
            raise InputError("--workers", f"{self.workers} is not in [1, {MAX_WORKERS}]")

    def outcomes(
        self, make_worker: Callable[[], Callable[[Task], Outcome]], tasks: Iterable[Task]
    ) -> Generator[Outcome, None, None]:
        """See `Engine`."""
        if self.workers == 1:
            worker = make_worker()
            try:
                yield from map(worker, tasks)
            finally:
                if isinstance(worker, Closes):
                    worker.close()
            return
        waiting = iter(tasks)
        with interrupts_ignored():  # workers inherit it: an interrupt is for the parent, which lets them finish
            pool = ProcessPoolExecutor(
                self.workers,
                multiprocessing.get_context("spawn"),
                initializer=_start_worker,
                initargs=(make_worker,),
            )
            running: set[Future[Any]] = {pool.submit(_do, task) for task in islice(waiting, UNDER_WAY * self.workers)}
        try:
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
                running |= {pool.submit(_do, task) for task in islice(waiting, len(done))}
        except BrokenProcessPool as error:
            raise WorkerDiedError("a worker ended before its time (out of memory?)") from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def default_workers() -> int:
    """One a core that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def one_thread() -> None:
    """Keep the libraries of this process to one thread each: with a process a core, more would stand in line."""
    import cv2
    import numba

    cv2.setNumThreads(1)
    numba.set_num_threads(1)
    torch = sys.modules.get("torch")  # a judge may have brought it
    if torch is not None:
        torch.set_num_threads(1)


@contextlib.contextmanager
def interrupts_ignored() -> Iterator[None]:
    """While processes are started that shall not hear an interrupt, which is for the one that waits for them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


_worker: Callable[[Any], Any] | None = None
"""Of this process, where it is a worker of a pool."""


def _start_worker(make_worker: Callable[[], Callable[[Any], Any]]) -> None:
    global _worker
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    _worker = make_worker()


def _leave_with_parent() -> None:
    """So that nothing stays behind, and writes, when the process that waits is killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _do(task: Any) -> Any:
    assert _worker is not None
    return _worker(task)
