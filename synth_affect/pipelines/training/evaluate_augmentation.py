"""Do pictures that `augment` made help, where people are few and some expressions were never seen?

Rendered faces stand in for a database. For each seed a few of its people are drawn, without their pictures of some
expressions, and a network is trained on them twice: with and without what `augment` made of the same people's neutral
pictures. Both see as many pictures in training, counted with repetition. Test people are the same for all seeds.

OUT/neutrals.csv, OUT/made             the neutral pictures, and what `augment` made of them
OUT/seed-0/plain, OUT/seed-0/augmented ...   runs of `train_regressor`
OUT/augmentation.json, .csv, .md       what came out

All of it is gone on with where it was stopped. The same prototypes move rendered faces and those of `augment`: that
labels and expressions go together as they do in the test is given here, and must be asked of real faces.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student

from synth_affect.affect import Emotion
from synth_affect.data.atomic import atomic_write
from synth_affect.data.faces.export.registry import open_export_layout
from synth_affect.data.faces.folds import person_folds
from synth_affect.data.faces.registry import open_face_database
from synth_affect.errors import InputError
from synth_affect.pipelines.augment.run import AugmentJob, augment
from synth_affect.pipelines.augment.targets import DrawnTargets
from synth_affect.pipelines.augment.work import AugmentSettings
from synth_affect.pipelines.training.face_crops import CROPPINGS
from synth_affect.pipelines.training.face_samples import RENDERED, FaceSource, LoadedFaces, Progress, load_faces
from synth_affect.pipelines.training.held_out_expressions import digest_of, keys_showing, showing, write_table
from synth_affect.pipelines.training.train_regressor import (
    PREDICTIONS,
    Parts,
    TrainRequest,
    read_predictions,
    train_parts,
)
from synth_affect.pipelines.workers import LocalEngine
from synth_affect.regressors.metrics import score_affect
from synth_affect.regressors.networks import NetworkSettings
from synth_affect.regressors.samples import FaceSamples, join, select
from synth_affect.regressors.train_settings import TrainSettings

RESULTS = "augmentation"
NEUTRALS, MADE = "neutrals.csv", "made"
PLAIN, AUGMENTED = "plain", "augmented"
DIMENSIONS = ("valence", "arousal")


@dataclass(frozen=True, slots=True)
class AugmentationRequest:
    """data : rendered faces.  held_out : expressions that training does not see.
    people : who are drawn for training; half as many, two at least, choose the epoch.
    per_face : pictures made of each neutral one.  seeds : how often all is drawn anew.
    settings : `made_share` is how many made pictures come on each other one; `epochs` those of the training with them.

    Raises InputError naming the option.
    """

    data: FaceSource
    held_out: tuple[Emotion, ...]
    network: NetworkSettings
    settings: TrainSettings
    people: int = 8
    per_face: int = 40
    seeds: int = 5

    def __post_init__(self) -> None:
        if self.data.kind != RENDERED:
            raise InputError("--data", f"{self.data.path} holds no rendered faces")
        if not self.held_out:
            raise InputError("--hold-out", "names no expression")
        for option, number, most in (
            ("--people", self.people, 1000), ("--per-face", self.per_face, 1000), ("--seeds", self.seeds, 100),
        ):  # fmt: skip
            if not 1 <= number <= most:
                raise InputError(option, f"{number} is not in [1, {most}]")

    @property
    def choosing(self) -> int:
        """People who choose the epoch."""
        return max(self.people // 2, 2)


def evaluate_augmentation(
    request: AugmentationRequest,
    out: Path,
    *,
    workers: int = 1,
    device: str = "auto",
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Make pictures, train and test; returns what augmentation.json holds.

    Raises InputError when there are too few people.
    """
    size, cropping = request.network.size, CROPPINGS[request.network.crop]
    loaded = load_faces(request.data, size, cropping=cropping, cache=out / "crops" / "data", progress=progress)
    test, pool = _divided(loaded, request)
    _make(request, out, loaded, pool, workers)
    made = load_faces(
        FaceSource(out / MADE, detected=request.data.detected), size, cropping=cropping,
        cache=out / "crops" / "made", progress=progress,
    )  # fmt: skip
    keys = keys_showing(request.data.path, request.held_out)
    held = showing(test, keys)
    scores: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for seed in range(request.seeds):
        for variant, parts, settings in _variants(request, seed, loaded.samples, made.samples, test, pool, keys):
            asked = TrainRequest((request.data,), request.network, settings)
            folder = out / f"seed-{seed}" / variant
            digests = [digest_of(parts.training, parts.validation, parts.test)]
            train_parts(parts, asked, folder, digests=digests, device=device)
            truth, found, _ = read_predictions(folder / PREDICTIONS)
            for shown, mask in (("all", np.ones_like(held)), ("held out", held), ("others", ~held)):
                own = score_affect(truth[mask], found[mask], n_bootstrap=0)
                scores.setdefault((shown, variant), []).append((own.valence.ccc.value, own.arousal.ccc.value))
    about = {
        "network": request.network.kind, "width": request.network.width, "size": size,
        "held_out": [str(emotion) for emotion in request.held_out], "seeds": request.seeds,
        "landmarks": "detected" if request.data.detected else "of the data",
        "people": request.people, "pictures_made": len(made.samples), "turned_down": len(made.rejected),
        "test_people": len(np.unique(test.subjects)), "test_pictures": len(test), "held_out_pictures": int(held.sum()),
        "by_seed": [{"expressions": shown, "training": variant, "ccc": values}
                    for (shown, variant), values in scores.items()],
    }  # fmt: skip
    rows = _rows(scores)
    write_table(out / RESULTS, rows, about)
    return {**about, "rows": rows}


