"""300 damaged pictures, videos and hostile annotation files through `synth-affect augment`.

Bar: each is turned down with a reason, in rejects.csv or in one line with exit code 2; none ends in a traceback, stops
a run over the others, hangs, or leaves anything outside the output folder.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import io
import json
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

from benchmarks._hostile_files import Case, annotation_cases, write_damaged_pictures, write_damaged_videos
from benchmarks._timing import surroundings
from synth_affect.cli import main as synth_affect_main

LONGEST_S = 300.0


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of every file below, but for the output folders."""
    return {
        str(path): (path.lstat().st_size, path.lstat().st_mtime_ns)
        for path in folder.rglob("*")
        if not path.is_relative_to(folder / "out") and not path.is_dir()
    }


def in_a_process(case: Case, out: Path, home: Path) -> tuple[int, str]:
    """Exit code and what was said on stderr."""
    command = [sys.executable, "-m", "synth_affect", *words(case, out, "2")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_S, cwd=home, check=False)
    said = "\n".join(line for line in done.stderr.splitlines() if not line.startswith(("W0", "I0", "E0", "note: ")))
    return done.returncode, said.strip()


def here(case: Case, out: Path, home: Path) -> tuple[int, str]:
    """The same in this process, which is faster; what it does not catch is code -2."""

    def late(*_: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, late)
    signal.alarm(round(LONGEST_S))
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said):
            code = synth_affect_main(words(case, out, "1"))
    except TimeoutError:
        return -1, "hangs"
    except Exception:
        return -2, traceback.format_exc()
    finally:
        signal.alarm(0)
    lines = [line for line in said.getvalue().splitlines() if not line.startswith("note: ")]
    return code, "\n".join(lines)


def words(case: Case, out: Path, workers: str) -> list[str]:
    """Of the command."""
    options = ("--targets", "random", "--per-face", "1", "--min-quality", "0.05", "--workers", workers)
    return ["augment", *case.arguments, "--out", str(out), *options]


def main() -> int:
    """Print each case that went wrong; 1 when one did."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=170)
    parser.add_argument("--videos", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    wrong, ends, slowest = [], Counter[str](), (0.0, "")
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        write_damaged_pictures(home / "pictures", options.pictures, options.seed)
        table = write_damaged_videos(home / "videos", options.videos, options.seed)
        cases = [
            Case("pictures", (str(home / "pictures"), "--accept-list", str(home / "list.txt"))),
            Case("videos", (str(table), "--database", "csv", "--accept-list", str(home / "frames.txt"))),
            *annotation_cases(home / "annotations"),
        ]
        keys = (path.relative_to(home / "pictures").with_suffix("") for path in (home / "pictures").rglob("*"))
        (home / "list.txt").write_text("\n".join(map(str, keys)))
        stems = [path.stem for path in (home / "videos").iterdir()]
        (home / "frames.txt").write_text("\n".join(f"{s}/{k:05d}" for s in stems for k in (0, 2, 10**9)))
        before = snapshot(home)
        for number, case in enumerate(cases):
            start = time.perf_counter()
            try:
                code, said = (in_a_process if number < 2 else here)(case, home / "out" / f"{number:03d}", home)
            except subprocess.TimeoutExpired:
                code, said = -1, "hangs"
            slowest = max(slowest, (time.perf_counter() - start, case.name))
            ends[{0: "done", 2: "refused"}.get(code, "crashed")] += 1
            if code not in (0, 2) or len(said.splitlines()) > 1 or "Traceback" in said:
                wrong.append(f"{case.name}: {code} {said[-500:]}")
            print(f"{case.name}: {code} {said[:150]}", flush=True)
        outside = sorted(set(before.items()) ^ set(snapshot(home).items()))
        reasons = Counter[str]()
        for path in sorted((home / "out").glob("*/rejects.csv")):
            with path.open(newline="", encoding="utf-8") as file:
                for row in csv.DictReader(file):
                    reasons[row["reason"][:60]] += 1
                    if not row["reason"]:
                        wrong.append(f"{path}: {row['key']} has no reason")
    report = {
        "files": options.pictures + options.videos + len(cases) - 2,
        "runs": dict(ends),
        "wrong": wrong,
        "changed_outside": [name for name, _ in outside],
        "rejected_in_lists": sum(reasons.values()),
        "slowest": {slowest[1]: round(slowest[0], 1)},
        "reasons": dict(reasons.most_common(25)),
        "surroundings": surroundings(["pillow", "opencv-python-headless"]),
    }
    print(json.dumps({key: value for key, value in report.items() if key != "surroundings"}, indent=1))
    if options.json is not None:
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 1 if wrong or outside else 0


if __name__ == "__main__":
    sys.exit(main())
