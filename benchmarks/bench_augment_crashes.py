"""Kill `synth-affect augment` again and again over one run, and compare what is there in the end with a clean run.

Kill signals hit the whole process group, or only the parent, whose workers must leave by themselves; interrupts ask it
to stop. Each round goes on where the last one ended. Bar: 50 kills, no file lost, doubled, cut short or different. A
run of one process is compared, too, so the number of workers shows in no byte.

    python benchmarks/bench_augment_crashes.py --kills 50
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from _augment_sources import write_portraits
from _timing import surroundings

WAYS = ("group", "parent", "interrupt")
MOST_S = 900.0
DRAWING_KILLS = 0.6
"""Share of the kills that a run of undisturbed pace would take; the others hit it while it starts and finishes."""


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


def files_of(folder: Path) -> dict[str, str]:
    """Digest of every file below, links and folders named; of a journal the lines in any order."""
    digests = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not path.is_file() or path.is_symlink():
            digests[name] = "folder" if path.is_dir() else "other"
            continue
        content = path.read_bytes()
        if path.name == "journal.jsonl":
            content = b"".join(sorted(content.splitlines(keepends=True)))
        digests[name] = hashlib.sha256(content).hexdigest()
    return digests


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


def journal_lines(out: Path) -> int:
    """Faces that are done."""
    path = out / "journal.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def group_members(group: int) -> list[int]:
    """Processes of a process group that are no zombies."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def stop_after(command: list[str], seconds: float, way: str) -> str:
    """Start a run, and stop it after so long: how it ended; "done" when it was faster."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        pass
    else:
        assert process.returncode == 0, process.stderr and process.stderr.read().decode()
        return "done"
    if way == "group":
        os.killpg(process.pid, signal.SIGKILL)
    elif way == "parent":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGINT)
    process.wait(60)
    deadline = time.monotonic() + 30
    while group_members(process.pid):
        assert time.monotonic() < deadline, "workers outlive the run"
        time.sleep(0.02)
    if way == "interrupt":
        said = process.stderr.read().decode() if process.stderr else ""
        assert process.returncode in (0, 130, -signal.SIGINT), (process.returncode, said)
        assert "Traceback" not in said or process.returncode == -signal.SIGINT, said
    return way


def crash(setup: Setup, out: Path, kills: int, seed: int, pace: Pace) -> dict[str, object]:
    """Stop a run `kills` times, then let it end."""
    random, ends = np.random.default_rng(seed), Counter[str]()
    command = setup.command(out)
    moments = Counter[str]()
    for number in range(kills):
        before = journal_lines(out)
        if before == setup.faces:
            seconds, moment = float(random.uniform(0.3, 1.0)) * pace.finish_s, "while it finishes"
        elif random.random() < 0.12:
            seconds, moment = float(random.uniform(0, 0.8)) * pace.first_s, "while it starts"
        else:
            share = float(random.uniform(0, 2)) * pace.draw_s / (DRAWING_KILLS * kills)
            seconds, moment = pace.first_s + share, "while it draws"
        end = stop_after(command, seconds, WAYS[number % 2] if number % 7 else "interrupt")
        ends[end] += 1
        moments[moment] += 1
        print(f"{number + 1:3} {end:9} after {seconds:5.2f} s, faces {before} -> {journal_lines(out)}", flush=True)
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
