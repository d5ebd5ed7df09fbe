"""Do geometry and affect belong together? Section 4.1 and table 1 of Kollias et al. 2018, on any gallery.

Principal components of posed apex frames; spontaneous annotated frames projected on them; canonical correlation of the
projection with valence and arousal, to 2 dimensions; support vector regression with an RBF kernel from those to each of
the two; concordance (CCC, population moments) and mean squared error on people who were not seen in training.

Silent in the paper, and chosen here: the regression's C 1, epsilon 0.05, gamma 1/2 (its inputs have variance 1), of
which other values change little. The correlation has a ridge, chosen by leaving out training people: without one each
component more is one more number to fit to recordings of which there are few. The components come from the posed
frames of everybody, as in the paper; they see no label. Neighbouring frames at 60 a second are nearly equal and say
nothing more, so that every 12th of a sequence is taken.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import t as student

from synth_affect.arrays import FloatArray, IntArray
from synth_affect.blendshape.canonical_correlation import choose_ridge, fit_cca
from synth_affect.blendshape.expression_pca import fit_pca
from synth_affect.blendshape.gallery.frames import FrameTable, annotated, subject_folds
from synth_affect.blendshape.gallery.store import open_gallery
from synth_affect.blendshape.synthetic.recordings import AnnotationCeiling, annotation_ceiling, concordance
from synth_affect.data.atomic import atomic_write, check_writable
from synth_affect.errors import InputError
from synth_affect.optional import import_optional
from synth_affect.pipelines.gallery.synthesize import read_recipe, recipe_path

DEFAULT_COMPONENTS = (84, 150, 200, 300, 500)
EVERY = 12
"""Of each sequence, the first frame and each so many after it; 5 a second at 60."""
MOST_POSED = 12_000
"""Apex frames for the principal components, evenly spread: as many as the paper has."""
EXACT_ROWS = 8_000
"""Training frames up to which the regression is solved exactly; its cost grows with their square."""
MOST_ROWS = 100_000
"""Training frames beyond which an even selection of so many is taken."""
GROUPS = 4
"""Of training people, each of which is left out once to choose the ridge."""
LANDMARKS = 100
"""Of the Nystroem approximation of the kernel, above EXACT_ROWS."""
SUPPORT_VECTORS = {"C": 1.0, "epsilon": 0.05}
GAMMA = 0.5
CONFIDENCE = 0.95
NAMES = ("ccc_valence", "ccc_arousal", "mse_valence", "mse_arousal")
SYNTHETIC = (
    "This gallery is synthetic: its faces were made from its labels, so the table shows that the analysis finds a "
    "relation that was put in, and nothing about real people."
)

Progress = Callable[[Iterable[int], int], Iterable[int]]


@dataclass(frozen=True, slots=True, eq=False)
class CcaRow:
    """Results at one count of components.

    folds : (n_folds, 4) float64, the four NAMES on each fold's test people.  explained : share of the posed variance.
    ridges : (n_folds,) float64, the ridge that each fold's training people chose.
    """

    components: int
    folds: FloatArray
    explained: float
    ridges: FloatArray


def validate_cca(
    path: Path,
    components: Sequence[int] = DEFAULT_COMPONENTS,
    *,
    folds: int = 5,
    every: int = EVERY,
    seed: int = 0,
    out: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Table 1 of the gallery at `path`; values for JSON.

    components : counts of principal components.  folds : subject splits; each person is tested once.
    every : of each sequence, this many frames are one; 1 takes all.
    out : folder that gets cca.csv, cca.json and cca.png; made where it is missing.
    Raises InputError for a gallery without posed apex frames or annotated spontaneous ones, with fewer people than
    folds, with constant labels, or with fewer apex frames than components.
    """
    import_optional("sklearn", "gallery")
    counts = sorted(set(components))
    if not counts or counts[0] < 2:
        raise InputError("--components", "counts of at least 2 are needed")
    if every < 1:
        raise InputError("--every", f"{every} is not 1 or more")
    if out is not None:
        _check_folder(out)
    gallery = open_gallery(path)
    posed, spontaneous = _rows(gallery.frames, every, path)
    if len(np.unique(gallery.frames.subject[spontaneous])) < folds:
        n_people = len(np.unique(gallery.frames.subject[spontaneous]))
        raise InputError(path, f"{n_people} annotated people; {folds} folds need as many at least")
    labels = np.stack([gallery.frames.valence, gallery.frames.arousal], axis=1)[spontaneous].astype(np.float64)
    for name, column in zip(("valence", "arousal"), labels.T, strict=True):
        if np.ptp(column) == 0:
            raise InputError(path, f"{name} is constant over its annotated frames")
    pca = fit_pca(lambda: gallery.blocks(posed), gallery.n_vertices, counts[-1])
    projected = np.concatenate([pca.project(block) for _, block in gallery.blocks(spontaneous)])
    people = gallery.frames.subject[spontaneous]
    splits = list(subject_folds(_select(gallery.frames, spontaneous), folds, np.random.default_rng(seed)))
    rows = []
    for count in counts if progress is None else progress(counts, len(counts)):
        found, ridges = [], []
        for train, test in splits:
            predicted, ridge = read_affect(projected[:, :count], labels, people, train, test, seed)
            error = ((predicted - labels[test]) ** 2).mean(axis=0)
            found.append(np.concatenate([concordance(predicted, labels[test]), error]))
            ridges.append(ridge)
        explained = float(pca.variances[:count].sum()) / pca.total_variance
        rows.append(CcaRow(count, np.array(found), explained, np.array(ridges)))
    ceiling = annotation_ceiling(read_recipe(path)) if recipe_path(path).exists() else None
    summary = _summary(path, rows, ceiling, seed, every, len(posed), len(spontaneous))
    if out is not None:
        _write(out, summary)
    return summary


