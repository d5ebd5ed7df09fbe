"""Work spread over processes: every task once, few under way, failures told, an early end that leaves nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from synth_affect.errors import InputError
from synth_affect.pipelines.workers import UNDER_WAY, LocalEngine, WorkerDiedError, in_order


@dataclass(frozen=True)
class MakeSquarer:
    """made : a folder in which each worker that is made leaves a file."""

    made: Path

    def __call__(self) -> Callable[[int], int]:
        (self.made / f"{os.getpid()}-{len(list(self.made.iterdir()))}").touch()
        return square


def square(number: int) -> int:
    if number == 13:
        raise InputError("13", "brings bad luck")
    if number == 14:
        os._exit(1)
    return number * number


@pytest.mark.parametrize("workers", [1, 2])
def test_every_task_is_done_once_by_few_workers(tmp_path: Path, workers: int) -> None:
    outcomes = list(LocalEngine(workers).outcomes(MakeSquarer(tmp_path), range(12)))
    assert sorted(outcomes) == [number**2 for number in range(12)]
    assert len(list(tmp_path.iterdir())) == workers


@pytest.mark.parametrize("workers", [1, 2])
def test_tasks_are_taken_as_they_are_needed(tmp_path: Path, workers: int) -> None:
    taken = []

    def tasks() -> Iterator[int]:
        for number in range(13):
            taken.append(number)
            yield number

    outcomes = LocalEngine(workers).outcomes(MakeSquarer(tmp_path), tasks())
    next(outcomes)
    assert len(taken) <= UNDER_WAY * workers + 1
    assert len([*outcomes]) == 12


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_a_worker_is_raised(tmp_path: Path, workers: int) -> None:
    with pytest.raises(InputError, match="brings bad luck"):
        list(LocalEngine(workers).outcomes(MakeSquarer(tmp_path), [13]))


def test_a_worker_that_dies_is_told(tmp_path: Path) -> None:
    with pytest.raises(WorkerDiedError):
        list(LocalEngine(2).outcomes(MakeSquarer(tmp_path), [14]))


def test_an_early_end_starts_no_more(tmp_path: Path) -> None:
    outcomes = LocalEngine(2).outcomes(MakeSquarer(tmp_path), iter(range(10_000)))
    next(outcomes)
    outcomes.close()


@pytest.mark.parametrize("workers", [0, 257])
def test_no_or_too_many_workers_are_refused(workers: int) -> None:
    with pytest.raises(InputError, match="--workers"):
        LocalEngine(workers)


def test_numbered_outcomes_come_in_order() -> None:
    assert list(in_order([(2, "c"), (0, "a"), (1, "b"), (3, "d")])) == ["a", "b", "c", "d"]


def test_a_worker_of_this_process_is_closed() -> None:
    closed = []

    class Worker:
        def __call__(self, number: int) -> int:
            return number

        def close(self) -> None:
            closed.append(True)

    outcomes = LocalEngine(1).outcomes(Worker, [1, 2])
    assert next(outcomes) == 1
    outcomes.close()
    assert closed == [True]
