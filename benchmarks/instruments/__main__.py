"""python -m benchmarks.instruments INPUT OUTPUT [OUTPUT ...]: readings of an input and of edits of it, as JSON."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.instruments.identity import identity_distance
from benchmarks.instruments.readings import Instruments, Readings, read_rgb


def main() -> None:
    """Read, compare, print."""
    import numpy as np

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("input", type=Path)
    parser.add_argument("outputs", type=Path, nargs="*")
    parser.add_argument("--cache", type=Path, help="folder of readings, so that a picture is read once")
    arguments = parser.parse_args()

    def shown(path: Path, readings: Readings | None) -> dict[str, Any]:
        if readings is None:
            return {"path": str(path), "face": False}
        entry = asdict(readings)
        del entry["embedding"]
        return {"path": str(path), "face": True, **entry}

    with Instruments(arguments.cache) as instruments:
        before = instruments.read(read_rgb(arguments.input))
        report: dict[str, Any] = {"input": shown(arguments.input, before), "outputs": []}
        for path in arguments.outputs:
            after = instruments.read(read_rgb(path), near=None if before is None else before.centre)
            entry = shown(path, after)
            if before is not None and after is not None:
                entry["identity_distance"] = identity_distance(np.array(before.embedding), np.array(after.embedding))
                entry["unit_changes"] = {name: after.units[name] - before.units[name] for name in after.units}
            report["outputs"].append(entry)
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
