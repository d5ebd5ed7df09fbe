"""Recordings spread over processes, while the frames of each follow each other."""

from __future__ import annotations

import dataclasses
import multiprocessing
from bisect import insort
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from pathlib import Path

from synth_affect.blendshape.template import Template
from synth_affect.data.registered_scans import (
    FrameKey,
    ReportLine,
)
from synth_affect.data.scan_records import ScanRecord, ScanSequence
from synth_affect.errors import InputError
from synth_affect.pipelines.registration.plan import frame_key
from synth_affect.pipelines.registration.settings import RegisterSettings
from synth_affect.pipelines.registration.worker import FrameJob, FrameWorker
from synth_affect.pipelines.workers import interrupts_ignored


class Chain:
    """The pending frames of one recording, one after the other."""

    def __init__(
        self, sequence: ScanSequence, scans: Sequence[ScanRecord], lines: Mapping[FrameKey, ReportLine]
    ) -> None:
        self._sequence, self._left = sequence, list(scans)
        keys = (frame_key(sequence, scan) for scan in sequence.scans)
        self._accepted = [key for key in keys if key in lines and lines[key].accepted]

    def next(self) -> FrameJob | None:
        """The next frame's job; None at the end. The one before must be done."""
        if not self._left:
            return None
        scan = self._left.pop(0)
        key = frame_key(self._sequence, scan)
        before = [other for other in self._accepted if other < key]
        # Without its fellows: a recording of thousands of frames is not sent along with each of them.
        alone = dataclasses.replace(self._sequence, scans=(scan,), unpaired=())
        reference = self._accepted[0] if self._accepted else None
        return FrameJob(key, alone, scan, before[-1] if before else None, reference)

    def done(self, line: ReportLine) -> None:
        """What became of the last job."""
        if line.accepted:
            insort(self._accepted, line.key)


def in_turn(chains: Sequence[Chain], template: Template, out: Path, settings: RegisterSettings) -> Iterator[ReportLine]:
    """The lines of all frames, done in this process."""
    worker = FrameWorker(template, out, settings)
    for chain in chains:
        while (job := chain.next()) is not None:
            line = worker.do(job)
            chain.done(line)
            yield line


def side_by_side(
    chains: Sequence[Chain], template: Template, out: Path, settings: RegisterSettings, workers: int
) -> Iterator[ReportLine]:
    """The lines of all frames as they are done by so many processes. Raises InputError when one of them dies."""
    waiting = iter(chains)
    running: dict[Future[ReportLine], Chain] = {}
    with interrupts_ignored():  # workers inherit it: an interrupt is for the parent, which lets them finish a frame
        pool = ProcessPoolExecutor(
            workers, multiprocessing.get_context("spawn"), initializer=_start_worker, initargs=(template, out, settings)
        )
        for chain in islice(waiting, workers + 1):  # one more than can run, so that no worker waits for us
            _submit(pool, chain, running)
    try:
        while running:
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                chain = running.pop(future)
                line = future.result()
                chain.done(line)
                yield line
                following: Chain | None = chain
                while following is not None and not _submit(pool, following, running):
                    following = next(waiting, None)
    except BrokenProcessPool as error:
        raise InputError(out, "a worker ended before its time (out of memory?); what is done stays done") from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _submit(pool: Executor, chain: Chain, running: dict[Future[ReportLine], Chain]) -> bool:
    """Whether there was a frame left."""
    job = chain.next()
    if job is not None:
        running[pool.submit(_do, job)] = chain
    return job is not None


_worker: FrameWorker | None = None
"""Of this process, where it is a worker of the pool."""


def _start_worker(template: Template, out: Path, settings: RegisterSettings) -> None:
    global _worker
    _worker = FrameWorker(template, out, settings)


def _do(job: FrameJob) -> ReportLine:
    assert _worker is not None
    return _worker.do(job)
