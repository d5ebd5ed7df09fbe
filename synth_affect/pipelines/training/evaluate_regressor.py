"""`synth-affect evaluate regressor`: a trained network on labelled faces, and its scores as text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from synth_affect.data.atomic import atomic_write
from synth_affect.errors import InputError
from synth_affect.pipelines.training.face_crops import CROPPINGS
from synth_affect.pipelines.training.face_samples import FaceSource, Progress, load_faces
from synth_affect.pipelines.training.train_regressor import PREDICTIONS, held_out_scores, wanted_by, write_predictions
from synth_affect.regressors.predicting import predict
from synth_affect.regressors.samples import select
from synth_affect.regressors.weight_file import load_network

SCORES = "scores.json"
MEASURES = ("ccc", "pearson", "mse", "rmse", "sagr")


def evaluate_regressor(
    weights: Path,
    source: FaceSource,
    *,
    held_out: bool = False,
    out: Path | None = None,
    device: str = "auto",
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Scores on all labelled faces of `source`, as JSON values.

    held_out : only people whom the network was not trained on, as its card names them.
    out : a folder for scores.json and predictions.csv.
    Raises InputError when weights or data cannot be used.
    """
    from synth_affect.regressors.devices import choose_device

    if out is not None and out.exists() and not out.is_dir():
        raise InputError(out, "is there already, and is no folder")
    stored = load_network(weights)
    loaded = load_faces(
        source, stored.settings.size, wanted=wanted_by(stored.settings), cropping=CROPPINGS[stored.settings.crop],
        progress=progress,
    )  # fmt: skip
    samples = loaded.samples
    data = stored.card.get("data", {})
    if held_out:
        known = np.isin(samples.subjects, data.get("held_out_people", []))
        if not known.any():
            raise InputError(source.path, f"shows nobody of the people that {weights.name} was not trained on")
        samples = select(samples, known)
    steps = int(stored.card.get("training", {}).get("steps", 16))
    found = predict(stored.network.to(choose_device(device)), stored.settings, samples, steps=steps)
    scores = {
        "weights": str(weights),
        "trained_on": data.get("source"),
        "data": str(source.path),
        "people": len(np.unique(samples.subjects)),
        "turned_down": len(loaded.rejected),
        **held_out_scores(samples, found, stored.settings),
    }
    if out is not None:
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(out, f"cannot be made ({error.strerror or error})") from error
        write_predictions(out / PREDICTIONS, samples, found, stored.settings)
        with atomic_write(out / SCORES) as file:
            file.write((json.dumps(scores, indent=2) + "\n").encode())
    return scores


def scores_text(scores: Mapping[str, Any]) -> str:
    """Scores as a table, with the 95 % intervals."""
    if "verification_auc" in scores:
        return f"{scores['n']} pictures of other people: verification AUC {scores['verification_auc']:.3f}"
    if "confusion" in scores:
        return _confusion_text(scores)
    head = f"{scores['n']} pictures of {scores['n_groups']} people; 95 % intervals over people"
    lines = [f"{'':8}" + "".join(f"{name.upper() if name != 'pearson' else 'Pearson':>22}" for name in MEASURES)]
    for dimension in ("valence", "arousal"):
        cells = (_cell(scores[dimension][name]) for name in MEASURES)
        lines.append(f"{dimension:8}" + "".join(f"{cell:>22}" for cell in cells))
    return "\n".join([head, *lines])


def _confusion_text(scores: Mapping[str, Any]) -> str:
    """Accuracy, and below it what (rows) was read as what (columns), in per cent of the row."""
    lines = [
        f"{scores['n']} pictures of {scores['n_groups']} people; 95 % intervals over people",
        f"accuracy {_cell(scores['accuracy'])}, mean recall {_cell(scores['mean_recall'])}",
        f"{'% of it read as':18}" + "".join(f"{name[:9]:>10}" for name in scores["categories"]),
    ]
    for name, row in zip(scores["categories"], scores["confusion"], strict=True):
        lines.append(f"{name:18}" + "".join(f"{100 * count / max(sum(row), 1):>10.0f}" for count in row))
    return "\n".join(lines)


def _cell(score: Mapping[str, float | None]) -> str:
    if score["value"] is None:
        return "undefined"
    if score["low"] is None or score["high"] is None:
        return f"{score['value']:.3f}"
    return f"{score['value']:.3f} [{score['low']:.3f}, {score['high']:.3f}]"