def read_affect(
    values: FloatArray, labels: FloatArray, people: IntArray, train: IntArray, test: IntArray, seed: int
) -> tuple[FloatArray, float]:
    """(n_test, 2) float64, the labels of the `test` rows as the protocol reads them; and the ridge that it chose.

    values : (n, d), of which the correlation takes 2 directions.  labels : (n, 2).  people : (n,) a number a person.
    """
    groups = np.unique(people[train], return_inverse=True)[1] % GROUPS
    ridge = choose_ridge(values[train], labels[train], groups)
    cca = fit_cca(values[train], labels[train], ridge=ridge)
    known, asked = cca.transform(values[train]), cca.transform(values[test])
    read = [regress_affect(known, labels[train, k], asked, seed) for k in range(labels.shape[1])]
    return np.stack(read, axis=1), ridge


def regress_affect(
    train: FloatArray, labels: FloatArray, test: FloatArray, seed: int, *, exact: bool | None = None
) -> FloatArray:
    """(n_test,) float64: one label of the `test` rows by RBF support vector regression from the `train` rows.

    exact : solved as it stands, else with the kernel approximated; None leaves it to the count of rows.
    """
    from sklearn.kernel_approximation import Nystroem
    from sklearn.svm import SVR, LinearSVR

    if len(train) > MOST_ROWS:
        chosen = np.arange(MOST_ROWS) * len(train) // MOST_ROWS
        train, labels = train[chosen], labels[chosen]
    if len(train) <= EXACT_ROWS if exact is None else exact:
        predicted: FloatArray = SVR(gamma=GAMMA, **SUPPORT_VECTORS).fit(train, labels).predict(test)
        return predicted
    kernel = Nystroem(gamma=GAMMA, n_components=min(LANDMARKS, len(train)), random_state=seed)
    # The exact solver's loss; the squared one needs no iterations by frame, but reads nearer to the mean.
    machine = LinearSVR(dual=True, tol=1e-3, max_iter=10_000, random_state=seed, **SUPPORT_VECTORS)
    machine.fit(kernel.fit_transform(train), labels)
    predicted = machine.predict(kernel.transform(test))
    return predicted


