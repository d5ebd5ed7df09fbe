"""How long is the whole command, against the bare import of mediapipe, which no command with its detector can avoid?

    python -m benchmarks.bench_command [--image FACE.jpg] [--rounds 9] [--json OUT.json]

Both run in fresh interpreters, one after the other, with warm caches (files, numba's compiled kernels); medians are
printed, and the ratio that they make. Without --image the demo's portrait (512 x 512) is edited.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BAR = 4.0


def seconds(command: list[str]) -> float:
    """Wall time of a process that must end well."""
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def main() -> None:
    """Measure, print, and fail when the ratio is above the bar."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image", type=Path, help="a picture with a face")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", type=Path, help="write the figures here")
    arguments = parser.parse_args()
    if arguments.image is None:
        from synth_affect.pipelines.demo_picture import find_demo_picture

        arguments.image = find_demo_picture()

    with tempfile.TemporaryDirectory() as folder:
        output = str(Path(folder) / "out.png")
        target = ["--valence", "0.6", "--arousal", "0.3", "-o", output]
        command = [sys.executable, "-m", "synth_affect", "--image", str(arguments.image), *target]
        bare = [sys.executable, "-c", "import mediapipe"]
        for warm_up in (bare, command):
            seconds(warm_up)
        times = [(seconds(bare), seconds(command)) for _ in range(arguments.rounds)]
    bare_s, command_s = (statistics.median(column) for column in zip(*times, strict=True))
    ratios = [whole / part for part, whole in times]
    report = {
        "image": arguments.image.name,
        "rounds": arguments.rounds,
        "import_mediapipe_s": bare_s,
        "command_s": command_s,
        "ratio": command_s / bare_s,
        "ratio_range": [min(ratios), max(ratios)],
        "bar": BAR,
        "load_average": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        "machine": platform.platform(),
    }
    print(f"import mediapipe {bare_s:.2f} s, the command {command_s:.2f} s: {report['ratio']:.2f} times (bar {BAR:g})")
    print(f"single rounds: {min(ratios):.2f} to {max(ratios):.2f}")
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    if report["ratio"] > BAR:
        sys.exit(1)


if __name__ == "__main__":
    main()
