"""Do independent instruments read on rendered faces the category that was rendered?

    python -m benchmarks.bench_rendered_categories DATASET [--json OUT.json]

DATASET is of `synth-affect render-faces`. Runs in the instruments' own environment (benchmarks/instruments/README.md).
Printed: the confusion of the classifier's seven classes over the pictures of a category, its accuracy against chance (a
seventh, and the largest class), and the concordance of valence and arousal over all pictures. Nothing was tuned on it.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

import numpy as np

from benchmarks.instruments.emotion import CLASS_VALENCE_AROUSAL, CLASSES, EmotionReader
from benchmarks.instruments.readings import read_rgb
from synth_affect.pipelines.judges.classes import expected_valence_arousal
from synth_affect.regressors.metrics import concordance

CLASS_OF = {
    "anger": "angry",
    "disgust": "disgust",
    "fear": "fear",
    "happiness": "happy",
    "sadness": "sad",
    "surprise": "surprise",
    "neutral": "neutral",
}
"""Contempt is none of the classifier's."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", type=Path)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    asked = parser.parse_args()
    reader = EmotionReader()
    confusion = np.zeros((len(CLASSES), len(CLASSES)), dtype=int)
    said, read = [], []
    with (asked.dataset / "labels.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            with np.load(asked.dataset / row["geometry"], allow_pickle=False) as arrays:
                points = arrays["landmarks_478"][:, :2].astype(np.float64)
            probabilities = reader.read(read_rgb(asked.dataset / row["picture"]), points)
            said.append((float(row["valence"]), float(row["arousal"])))
            read.append(expected_valence_arousal(probabilities, CLASS_VALENCE_AROUSAL))
            if row["category"] in CLASS_OF:
                confusion[CLASSES.index(CLASS_OF[row["category"]]), int(np.argmax(probabilities))] += 1
    accuracy = np.trace(confusion) / max(confusion.sum(), 1)
    per_class = np.diag(confusion) / np.maximum(confusion.sum(axis=1), 1)
    ccc = [concordance(np.array(said)[:, k], np.array(read)[:, k]) for k in range(2)]
    print("rendered \\ read " + " ".join(f"{name:>9}" for name in CLASSES))
    for name, counts in zip(CLASSES, confusion, strict=True):
        print(f"{name:>15} " + " ".join(f"{count:9d}" for count in counts))
    largest = confusion.sum(axis=1).max() / max(confusion.sum(), 1)
    print(f"accuracy {accuracy:.1%} (chance {1 / len(CLASSES):.1%}, the largest class {largest:.1%}); ", end="")
    print(f"mean over the classes {per_class.mean():.1%}; concordance of valence {ccc[0]:.2f}, of arousal {ccc[1]:.2f}")
    if asked.json:
        figures = {"confusion": confusion.tolist(), "accuracy": float(accuracy), "concordance": [float(c) for c in ccc]}
        asked.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
