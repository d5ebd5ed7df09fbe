"""Kill `synth-affect augment` again and again over one run, and compare what is there in the end with a clean run.

Kill signals hit the whole process group, or only the parent, whose workers must leave by themselves; interrupts ask it
to stop. Each round goes on where the last one ended. Bar: 50 kills, no file lost, doubled, cut short or different. A
run of one process is compared, too, so the number of workers shows in no byte.

    python -m benchmarks.bench_augment_crashes --kills 50
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks._augment_sources import write_portraits
from benchmarks._crashes import WAYS, Moment, files_of, journal_lines, stop_at
from benchmarks._timing import surroundings

MOST_S = 900.0
STARTING_SHARE = 0.12


@dataclass(frozen=True, slots=True)
class Setup:
    """source : the folder of pictures.  workers : of every run.  per_face : pictures of each face."""

    source: Path
    workers: int
    per_face: int
    faces: int

    def command(self, out: Path, workers: int | None = None) -> list[str]:
        """Of one run."""
        return [
            *(sys.executable, "-m", "synth_affect", "augment", str(self.source), "--out", str(out)),
            *("--targets", "random", "--per-face", str(self.per_face), "--min-quality", "0.1", "--folds", "2"),
            *("--database-setting", "subjects=first-folder", "--accept-list", str(self.source.parent / "accept.txt")),
            *("--shards", "7", "--workers", str(workers or self.workers), "--json"),
        ]


def run(command: list[str]) -> None:
    """A run to its end."""
    subprocess.run(command, check=True, capture_output=True, timeout=MOST_S)


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds: first_s until the first face is done, draw_s from there to the last, finish_s of a run that finds all
    faces done.
    """

    first_s: float
    draw_s: float
    finish_s: float


def clean_run(setup: Setup, out: Path) -> Pace:
    """Not disturbed, but looked at."""
    start = time.perf_counter()
    process = subprocess.Popen(setup.command(out), stdout=subprocess.DEVNULL)
    first = last = start
    while process.poll() is None:
        done, now = journal_lines(out), time.perf_counter()
        first = now if done == 0 else first
        last = now if done < setup.faces else last
        time.sleep(0.02)
    assert process.returncode == 0
    again = time.perf_counter()
    run(setup.command(out))
    return Pace(first - start, last - first, time.perf_counter() - again)


def crash(setup: Setup, out: Path, kills: int, seed: int, pace: Pace) -> dict[str, object]:
    """Stop a run `kills` times, then let it end."""
    random, ends, moments = np.random.default_rng(seed), Counter[str](), Counter[str]()
    command, finish_s = setup.command(out), pace.finish_s
    while (stopped := sum(ends.values()) - ends["done"]) < kills:
        before = journal_lines(out)
        if before == setup.faces:
            when, moment = "finishing", Moment(0, float(random.uniform(0.4, 1.0)) * finish_s)
        elif random.random() < STARTING_SHARE:
            when, moment = "starting", Moment(0, float(random.uniform(0, 1)) * pace.finish_s)
        else:
            # So many faces a kill that the last tenth of the kills meets a run that finishes.
            most = 2 * setup.faces / (0.9 * kills * (1 - STARTING_SHARE))
            face_s = setup.workers * pace.draw_s / setup.faces
            faces = before + int(random.integers(0, round(most) + 1))
            when, moment = "drawing", Moment(max(faces, 1), float(random.uniform(0, 1)) * face_s)
        start = time.perf_counter()
        end = stop_at(command, out, moment, WAYS[stopped % 2] if stopped % 7 else "interrupt")
        if end == "done":
            finish_s = time.perf_counter() - start
        else:
            moments[when] += 1
        ends[end] += 1
        print(f"{stopped + 1:3} {end:9} {when}, faces {before} -> {journal_lines(out)}", flush=True)
    run(command)
    return {"ends": dict(ends), "moments": dict(moments)}


def main() -> int:
    """Print what was found; 1 when a file differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--faces", type=int, default=40)
    parser.add_argument("--per-face", type=int, default=12)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job would have children ignore it
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        setup = Setup(folder / "source", options.workers, options.per_face, options.faces)
        (folder / "accept.txt").write_text("\n".join(write_portraits(setup.source, options.faces, 256)) + "\n")
        pace = clean_run(setup, folder / "clean")
        clean = files_of(folder / "clean")
        print(f"clean run of {len(clean)} files: {pace}", flush=True)
        run(setup.command(folder / "alone", 1))
        alone = files_of(folder / "alone")
        found = crash(setup, folder / "killed", options.kills, options.seed, pace)
        killed = files_of(folder / "killed")
    differ = {name for name in {*clean, *killed} if clean.get(name) != killed.get(name)}
    others = {name for name in {*clean, *alone} if clean.get(name) != alone.get(name)}
    report = {
        "kills": options.kills,
        "files": len(clean),
        **found,
        "lost": sorted(set(clean) - set(killed)),
        "too_many": sorted(set(killed) - set(clean)),
        "different": sorted(differ & set(clean) & set(killed)),
        "different_with_one_worker": sorted(others),
        "pace": asdict(pace),
        "surroundings": surroundings(["mediapipe", "pyarrow"]),
    }
    print(json.dumps({name: value for name, value in report.items() if name != "surroundings"}, indent=1))
    if options.json is not None:
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 1 if differ or others else 0


if __name__ == "__main__":
    sys.exit(main())
