"""The engine of a Ray cluster: every worker is an actor of its own, on whichever machine has a core to spare.

All machines need the same synth-affect, and see the database and the output folder under the same paths.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from synth_affect.errors import InputError, SynthAffectError
from synth_affect.optional import import_optional
from synth_affect.pipelines.workers import MAX_WORKERS, UNDER_WAY, WorkerDiedError

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")


@dataclass(frozen=True, slots=True)
class RayEngine:
    """address : of a running cluster, `HOST:PORT` or "auto"; None starts one on this machine for as long as the work.
    workers : actors, one core each; None for one a core of the cluster.
    """

    address: str | None = None
    workers: int | None = None

    def __post_init__(self) -> None:
        if self.workers is not None and not 1 <= self.workers <= MAX_WORKERS:
            raise InputError("--workers", f"{self.workers} is not in [1, {MAX_WORKERS}]")

    def outcomes(
        self, make_worker: Callable[[], Callable[[Task], Outcome]], tasks: Iterable[Task]
    ) -> Generator[Outcome, None, None]:
        """See `Engine`. Raises MissingDependencyError without Ray, InputError when no cluster answers."""
        ray = import_optional("ray", "cluster")
        _connect(ray, self.address, self.workers)
        try:
            n_workers = self.workers or max(int(ray.cluster_resources().get("CPU", 1)), 1)
            actor = ray.remote(num_cpus=1, max_restarts=0)(_Actor)
            actors = [actor.remote(make_worker) for _ in range(n_workers)]
            waiting, running = iter(tasks), dict[Any, Any]()

            def give(free: Any) -> None:
                for task in waiting:
                    running[free.do.remote(task)] = free
                    return

            for free in actors * UNDER_WAY:
                give(free)
            while running:
                (first, *_), _ = ray.wait(list(running), num_returns=1)
                free = running.pop(first)
                outcome = ray.get(first)
                give(free)
                yield outcome
        except ray.exceptions.RayTaskError as error:
            cause = error.cause
            raise cause if isinstance(cause, SynthAffectError) else error from error
        except ray.exceptions.RayActorError as error:
            raise WorkerDiedError("a worker of the cluster ended before its time (out of memory?)") from error
        finally:
            ray.shutdown()


class _Actor:
    """Holds a worker in a process of the cluster."""

    def __init__(self, make_worker: Callable[[], Callable[[Any], Any]]) -> None:
        self._worker = make_worker()

    def do(self, task: Any) -> Any:
        return self._worker(task)


def _connect(ray: Any, address: str | None, workers: int | None) -> None:
    """Join the cluster at `address`, or start one here."""
    quiet = {"log_to_driver": False, "logging_level": "ERROR", "include_dashboard": False}
    try:
        if address is None:
            ray.init(num_cpus=workers, **quiet)
        else:
            ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, RuntimeError, ValueError) as error:
        where = "this machine" if address is None else address
        raise InputError("--engine", f"no Ray cluster on {where} ({str(error).splitlines()[0]})") from None
