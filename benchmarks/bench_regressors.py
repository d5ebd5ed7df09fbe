"""Does a network learn the affect of rendered faces, and nothing where the labels are shuffled? On people apart.

Run: python -m benchmarks.bench_regressors FACES [FACES ...] [--width 8] [--size 64] [--epochs 40] [--shuffled]
FACES are folders of `synth-affect render-faces`. Needs the extra `train`.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from synth_affect.pipelines.evaluate_regressor import scores_text
from synth_affect.pipelines.face_samples import FaceSource, load_all
from synth_affect.pipelines.train_regressor import TrainRequest, divide, held_out_scores
from synth_affect.regressors import NetworkSettings, TrainSettings, build_network, predict, train_network


def main() -> None:
    """Train va-cnn, and print its scores on the people who were held out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("faces", nargs="+", type=Path)
    parser.add_argument("--width", type=int, default=8)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--shuffled", action="store_true")
    asked = parser.parse_args()
    sources = tuple(FaceSource(path) for path in asked.faces)
    network = NetworkSettings("va-cnn", size=asked.size, width=asked.width, batch_norm=True, dropout=0.25)
    settings = TrainSettings(epochs=asked.epochs, batch=24, learning_rate=2e-3)
    parts = divide(load_all(sources, asked.size), [], TrainRequest(sources, network, settings))
    training, validation = parts.training, parts.validation
    if asked.shuffled:
        rng = np.random.default_rng(0)
        training = replace(training, affect=rng.permutation(training.affect))
        validation = replace(validation, affect=rng.permutation(validation.affect))
    start = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        trained = train_network(network, settings, training, validation, Path(folder), device="cpu")
    built = build_network(network)
    built.load_state_dict(trained.state)
    print(f"{len(training)} pictures to learn from, {'shuffled' if asked.shuffled else 'true'} labels, "
          f"{trained.epochs} epochs, {time.process_time() - start:.0f} s of CPU")  # fmt: skip
    print(scores_text(held_out_scores(parts.test, predict(built, network, parts.test), network)))


if __name__ == "__main__":
    main()
