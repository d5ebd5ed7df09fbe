"""Pictures a second of `synth-affect augment`: 512 x 512 JPEG, 50 targets a face; costs, workers, Ray, memory.

Bars: 25 pictures/s on two cores; two workers 1.8 times as fast as one; Ray on one machine within 15 % of the local
pool; memory flat. Times on a machine with other work are no figures of this code; the split counts processor time.

    python -m benchmarks.bench_augment                        # split of the costs
    python -m benchmarks.bench_augment --engines local ray    # pictures a second, 1 and 2 workers
    python -m benchmarks.bench_augment --memory 20000         # memory over so many pictures of 96 x 96
    python -m benchmarks.bench_augment --verify --judge KIND=FILE --identity KIND=FILE    # what looking again costs
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks._augment_sources import write_portraits
from benchmarks._timing import surroundings, use_one_thread
from synth_affect.data.faces.export.table import PlainLayout
from synth_affect.data.faces.record import FaceRecord
from synth_affect.data.faces.registry import open_face_database
from synth_affect.pipelines.augment import work
from synth_affect.pipelines.augment.check import CheckSettings
from synth_affect.pipelines.augment.file_batch import FileBatch
from synth_affect.pipelines.augment.journal import open_journal
from synth_affect.pipelines.augment.run import AugmentJob, augment
from synth_affect.pipelines.augment.targets import DrawnTargets
from synth_affect.pipelines.augment.work import AugmentSettings, AugmentWorker, FaceTask, MakeAugmentWorker
from synth_affect.pipelines.judges.open_judges import read_cards
from synth_affect.pipelines.ray_engine import RayEngine
from synth_affect.pipelines.verify import VerifierChoice
from synth_affect.pipelines.workers import Engine, LocalEngine

SETTINGS = AugmentSettings(min_quality=0.1, check_rest=False)
PAPER = {"AFEW-VA": 108_864, "Aff-Wild": 60_135}


@dataclass(slots=True)
class Split:
    """Processor and wall seconds by stage, what a stage calls counted to the outer one alone."""

    cpu_s: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    wall_s: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    depth: int = 0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Counts what happens in the block."""
        self.depth += 1
        cpu, wall = time.process_time(), time.perf_counter()
        try:
            yield
        finally:
            self.depth -= 1
            if self.depth == 0:
                self.cpu_s[name] += time.process_time() - cpu
                self.wall_s[name] += time.perf_counter() - wall

    def watch(self, owner: Any, attribute: str, name: str) -> None:
        """Count the calls of `owner.attribute`."""
        inner = getattr(owner, attribute)

        @functools.wraps(inner)
        def counted(*arguments: Any, **named: Any) -> Any:
            with self.stage(name):
                return inner(*arguments, **named)

        setattr(owner, attribute, counted)


