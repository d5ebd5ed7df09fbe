"""`synth-affect train ...`: a network from labelled faces, tested on people whom it has not seen.

OUT/plan.json             what the run is; a run with another plan needs another folder
OUT/crops/                the faces, cut out (see face_samples)
OUT/last.ckpt, best.ckpt  of the training, for going on; log.csv, a line an epoch; tensorboard/, where asked for
OUT/weights.safetensors   the best epoch's weights, with their card weights.json, which has the scores
OUT/predictions.csv       of the pictures that were held out
"""

from __future__ import annotations

import csv
import io
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import synth_affect
from synth_affect.arrays import FloatArray
from synth_affect.data.atomic import atomic_write
from synth_affect.errors import InputError
from synth_affect.pipelines.training.face_crops import CROPPINGS
from synth_affect.pipelines.training.face_samples import (
    ANY_FACE,
    WITH_AFFECT,
    FaceSource,
    LoadedFaces,
    Progress,
    Wanted,
    load_all,
    load_faces,
    with_category,
)
from synth_affect.pipelines.training.people_choice import PeopleChoice, tested_people, validation_people
from synth_affect.pipelines.training.run_plan import claim_run
from synth_affect.regressors.class_scores import score_classes
from synth_affect.regressors.metrics import score_affect
from synth_affect.regressors.networks import NetworkSettings
from synth_affect.regressors.predicting import class_labels, predict
from synth_affect.regressors.samples import FaceSamples, join, select
from synth_affect.regressors.train_settings import TrainSettings
from synth_affect.regressors.training import train_network
from synth_affect.regressors.verification import verification_auc
from synth_affect.regressors.vgg_face import LICENCE as VGG_FACE_LICENCE
from synth_affect.regressors.vgg_face import VggFace
from synth_affect.regressors.weight_file import load_network, save_network

_AFFECT_COLUMNS = ["valence", "arousal", "predicted_valence", "predicted_arousal"]
WEIGHTS, PREDICTIONS = "weights.safetensors", "predictions.csv"
RENDERED_LICENCE = "trained on renderings of invented people alone; under the licence of the head model"
GATED_LICENCE = "trained on a database whose terms bind what was trained on it, too; not for redistribution"


@dataclass(frozen=True, slots=True)
class TrainRequest:
    """sources : labelled faces, of one kind.  augmented : what `augment` made of them.
    network, settings : what is trained, and how.
    people : who is tested, and who chooses the epoch.  official : the database's own split says who is tested.
    start : converted VGG-Face weights, or None.
    """

    sources: tuple[FaceSource, ...]
    network: NetworkSettings
    settings: TrainSettings
    augmented: tuple[FaceSource, ...] = ()
    people: PeopleChoice = field(default_factory=PeopleChoice)
    official: bool = False
    start: VggFace | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """Three groups of pictures without a person in common."""

    training: FaceSamples
    validation: FaceSamples
    test: FaceSamples