def _rows(frames: FrameTable, every: int, path: Path) -> tuple[IntArray, IntArray]:
    """Posed apex frames, and annotated spontaneous ones."""
    taken = _place_in_sequence(frames) % every == 0
    posed = np.flatnonzero(frames.posed & frames.apex & taken)
    spontaneous = np.flatnonzero(~frames.posed & annotated(frames) & taken)
    if not len(posed):
        raise InputError(path, "has no posed apex frames, from which the components come")
    if not len(spontaneous):
        raise InputError(path, "has no spontaneous frames with valence and arousal")
    if len(posed) > MOST_POSED:
        posed = posed[np.arange(MOST_POSED) * len(posed) // MOST_POSED]
    return posed, spontaneous


def _place_in_sequence(frames: FrameTable) -> IntArray:
    """(n_frames,) how many frames of the same sequence come before each."""
    order = np.argsort(frames.sequence, kind="stable")
    starts = np.searchsorted(frames.sequence[order], frames.sequence[order])
    places = np.empty(len(frames), dtype=np.int64)
    places[order] = np.arange(len(frames)) - starts
    return places


def _select(frames: FrameTable, rows: IntArray) -> FrameTable:
    columns: dict[str, Any] = {}
    for field in fields(frames):
        column = getattr(frames, field.name)
        if isinstance(column, np.ndarray):  # the others are names
            columns[field.name] = column[rows]
    return replace(frames, **columns)


def _interval(folds: FloatArray) -> list[float]:
    """Half the width of Student's confidence interval of the mean. Folds share training people: it is approximate."""
    n = len(folds)
    factor = float(student.ppf((1 + CONFIDENCE) / 2, n - 1))
    half: list[float] = (factor * folds.std(axis=0, ddof=1) / np.sqrt(n)).tolist()
    return half


def _summary(
    path: Path,
    rows: Sequence[CcaRow],
    ceiling: AnnotationCeiling | None,
    seed: int,
    every: int,
    n_posed: int,
    n_spontaneous: int,
) -> dict[str, Any]:
    best = max(rows, key=lambda row: float(row.folds[:, :2].mean()))
    table = []
    for row in rows:
        line: dict[str, Any] = {
            "components": row.components,
            "explained": row.explained,
            "ridge": float(np.median(row.ridges)),
        }
        half = _interval(row.folds)
        for name, mean, width in zip(NAMES, row.folds.mean(axis=0).tolist(), half, strict=True):
            line |= {name: mean, f"{name}_ci": width}
        table.append(line)
    return {
        "gallery": str(path),
        "folds": len(rows[0].folds),
        "seed": seed,
        "every": every,
        "confidence": CONFIDENCE,
        "posed_apex_frames": n_posed,
        "spontaneous_frames": n_spontaneous,
        "rows": table,
        "best_components": best.components,
        "share_of_ceiling": None if ceiling is None else _share_of_ceiling(best, ceiling),
        "annotation_ceiling": None if ceiling is None else asdict(ceiling),
        "note": None if ceiling is None else SYNTHETIC,
    }


def _share_of_ceiling(row: CcaRow, ceiling: AnnotationCeiling) -> dict[str, float]:
    valence, arousal = row.folds[:, :2].mean(axis=0).tolist()
    return {"ccc_valence": valence / ceiling.ccc_valence, "ccc_arousal": arousal / ceiling.ccc_arousal}


def cca_text(summary: dict[str, Any]) -> str:
    """The table as it is printed."""
    heads = ("CCC V", "CCC A", "MSE V", "MSE A")
    lines = ["components  " + "".join(f"{head:>16}" for head in heads)]
    for row in summary["rows"]:
        cells = "".join(f"{row[name]:>9.3f} ±{row[f'{name}_ci']:5.3f}" for name in NAMES)
        best = "  best" if row["components"] == summary["best_components"] else ""
        lines.append(f"{row['components']:>10}  {cells}{best}")
    if summary["annotation_ceiling"] is not None:
        cells = "".join(f"{summary['annotation_ceiling'][name]:>9.3f}       " for name in NAMES)
        lines.append(f"{'ceiling':>10}  {cells}".rstrip())
        share = summary["share_of_ceiling"]
        lines.append(
            f"At best {share['ccc_valence']:.1%} (valence) and {share['ccc_arousal']:.1%} (arousal) of the concordance "
            "of these annotators' labels with what was felt."
        )
        lines.append(summary["note"])
    return "\n".join(lines)


def _check_folder(out: Path) -> None:
    if not out.exists():
        existing = next(folder for folder in out.absolute().parents if folder.exists())
        if not existing.is_dir() or not os.access(existing, os.W_OK):
            raise InputError(out, f"cannot be made in {existing}")
        return
    for ending in ("csv", "json", "png"):
        check_writable(out / f"cca.{ending}")


def _write(out: Path, summary: dict[str, Any]) -> None:
    from synth_affect.pipelines.gallery.validation_figure import draw_cca

    out.mkdir(parents=True, exist_ok=True)

    table = io.StringIO()
    writer = csv.DictWriter(table, list(summary["rows"][0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(summary["rows"])
    picture = io.BytesIO()
    draw_cca(summary).save(picture, format="PNG", dpi=(300, 300))
    for ending, content in (
        ("csv", table.getvalue().encode()),
        ("json", (json.dumps(summary, indent=2) + "\n").encode()),
        ("png", picture.getvalue()),
    ):
        with atomic_write(out / f"cca.{ending}") as file:
            file.write(content)