def cost_split(faces: int, per_face: int) -> dict[str, Any]:
    """What one face with `per_face` pictures costs one process, stage by stage."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        keys = write_portraits(folder / "in", faces + 1, 512)
        worker, targets = MakeAugmentWorker(folder / "out", SETTINGS)(), DrawnTargets(per_face)
        (folder / "out").mkdir()

        def task(place: int) -> FaceTask:
            record = FaceRecord(keys[place], folder / "in" / f"{keys[place]}.jpg")
            outputs = PlainLayout().outputs(place, record, per_face)
            return FaceTask(place, record, targets.of(record.key), outputs)

        worker(task(faces))  # compiles, fills caches
        split = Split()
        _watch_all(split, worker)
        with open_journal(folder / "out") as journal:
            cpu, wall = time.process_time(), time.perf_counter()
            for place in range(faces):
                done = worker(task(place))
                assert len(done.pictures) == per_face, done.reason
                with split.stage("journal line"):
                    journal.append(done)
            cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        worker.close()
    count = faces * per_face
    stages = {
        stage: {"cpu_ms": 1e3 * split.cpu_s[stage] / count, "wall_ms": 1e3 * split.wall_s[stage] / count}
        for stage in split.cpu_s
    }
    rest = cpu - sum(split.cpu_s.values()), wall - sum(split.wall_s.values())
    stages["all else"] = {"cpu_ms": 1e3 * rest[0] / count, "wall_ms": 1e3 * rest[1] / count}
    return {"pictures": count, "cpu_ms": 1e3 * cpu / count, "wall_ms": 1e3 * wall / count, "stages": stages}


def verification(faces: int, per_face: int, rounds: int, choice: VerifierChoice) -> dict[str, Any]:
    """Processor milliseconds a picture of one process that reads nothing again, that looks for the face, and that shows
    it to judges, too; they take turns, and the fastest round of each counts.
    """
    bare = VerifierChoice()
    checks = {"nothing": None, "MediaPipe": CheckSettings(bare)}
    if choice != bare:
        checks["judges"] = CheckSettings(choice, read_cards(choice.judges, choice.identities))
    best: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        keys = write_portraits(folder / "in", faces + 1, 512)
        workers = {
            how: MakeAugmentWorker(folder / how, replace(SETTINGS, checks=check))() for how, check in checks.items()
        }
        targets = DrawnTargets(per_face)

        def run(worker: AugmentWorker, place: int) -> None:
            record = FaceRecord(keys[place], folder / "in" / f"{keys[place]}.jpg")
            outputs = PlainLayout().outputs(place, record, per_face)
            done = worker(FaceTask(place, record, targets.of(record.key), outputs))
            assert len(done.pictures) == per_face, done.reason

        for how, worker in workers.items():
            (folder / how).mkdir()
            run(worker, faces)  # compiles, fills caches
        for _ in range(rounds):
            for how, worker in workers.items():
                start = time.process_time()
                for place in range(faces):
                    run(worker, place)
                spent = 1e3 * (time.process_time() - start) / (faces * per_face)
                best[how] = min(best.get(how, spent), spent)
        for worker in workers.values():
            worker.close()
    return {"pictures": faces * per_face, "cpu_ms": best}


def _watch_all(split: Split, worker: AugmentWorker) -> None:
    held: Any = worker
    split.watch(held._pictures, "read", "read the source")
    split.watch(held, "_find", "find the face")
    split.watch(held, "_solver", "fit")
    split.watch(held, "_meter", "judge the fit")
    split.watch(held._synthesizer, "prepare", "prepare the scene")
    split.watch(held._synthesizer, "synthesize", "draw")
    split.watch(work, "encode_picture", "encode")
    split.watch(held, "_landmarks", "landmarks")
    split.watch(FileBatch, "write", "write")
    split.watch(FileBatch, "settle", "to the disk, names")


def throughput(engine: Engine, faces: int, per_face: int) -> dict[str, float]:
    """Pictures a second between the first face that is done and the last, and of the whole run."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_portraits(folder / "in", faces, 512)
        database = open_face_database("folder", folder / "in", {"subjects": "first-folder"})
        job = AugmentJob(database, folder / "out", DrawnTargets(per_face), PlainLayout(), SETTINGS, n_folds=2)
        times: list[float] = []

        def clock(outcomes: Any, count: int) -> Iterator[Any]:
            for outcome in outcomes:
                times.append(time.perf_counter())
                yield outcome

        start = time.perf_counter()
        summary = augment(job, engine, clock)
        whole = time.perf_counter() - start
    assert summary.faces == faces
    # As many faces as there are workers are done at about the same time first.
    skipped = getattr(engine, "workers", None) or 1
    steady = (len(times) - skipped) * per_face / (times[-1] - times[skipped - 1])
    return {"steady_per_s": steady, "whole_per_s": summary.pictures / whole, "until_first_s": times[0] - start}


def memory(pictures: int, per_face: int, workers: int) -> dict[str, Any]:
    """Resident memory of this process and of its workers, MiB, at every tenth of a run over small pictures."""
    faces = pictures // per_face
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_portraits(folder / "in", faces, 96)
        database = open_face_database("folder", folder / "in", {"subjects": "first-folder"})
        settings = replace(SETTINGS, min_quality=0.0)  # such small faces score next to nothing
        job = AugmentJob(database, folder / "out", DrawnTargets(per_face), PlainLayout(), settings, n_folds=2)
        rows: list[dict[str, Any]] = []
        peak, ended = [0.0], threading.Event()

        def watch() -> None:
            while not ended.wait(0.2):
                peak[0] = max(peak[0], sum(_resident_mib()[0:1]))

        def look(outcomes: Any, count: int) -> Iterator[Any]:
            for number, outcome in enumerate(outcomes, start=1):
                yield outcome
                if number % max(faces // 10, 1) == 0:
                    parent, *children = _resident_mib()
                    rows.append({"pictures": number * per_face, "parent_mib": parent, "workers_mib": children})
                    print(f"{number * per_face:7} pictures: parent {parent:5.0f} MiB, workers {children}", flush=True)

        threading.Thread(target=watch, daemon=True).start()
        start = time.perf_counter()
        summary = augment(job, LocalEngine(workers), look)
        ended.set()
        return {
            "pictures": summary.pictures,
            "faces_used": summary.faces,
            "seconds": round(time.perf_counter() - start, 1),
            "rows": rows,
            "parent_peak_mib": round(peak[0]),
        }


def _resident_mib() -> list[float]:
    """Of this process, then of its children that work."""
    own = os.getpid()
    found = [_rss(own)]
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[1]) == own:
                found.append(_rss(int(stat.parent.name)))
        except OSError:
            continue
    return [found[0], *sorted(mib for mib in found[1:] if mib > 60)]  # the pool's resource tracker is small


