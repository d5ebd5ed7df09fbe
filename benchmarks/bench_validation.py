"""What keeps a reading of synthetic faces from the ceiling of the annotators, and what the approximated kernel costs.

The reader here is given the true weights of the 52 units of every twelfth frame, so that neither geometry nor its
principal components can lose anything: what it misses, no face of this generator tells it. Every fifth person is the
test. Linear canonical correlation to 2 dimensions with support vector regression, as `validate cca` has it, stands
beside a forest of random trees, which no projection narrows. Then one cause after the other is taken away: personal
habits (all move alike), and feelings shown as a category or as a mixture of two (the direction alone decides).

The last part solves the same regressions exactly and with the approximated kernel, on the same rows.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from unittest.mock import patch

import numpy as np
from sklearn.ensemble import ExtraTreesRegressor

from benchmarks._timing import arguments, surroundings, use_one_thread
from synth_affect.arrays import BoolArray, FloatArray, IntArray
from synth_affect.blendshape.affect_map import default_map
from synth_affect.blendshape.canonical_correlation import fit_cca
from synth_affect.blendshape.synthetic import sequences
from synth_affect.blendshape.synthetic.annotators import draw_annotators
from synth_affect.blendshape.synthetic.recordings import GalleryRecipe, concordance, labelled, plan, recordings
from synth_affect.blendshape.synthetic.subjects import Habits, draw_habits
from synth_affect.pipelines.gallery.validate import EVERY, EXACT_ROWS, read_affect, regress_affect

LEAF = 20
"""Frames in a leaf, most of which are of one recording."""


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """weights : (n, 52), true : (n, 2), label : (n, 2), person : (n,) of the frames."""

    weights: FloatArray
    true: FloatArray
    label: FloatArray
    person: IntArray

    @property
    def test(self) -> BoolArray:
        """Every fifth person."""
        asked: BoolArray = self.person % 5 == 0
        return asked


def everybody_alike(habits: Habits) -> Habits:
    """Those habits with nothing personal in what the face does."""
    one = np.ones_like(habits.side_gain)
    strength = dict.fromkeys(habits.category_strength, 1.0)
    return replace(
        habits, expressions=default_map(), category_strength=strength, side_gain=one, delay_s=0 * one, stretch=one
    )


def read(recipe: GalleryRecipe, *, alike: bool) -> Read:
    """The recipe's spontaneous recordings, without geometry."""
    annotators = draw_annotators(recipe.seed)
    weights, true, label, person = [], [], [], []
    for subject in range(recipe.n_subjects):
        habits = draw_habits(recipe.seed, subject)
        for recording in recordings(recipe, subject):
            if recording.kind == "posed":
                continue
            planned = plan(everybody_alike(habits) if alike else habits, recipe.seed, recording)
            weights.append(planned.weights[::EVERY])
            true.append(np.stack([planned.valence, planned.arousal], axis=1)[::EVERY])
            label.append(labelled(planned, annotators, recipe.seed, recording)[::EVERY].astype(np.float64))
            person.append(np.full(len(true[-1]), subject))
    return Read(np.concatenate(weights), np.concatenate(true), np.concatenate(label), np.concatenate(person))


@contextlib.contextmanager
def no_categories() -> Iterator[None]:
    """Nothing is felt as a category, nor as a mixture with one."""
    with patch.object(sequences, "FELT_AS_CATEGORY", 0.0), patch.object(sequences, "MIXED", 0.0):
        yield


def by_correlation(data: Read) -> FloatArray:
    """(n_test, 2) the protocol's reading."""
    train, test = np.flatnonzero(~data.test), np.flatnonzero(data.test)
    return read_affect(data.weights, data.label, data.person, train, test, 0)[0]


def by_regression(data: Read, *, exact: bool, most: int) -> FloatArray:
    """(n_test, 2) as the protocol, but `most` training rows for the regression, evenly spread."""
    train = np.flatnonzero(~data.test)
    variates = fit_cca(data.weights[train], data.label[train]).transform(data.weights)
    if most < len(train):
        train = train[np.arange(most) * len(train) // most]
    return np.stack(
        [regress_affect(variates[train], data.label[train, k], variates[data.test], 0, exact=exact) for k in range(2)],
        axis=1,
    )


def by_trees(data: Read) -> FloatArray:
    """(n_test, 2) the reading of a forest."""
    forest = ExtraTreesRegressor(60, min_samples_leaf=LEAF, max_features=0.5, random_state=0)
    forest.fit(data.weights[~data.test], data.label[~data.test])
    predicted: FloatArray = forest.predict(data.weights[data.test])
    return predicted


def main() -> None:
    """Print both tables."""
    parser = arguments(__doc__, repeats=1)
    parser.add_argument("--subjects", type=int, default=180)
    parser.add_argument("--sequences", type=int, default=1580)
    options = parser.parse_args()
    use_one_thread()
    recipe = GalleryRecipe(options.subjects, options.sequences, 0)
    report = []
    print(f"{options.subjects} people, {options.sequences} recordings: CCC valence / arousal (share of the ceiling)")
    for name, alike, categories in (
        ("as the gallery is", False, True),
        ("all move alike", True, True),
        ("the direction alone decides", False, False),
        ("both", True, False),
    ):
        with contextlib.nullcontext() if categories else no_categories():
            data = read(recipe, alike=alike)
        label = data.label[data.test]
        ceiling = concordance(data.true[data.test], label)
        found = {
            "protocol": concordance(by_correlation(data), label),
            "trees": concordance(by_trees(data), label),
        }
        cells = "  ".join(
            f"{reader} {ccc[0]:.3f} / {ccc[1]:.3f} ({ccc[0] / ceiling[0]:.1%} / {ccc[1] / ceiling[1]:.1%})"
            for reader, ccc in found.items()
        )
        print(f"{name:28} ceiling {ceiling[0]:.3f} / {ceiling[1]:.3f}  {cells}", flush=True)
        report.append({"name": name, "ceiling": ceiling.tolist(), **{k: ccc.tolist() for k, ccc in found.items()}})
    data = read(recipe, alike=False)
    label, solved = data.label[data.test], {}
    for exact in (True, False):
        start = time.process_time()
        solved[exact] = by_regression(data, exact=exact, most=EXACT_ROWS)
        spent, ccc = time.process_time() - start, concordance(solved[exact], label)
        name = "exact" if exact else "approximated"
        print(f"{name:13} {EXACT_ROWS} rows: {ccc[0]:.4f} / {ccc[1]:.4f} in {spent:.1f} s of processor", flush=True)
        report.append({"name": name, "rows": EXACT_ROWS, "ccc": ccc.tolist(), "seconds": spent})
    difference = np.sqrt(((solved[True] - solved[False]) ** 2).mean(axis=0))
    print(f"RMS difference of their readings: {difference[0]:.4f} / {difference[1]:.4f}")
    if options.json:
        context = surroundings(["scikit-learn"])
        options.json.write_text(json.dumps({"surroundings": context, "rows": report}, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
