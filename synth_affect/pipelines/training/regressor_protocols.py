"""Kollias et al. 2018, regressors with and without augmentation: AFEW-VA (table 2) and Aff-Wild (table 3).

OUT/plain/fold-0 ... and OUT/augmented/fold-0 ... are runs of `train_regressor`; each is gone on with where it was
stopped, and read where it is finished. OUT/protocol.json has what came out beside what was published.

AFEW-VA: five folds of actors, our own, since the paper's are not published; scores over the pooled predictions of all
folds; errors in the database's units, [-10, 10], as published. Aff-Wild: its own test split, or validation split, where
it has labels; else a fifth of the videos. In both, an eighth of the people who are not tested choose the epoch.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from synth_affect.data.atomic import atomic_write
from synth_affect.errors import InputError
from synth_affect.pipelines.training.face_samples import FaceSource, Progress
from synth_affect.pipelines.training.people_choice import PeopleChoice
from synth_affect.pipelines.training.train_regressor import PREDICTIONS, TrainRequest, read_predictions, train_regressor
from synth_affect.regressors.metrics import score_affect

ProtocolName = Literal["afew-va", "aff-wild"]
RESULTS = "protocol.json"
PLAIN, AUGMENTED = "plain", "augmented"


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """Of a table: valence, arousal. correlation : Pearson (table 2) or CCC (table 3).  mse : in the table's units."""

    name: str
    correlation: tuple[float, float]
    mse: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Protocol:
    """measure : what the table's first columns are.  folds : 1 where the database's split is used.
    unit : of the labels in which the table's errors are, for ours that are in [-1, 1].
    """

    table: str
    measure: Literal["pearson", "ccc"]
    folds: int
    unit: float
    published: tuple[PublishedRow, ...]


PROTOCOLS: Mapping[ProtocolName, Protocol] = MappingProxyType(
    {
        "afew-va": Protocol(
            "table 2",
            "pearson",
            5,
            10.0,
            (
                PublishedRow("best before (published)", (0.407, 0.45), (6.96, 4.97)),
                PublishedRow("with augmentation (published)", (0.542, 0.589), (4.75, 2.74)),
            ),
        ),
        "aff-wild": Protocol(
            "table 3",
            "ccc",
            1,
            1.0,
            (
                PublishedRow("FATAUVA-Net (published)", (0.396, 0.282), (0.123, 0.095)),
                PublishedRow("CNN-RNN, plain (published)", (0.570, 0.430), (0.080, 0.060)),
                PublishedRow("with augmentation (published)", (0.591, 0.442), (0.074, 0.051)),
            ),
        ),
    }
)


def run_protocol(
    name: ProtocolName, request: TrainRequest, out: Path, *, device: str = "auto", progress: Progress | None = None
) -> dict[str, Any]:
    """Train and test all that the table asks for; returns what protocol.json holds.

    request : the database as its one source, and what `augment` made of it; folds are the protocol's.
    Raises InputError when the source is another database.
    """
    protocol = PROTOCOLS[name]
    for source in request.sources:
        if source.kind != name:
            raise InputError("--data", f"is {source.kind}; the protocol is that of {name}")
    rows = {}
    for variant in (PLAIN, AUGMENTED) if request.augmented else (PLAIN,):
        augmented = request.augmented if variant == AUGMENTED else ()
        folders = [out / variant / f"fold-{fold}" for fold in range(protocol.folds)]
        for fold, folder in enumerate(folders):
            own = replace(
                request,
                augmented=augmented,
                people=PeopleChoice(n_folds=max(protocol.folds, 5), fold=fold),
                official=protocol.folds == 1 and has_official_split(request.sources[0]),
            )
            train_regressor(own, folder, device=device, crops=out / "crops", progress=progress)
        rows[variant] = _pooled(folders)
    found = {
        "protocol": name,
        "table": protocol.table,
        "network": request.network.kind,
        "width": request.network.width,
        "seed": request.settings.seed,
        "ours": rows,
        "published": [{"name": r.name, protocol.measure: r.correlation, "mse": r.mse} for r in protocol.published],
    }
    with atomic_write(out / RESULTS) as file:
        file.write((json.dumps(found, indent=2) + "\n").encode())
    return found


def has_official_split(source: FaceSource) -> bool:
    """Whether labelled pictures of a test or validation split are there; nothing of them is read but the labels."""
    from synth_affect.data.faces.record import FaceRecord
    from synth_affect.data.faces.registry import open_face_database

    records = open_face_database(source.kind, source.path, source.settings).records()
    return any(isinstance(r, FaceRecord) and r.has_affect and r.split in ("test", "validation") for r in records)


def _pooled(folders: Sequence[Path]) -> dict[str, Any]:
    """Scores over all folds' predictions, and each fold's own mean CCC."""
    parts = [read_predictions(folder / PREDICTIONS) for folder in folders]
    truth, found = (np.concatenate([part[side] for part in parts]) for side in (0, 1))
    people = [name for part in parts for name in part[2]]
    each = [score_affect(t, f, n_bootstrap=0).mean_ccc for t, f, _ in parts]
    return {
        **score_affect(truth, found, groups=people).described(),
        "mean_ccc_of_folds": [None if np.isnan(value) else value for value in each],
    }


def protocol_text(found: Mapping[str, Any]) -> str:
    """The table: published rows, and ours below them, errors in the table's units; then all our scores."""
    from synth_affect.pipelines.training.evaluate_regressor import scores_text

    protocol = PROTOCOLS[found["protocol"]]
    title = "Pearson" if protocol.measure == "pearson" else "CCC"
    lines = [f"{found['protocol']}, {protocol.table}", f"{'':32}{title + ' V / A':>16}{'MSE V / A':>18}"]
    for row in protocol.published:
        lines.append(_line(row.name, row.correlation, row.mse))
    for variant, scores in found["ours"].items():
        values = [scores[d][protocol.measure]["value"] for d in ("valence", "arousal")]
        errors = [scores[d]["mse"]["value"] * protocol.unit**2 for d in ("valence", "arousal")]
        name = f"{found['network']}, width {found['width']}, {variant} (ours)"
        lines.append(_line(name, [float("nan") if value is None else value for value in values], errors))
    for variant, scores in found["ours"].items():
        lines += ["", f"{variant}, labels in [-1, 1]", scores_text(scores)]
    return "\n".join(lines)


def _line(name: str, correlation: Sequence[float], mse: Sequence[float]) -> str:
    digits = 2 if max(mse) >= 1 else 3
    both = f"{mse[0]:.{digits}f} / {mse[1]:.{digits}f}"
    return f"{name:32}{f'{correlation[0]:.3f} / {correlation[1]:.3f}':>16}{both:>18}"
