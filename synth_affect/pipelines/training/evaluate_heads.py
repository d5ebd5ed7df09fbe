"""How far does a network carry that was trained on rendered faces of one head model?

It is tested on other people of that head, and on faces of another head, with and without expressions that its training
never saw. Labels that are shuffled among the pictures say what chance is.

OUT/all, OUT/held-out, OUT/shuffled  runs of `train_regressor`, gone on with where they were stopped
OUT/heads.json, .csv, .md            what came out
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from synth_affect.affect import Emotion
from synth_affect.arrays import FloatArray
from synth_affect.errors import InputError
from synth_affect.pipelines.training.face_crops import CROPPINGS
from synth_affect.pipelines.training.face_samples import RENDERED, FaceSource, Progress, load_faces
from synth_affect.pipelines.training.held_out_expressions import digest_of, keys_showing, showing, write_table
from synth_affect.pipelines.training.people_choice import PeopleChoice
from synth_affect.pipelines.training.train_regressor import WEIGHTS, Parts, TrainRequest, divide, train_parts
from synth_affect.regressors.devices import choose_device
from synth_affect.regressors.metrics import score_affect
from synth_affect.regressors.networks import NetworkSettings
from synth_affect.regressors.predicting import predict
from synth_affect.regressors.samples import FaceSamples, select
from synth_affect.regressors.train_settings import TrainSettings
from synth_affect.regressors.weight_file import load_network

RESULTS = "heads"
ALL, HELD_OUT, SHUFFLED = "all", "held-out", "shuffled"


@dataclass(frozen=True, slots=True)
class HeadsRequest:
    """data : rendered faces, for training and test.  other : of another head.  held_out : expressions.
    n_folds : of the people of `data`; those of the first are tested.

    Raises InputError when one of the folders holds no rendered faces, or nothing is held out.
    """

    data: FaceSource
    other: FaceSource
    held_out: tuple[Emotion, ...]
    network: NetworkSettings
    settings: TrainSettings
    n_folds: int = 5

    def __post_init__(self) -> None:
        for option, source in (("--data", self.data), ("--other", self.other)):
            if source.kind != RENDERED:
                raise InputError(option, f"{source.path} holds no rendered faces")
        if not self.held_out:
            raise InputError("--hold-out", "names no expression")


def evaluate_heads(
    request: HeadsRequest, out: Path, *, device: str = "auto", progress: Progress | None = None
) -> dict[str, Any]:
    """Train and test; returns what heads.json holds. A run that was stopped is gone on with."""
    size, cropping = request.network.size, CROPPINGS[request.network.crop]
    loaded = load_faces(request.data, size, cropping=cropping, cache=out / "crops" / "data", progress=progress)
    other = load_faces(request.other, size, cropping=cropping, cache=out / "crops" / "other", progress=progress).samples
    asked = TrainRequest(
        (request.data,), request.network, request.settings, people=PeopleChoice(n_folds=request.n_folds)
    )
    parts = divide(loaded, [], asked)
    keys = keys_showing(request.data.path, request.held_out)
    tests = [
        ("same head", parts.test, showing(parts.test, keys)),
        ("other head", other, showing(other, keys_showing(request.other.path, request.held_out))),
    ]
    rows = []
    for name, own in _variants(parts, keys, request.settings.seed):
        train_parts(own, asked, out / name, digests=[digest_of(own.training, own.validation, own.test)], device=device)
        stored = load_network(out / name / WEIGHTS)
        network = stored.network.to(choose_device(device))
        for head, samples, held in tests:
            found = predict(network, request.network, samples, steps=request.settings.steps)
            for shown, mask in (("all", np.ones_like(held)), ("held out", held), ("others", ~held)):
                rows.append({"training": name, "test": head, "expressions": shown, **_row(samples, found, mask)})
    about = {
        "network": request.network.kind, "width": request.network.width, "size": size,
        "held_out": [str(emotion) for emotion in request.held_out], "seed": request.settings.seed,
        "landmarks": "detected" if request.data.detected else "of the data",
        "data": str(request.data.path), "other": str(request.other.path),
        "people": {name: len(np.unique(part.subjects)) for name, part in (
            ("train", parts.training), ("validation", parts.validation), ("test", parts.test), ("other", other)
        )},
    }  # fmt: skip
    write_table(out / RESULTS, rows, about)
    return {**about, "rows": rows}


def _variants(parts: Parts, keys: frozenset[str], seed: int) -> Iterator[tuple[str, Parts]]:
    """What is trained on, by name: everything, without the expressions `keys`, with labels of other pictures."""
    yield ALL, parts
    less = [select(part, ~showing(part, keys)) for part in (parts.training, parts.validation)]
    yield HELD_OUT, replace(parts, training=less[0], validation=less[1])
    rng = np.random.default_rng(seed)
    mixed = [replace(part, affect=rng.permutation(part.affect)) for part in (parts.training, parts.validation)]
    yield SHUFFLED, replace(parts, training=mixed[0], validation=mixed[1])


def _row(samples: FaceSamples, found: FloatArray, mask: Any) -> dict[str, Any]:
    groups = [str(name) for name in samples.subjects[mask]]
    scores = score_affect(samples.affect[mask], found[mask], groups=groups).described()
    row: dict[str, Any] = {"pictures": scores["n"], "people": scores["n_groups"]}
    for name in ("valence", "arousal"):
        ccc = scores[name]["ccc"]
        row |= {f"{name}_ccc": ccc["value"], f"{name}_ccc_low": ccc["low"], f"{name}_ccc_high": ccc["high"]}
    return row
