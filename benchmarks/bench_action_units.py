"""Does a reader that had no part in it see the action unit that was asked for, and on its side?

    python -m benchmarks.bench_action_units [PICTURE ...] [--strength 0.8] [--json OUT.json]

Without pictures, the demo's portrait. Each FACS unit is drawn alone on the face at rest, and MediaPipe's 52 blendshape
scores are read before and after; nothing was tuned on them. Printed for each: the median rise of the unit that it moves
most, in how many pictures that rises by more than 0.02, and, for one-sided units, in how many it rises more than the
other side. `-` where it rises so far in no picture: some of the 52 scores stay at 0 whatever a face does.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from synth_affect.arrays import ImageArray
from synth_affect.blendshape.action_units import mirrored
from synth_affect.blendshape.local_units import UNIT_NAMES, ActionUnits, why_not
from synth_affect.data.pictures import read_picture
from synth_affect.errors import NoFaceError
from synth_affect.fitting.mediapipe_detector import MediaPipeDetector
from synth_affect.pipelines.demo_picture import find_demo_picture
from synth_affect.pipelines.synthesize import AffectSynthesizer

SEEN = 0.02
NEEDS_AN_OPEN_JAW = "AU8"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pictures", type=Path, nargs="*")
    parser.add_argument("--strength", type=float, default=0.8)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    asked = parser.parse_args()
    names = [
        name
        for name, moved in UNIT_NAMES.items()
        if name.startswith("AU") and name != NEEDS_AN_OPEN_JAW and not any(map(why_not, moved))
    ]
    rises: dict[str, list[Mapping[str, float]]] = {name: [] for name in names}
    pictures = asked.pictures or [find_demo_picture()]
    with AffectSynthesizer() as synthesizer, MediaPipeDetector() as reader:
        for picture in pictures:
            for name, rise in read_units(read_picture(picture).pixels, names, asked.strength, synthesizer, reader):
                rises[name].append(rise)
    figures = {name: figures_of(name, rises[name]) for name in names}
    print(f"{'unit':8}{'rise':>8}{'rises in':>10}{'right side':>12}   of {len(pictures)}")
    for name, found in figures.items():
        if found["largest"] < SEEN:
            print(f"{name:8}{'-':>8}")
            continue
        side = "" if found["on_its_side"] is None else f"{found['on_its_side']}"
        print(f"{name:8}{found['median']:8.2f}{found['rises_in']:>10}{side:>12}")
    if asked.json:
        asked.json.write_text(json.dumps({"strength": asked.strength, "units": figures}, indent=2) + "\n")


def read_units(
    pixels: ImageArray,
    names: Sequence[str],
    strength: float,
    synthesizer: AffectSynthesizer,
    reader: MediaPipeDetector,
) -> list[tuple[str, dict[str, float]]]:
    """How much each score rises from the face at rest to each unit."""
    fit = synthesizer.fit(pixels)
    scene = synthesizer.prepare(pixels, fit)

    def read(units: Mapping[str, float]) -> Mapping[str, float]:
        drawn = synthesizer.synthesize(
            pixels, fit, valence=0, arousal=0, action_units=ActionUnits.of(units), scene=scene
        )
        faces = reader.detect(drawn.image)
        if not faces:
            raise NoFaceError("output")
        return faces[0].blendshapes

    rest = read({})
    found = []
    for name in names:
        scores = read({name: strength})
        found.append((name, {unit: scores[unit] - rest[unit] for unit in scores}))
    return found


def figures_of(name: str, rises: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """Over the pictures; of the unit that the action unit moves most."""
    moved = UNIT_NAMES[name]
    strongest = [unit for unit, weight in moved.items() if weight == max(moved.values())]
    own = [float(np.mean([rise[unit] for unit in strongest])) for rise in rises]
    sided = name[-1] in "LR"
    others = [float(np.mean([rise[mirrored(unit)] for unit in strongest])) for rise in rises]
    return {
        "median": float(np.median(own)),
        "largest": max(own),
        "rises_in": sum(rise > SEEN for rise in own),
        "on_its_side": sum(a > b for a, b in zip(own, others, strict=True)) if sided else None,
    }


if __name__ == "__main__":
    main()