def _divided(loaded: LoadedFaces, request: AugmentationRequest) -> tuple[FaceSamples, list[str]]:
    """The pictures of the test people, half of all, and the names of the others."""
    names = [str(name) for name in loaded.samples.subjects]
    tested = person_folds(names, 2).held_out(0)
    pool = sorted(set(names) - tested)
    if len(pool) < request.people + request.choosing:
        needed = request.people + request.choosing
        raise InputError("--people", f"half of the people, {len(pool)}, are for training; {needed} are drawn of them")
    return select(loaded.samples, np.isin(loaded.samples.subjects, sorted(tested))), pool


def _make(request: AugmentationRequest, out: Path, loaded: LoadedFaces, pool: Sequence[str], workers: int) -> None:
    """What `augment` makes of the neutral pictures of `pool`."""
    samples = loaded.samples
    neutral = np.isin(samples.subjects, pool) & (samples.categories == str(Emotion.NEUTRAL))
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["path", "subject", "valence", "arousal"])
    table.writerows(
        [f"{key}.jpg", name, 0, 0] for key, name in zip(samples.keys[neutral], samples.subjects[neutral], strict=True)
    )
    with atomic_write(out / NEUTRALS) as file:
        file.write(text.getvalue().encode())
    database = open_face_database("csv", out / NEUTRALS, {"pictures": str(request.data.path)})
    augment(
        AugmentJob(
            database=database,
            out=out / MADE,
            targets=DrawnTargets(request.per_face),
            layout=open_export_layout("plain", database),
            settings=AugmentSettings(),
        ),
        LocalEngine(workers),
    )


def _variants(
    request: AugmentationRequest,
    seed: int,
    samples: FaceSamples,
    made: FaceSamples,
    test: FaceSamples,
    pool: Sequence[str],
    keys: frozenset[str],
) -> list[tuple[str, Parts, TrainSettings]]:
    drawn = np.random.default_rng(seed).permutation(pool)
    learning, choosing = drawn[: request.people], drawn[request.people : request.people + request.choosing]
    seen = ~showing(samples, keys)
    training = select(samples, seen & np.isin(samples.subjects, learning))
    validation = select(samples, seen & np.isin(samples.subjects, choosing))
    more = select(made, np.isin(made.subjects, learning))
    share = request.settings.made_share
    share = len(more) / len(training) if share is None else share
    settings = replace(request.settings, seed=seed)
    longer = replace(settings, epochs=round(settings.epochs * (1 + share)), made_share=None)
    return [
        (PLAIN, Parts(training, validation, test), longer),
        (AUGMENTED, Parts(join([training, more]), validation, test), settings),
    ]


def _rows(scores: dict[tuple[str, str], list[tuple[float, float]]]) -> list[dict[str, Any]]:
    """Means over the seeds with 95 % intervals (Student's t), and those of the difference seed by seed."""
    rows = []
    for shown in dict.fromkeys(shown for shown, _ in scores):
        plain, augmented = (np.array(scores[shown, variant]) for variant in (PLAIN, AUGMENTED))
        for name, values in ((PLAIN, plain), (AUGMENTED, augmented), ("difference", augmented - plain)):
            row: dict[str, Any] = {"expressions": shown, "training": name}
            for d, dimension in enumerate(DIMENSIONS):
                mean, low, high = _mean(values[:, d])
                row |= {f"{dimension}_ccc": mean, f"{dimension}_ccc_low": low, f"{dimension}_ccc_high": high}
            rows.append(row)
    return rows


def _mean(values: npt.NDArray[np.float64]) -> tuple[float | None, float | None, float | None]:
    if not np.isfinite(values).all():
        return None, None, None
    mean = float(values.mean())
    if len(values) < 2:
        return mean, None, None
    half = float(student.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    return mean, mean - half, mean + half