def train_regressor(
    request: TrainRequest,
    out: Path,
    *,
    device: str = "auto",
    devices: int = 1,
    tensorboard: bool = False,
    crops: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Train, test, and write what the module's docstring lists; returns the card of the weights.

    A run that was stopped is gone on with; a finished one is read.  crops : where several runs share theirs.
    Raises InputError for data that no network can be trained on, and when `out` holds another run.
    """
    begun = out.exists()
    try:
        loaded, made = _load(request, out / "crops" if crops is None else crops, progress)
        parts = divide(loaded, made, request)
    except InputError:
        if not begun:  # crops alone, of data that are of no use
            shutil.rmtree(out, ignore_errors=True)
        raise
    digests = [loaded.digest, *(one.digest for one in made)]
    turned_down = len(loaded.rejected) + sum(len(one.rejected) for one in made)
    return train_parts(
        parts, request, out,
        digests=digests, turned_down=turned_down, device=device, devices=devices, tensorboard=tensorboard,
    )  # fmt: skip


def _load(request: TrainRequest, crops: Path, progress: Progress | None) -> tuple[LoadedFaces, list[LoadedFaces]]:
    """The sources, and what was made of them."""
    wanted = wanted_by(request.network)
    kinds = sorted({source.kind for source in request.sources})
    if len(kinds) > 1:
        raise InputError("--data", f"is of several kinds: {', '.join(kinds)}")
    size, cropping = request.network.size, CROPPINGS[request.network.crop]
    loaded = load_all(
        request.sources, size, wanted=wanted, cropping=cropping, cache=crops / "source", progress=progress
    )
    made = [
        load_faces(
            source, size, wanted=wanted, cropping=cropping, cache=crops / f"augmented-{number}", progress=progress
        )
        for number, source in enumerate(request.augmented)
    ]
    return loaded, made


def train_parts(
    parts: Parts,
    request: TrainRequest,
    out: Path,
    *,
    digests: list[str],
    turned_down: int = 0,
    device: str = "auto",
    devices: int = 1,
    tensorboard: bool = False,
) -> dict[str, Any]:
    """Train on people who are divided already, test, and write; returns the card. See `train_regressor`.

    request : its folds are only written down.  digests : of all that `parts` were made of.
    """
    _begin(out, request, digests)
    if (out / WEIGHTS).is_file():
        return dict(load_network(out / WEIGHTS).card)
    trained = train_network(
        request.network,
        request.settings,
        parts.training,
        parts.validation,
        out,
        start=request.start,
        device=device,
        devices=devices,
        tensorboard=tensorboard,
    )
    about = {
        "licence": _licence(request),
        "training": {
            **asdict(request.settings), "epochs_run": trained.epochs, "best_epoch": trained.best_epoch,
            "validation_score": trained.score,
        },
        "data": {
            "source": request.sources[0].kind,
            "paths": [str(source.path) for source in request.sources],
            "augmented": [str(source.path) for source in request.augmented],
            **{
                name: {"pictures": len(part), "people": len(np.unique(part.subjects)), "made": int(part.made.sum())}
                for name, part in (("train", parts.training), ("validation", parts.validation), ("test", parts.test))
            },
            "landmarks": "detected" if request.sources[0].detected else "of the data",
            "turned_down": turned_down,
            "held_out_people": sorted({str(name) for name in parts.test.subjects}),
            "seen_people": sorted({*_names(parts.training), *_names(parts.validation)}),
        },
        "version": synth_affect.__version__,
    }  # fmt: skip
    staged = out / "staged.safetensors"  # the final name says that the run is finished, predictions and all
    save_network(staged, request.network, trained.state, about)
    network = load_network(staged).network
    found = predict(network, request.network, parts.test, steps=request.settings.steps)
    write_predictions(out / PREDICTIONS, parts.test, found, request.network)
    about["test"] = held_out_scores(parts.test, found, request.network)
    card = save_network(out / WEIGHTS, request.network, trained.state, about)
    for path in (staged, staged.with_suffix(".json")):
        path.unlink(missing_ok=True)
    return card


def _names(samples: FaceSamples) -> set[str]:
    """Of its people; a picture of nobody who has a name is its own person, and is met nowhere else."""
    return {str(name) for name in samples.subjects if not str(name).startswith("?")}


def held_out_scores(samples: FaceSamples, found: FloatArray, network: NetworkSettings) -> dict[str, Any]:
    """As JSON values. Intervals are those of people drawn anew."""
    if network.kind == "identity":
        return {"n": len(samples), "verification_auc": verification_auc(found, samples.subjects)}
    groups = [str(name) for name in samples.subjects]
    if network.kind == "classes":
        truth, names = class_labels(samples, network), [str(name) for name in network.categories]
        return score_classes(truth, found.argmax(axis=1), names, groups=groups).described()
    return score_affect(samples.affect, found, groups=groups).described()


def wanted_by(network: NetworkSettings) -> Wanted:
    """Which pictures it can learn from."""
    if network.kind == "classes":
        return with_category(network.categories)
    return ANY_FACE if network.kind == "identity" else WITH_AFFECT


def divide(loaded: LoadedFaces, made: list[LoadedFaces], request: TrainRequest) -> Parts:
    """Test, validation and training people. Of `made`, only pictures of training people are used.

    Raises InputError when there are too few people, or the database has no split that was asked for.
    """
    samples = loaded.samples
    if samples.made.any():
        raise InputError(request.sources[0].path, "augmented pictures are for training, --augmented; test on real ones")
    names = [str(name) for name in samples.subjects]
    if request.official:
        test = _official_test(loaded, request)
        rest, tested = [name for name, is_test in zip(names, test, strict=True) if not is_test], frozenset[str]()
    else:
        rest, tested = names, tested_people(names, request.people)
        test = np.isin(samples.subjects, sorted(tested))
    chosen = validation_people(rest, request.people, request.settings.seed, tested)
    validating = ~test & np.isin(samples.subjects, sorted(chosen))
    training = ~test & ~validating
    if not training.any():
        raise InputError("--data", "nobody is left to be trained on")
    people = np.unique(samples.subjects[training])
    additions = [select(one.samples, np.flatnonzero(np.isin(one.samples.subjects, people))) for one in made]
    if made and not sum(len(part) for part in additions):
        raise InputError("--augmented", "holds no picture of the people to be trained on; are they named alike?")
    return Parts(join([select(samples, training), *additions]), select(samples, validating), select(samples, test))


def _official_test(loaded: LoadedFaces, request: TrainRequest) -> npt.NDArray[np.bool_]:
    for split in ("test", "validation"):
        test: npt.NDArray[np.bool_] = loaded.splits == split
        if test.any():
            return test
    raise InputError(request.sources[0].path, "has no labelled test or validation split")


def write_predictions(path: Path, samples: FaceSamples, found: FloatArray, network: NetworkSettings) -> None:
    """One row a picture, in the samples' order: valence and arousal, or categories. Nothing for an identity network."""
    if network.kind == "identity":
        return
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    classes = network.kind == "classes"
    said = ["category", "predicted_category"] if classes else _AFFECT_COLUMNS
    table.writerow(["key", "subject", "sequence", "frame", *said])
    for i in range(len(samples)):
        named = [samples.keys[i], samples.subjects[i], samples.sequences[i], int(samples.frames[i])]
        if classes:
            table.writerow([*named, samples.categories[i], network.categories[int(found[i].argmax())]])
        else:
            table.writerow([*named, *(f"{x:.6g}" for x in (*samples.affect[i], *found[i]))])
    with atomic_write(path) as file:
        file.write(text.getvalue().encode())


def read_predictions(path: Path) -> tuple[FloatArray, FloatArray, list[str]]:
    """Labels and predictions, (n, 2) float64 each, and the people. Raises InputError for a file that is none."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        truth = np.array([[float(row["valence"]), float(row["arousal"])] for row in rows])
        found = np.array([[float(row["predicted_valence"]), float(row["predicted_arousal"])] for row in rows])
        return truth, found, [row["subject"] for row in rows]
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise InputError(path, f"is no table of predictions ({error})") from error


def _begin(out: Path, request: TrainRequest, digests: list[str]) -> None:
    plan = {
        "data": digests,
        "network": asdict(request.network),
        "training": asdict(request.settings),
        "test": "official" if request.official else asdict(request.people),
        "start": None if request.start is None else request.start.sha256,
    }
    claim_run(out, plan)


def _licence(request: TrainRequest) -> str:
    if request.start is not None:
        return VGG_FACE_LICENCE
    return RENDERED_LICENCE if request.sources[0].kind == "rendered" and not request.augmented else GATED_LICENCE