def _rss(process: int) -> float:
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)


def print_split(found: dict[str, Any]) -> None:
    """The table of stages, the most expensive first."""
    print(f"one process, {found['pictures']} pictures of 512 x 512, ms a picture")
    print(f"{'':20} {'processor':>10} {'wall':>8}")
    for stage, cost in sorted(found["stages"].items(), key=lambda item: -item[1]["cpu_ms"]):
        print(f"{stage:20} {cost['cpu_ms']:10.2f} {cost['wall_ms']:8.2f}")
    print(f"{'all':20} {found['cpu_ms']:10.2f} {found['wall_ms']:8.2f}   {1e3 / found['cpu_ms']:.1f} pictures/s a core")


def print_hours(per_s: float) -> None:
    """What the paper's databases take at this speed."""
    for name, pictures in PAPER.items():
        print(f"  {pictures:,} pictures ({name}): {pictures / per_s / 3600:.2f} h")


def main() -> None:
    """Print what was asked for; write it where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engines", nargs="+", choices=["local", "ray"], default=[])
    parser.add_argument("--workers", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rounds", type=int, default=3, help="of each engine; the best counts")
    parser.add_argument("--faces", type=int, default=12)
    parser.add_argument("--per-face", type=int, default=50)
    parser.add_argument("--memory", type=int, metavar="PICTURES")
    parser.add_argument("--verify", action="store_true")
    parser.add_argument("--judge", nargs="+", default=[], metavar="KIND=FILE")
    parser.add_argument("--identity", nargs="+", default=[], metavar="KIND=FILE")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    use_one_thread()
    report: dict[str, Any] = {"surroundings": surroundings(["mediapipe", "pyarrow", "ray"])}
    if options.memory:
        report["memory"] = memory(options.memory, options.per_face, max(options.workers))
        print(json.dumps({k: v for k, v in report["memory"].items() if k != "rows"}))
    elif options.verify:
        choice = VerifierChoice(tuple(options.judge), tuple(options.identity))
        report["verification"] = verification(options.faces, options.per_face, options.rounds, choice)
        cost = report["verification"]["cpu_ms"]
        for how, cpu_ms in cost.items():
            print(f"read by {how:10} {cpu_ms:6.2f} ms of one core a picture, x {cpu_ms / cost['nothing']:.2f}")
    elif options.engines:
        makers: dict[str, Callable[[int], Engine]] = {"local": LocalEngine, "ray": lambda n: RayEngine(None, n)}
        best: dict[str, float] = {}
        for _ in range(options.rounds):  # taking turns, so that other work on the machine hits all alike
            for engine in options.engines:
                for workers in options.workers:
                    found = throughput(makers[engine](workers), options.faces, options.per_face)
                    name = f"{engine}, {workers} workers"
                    best[name] = max(best.get(name, 0.0), found["steady_per_s"])
                    print(name, {key: round(value, 1) for key, value in found.items()}, flush=True)
        report["best_per_s"] = best
        for name, per_s in best.items():
            print(f"{name}: {per_s:.1f} pictures/s")
            print_hours(per_s)
        if {"local, 1 workers", "local, 2 workers"} <= set(best):
            print(f"1 -> 2 workers: x {best['local, 2 workers'] / best['local, 1 workers']:.2f}")
    else:
        report["split"] = cost_split(options.faces, options.per_face)
        print_split(report["split"])
    if options.json is not None:
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
