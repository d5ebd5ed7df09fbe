"""How many crops a judge names as they were asked for, beside what it makes of real pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from synth_affect.affect import Emotion
from synth_affect.arrays import FloatArray
from synth_affect.regressors.class_scores import score_classes


@dataclass(frozen=True, slots=True, eq=False)
class CropReadings:
    """What a judge said of crops.

    categories : that it tells apart.  logits : (n, categories) float32.
    shown : (n,) numbers in `categories`, what a crop is meant to show.  people : (n,) of str, whose it is.
    """

    categories: tuple[Emotion, ...]
    logits: FloatArray
    shown: npt.NDArray[np.int64]
    people: npt.NDArray[Any]

    def scores(self, among: Sequence[Emotion] = ()) -> dict[str, Any]:
        """`ClassScores` of the likeliest category, of all or of those `among`; intervals over people; JSON values."""
        left_out = np.array([bool(among) and category not in among for category in self.categories])
        named: npt.NDArray[np.int64] = np.where(left_out, -np.inf, self.logits).argmax(axis=1)
        names = [str(category) for category in self.categories]
        return score_classes(self.shown, named, names, groups=[str(name) for name in self.people]).described()

    def of(self, category: Emotion) -> CropReadings:
        """Those that are meant to show `category`."""
        own = self.shown == self.categories.index(category)
        return CropReadings(self.categories, self.logits[own], self.shown[own], self.people[own])


def score_crops(edits: CropReadings, real: CropReadings, asked: Sequence[Emotion]) -> dict[str, Any]:
    """As JSON values:

    edits, real : `ClassScores` of edits that were to show `asked`, and of real pictures of these and of neutral.
    edits_among_asked, real_among_asked : where the judge may name only `asked` and neutral.
    left_alone : the share that would be named as asked for if no neutral face had been changed.
    of_each : of each category the share of its `edits`, with an interval; what the others were `taken_for`; and the
        shares of its `real` pictures and of neutral ones, `unedited`, that get its name, None where there are none.
    """
    among = (*asked, Emotion.NEUTRAL)
    of_real = real.scores()
    confusion = np.array(of_real["confusion"], dtype=np.float64)
    shares = confusion / np.where(confusion.sum(axis=1) > 0, confusion.sum(axis=1), np.nan)[:, np.newaxis]
    place = {category: number for number, category in enumerate(real.categories)}
    of_neutral = shares[place[Emotion.NEUTRAL]]
    return {
        "edits": edits.scores(),
        "edits_among_asked": edits.scores(among),
        "real": of_real,
        "real_among_asked": real.scores(among),
        "left_alone": _or_none(np.mean([of_neutral[place[category]] for category in asked])),
        "of_each": {
            str(category): {
                **_of_edits(edits.of(category), category),
                "real": _or_none(shares[place[category], place[category]]),
                "unedited": _or_none(of_neutral[place[category]]),
            }
            for category in asked
        },
    }


def _of_edits(edits: CropReadings, category: Emotion) -> dict[str, Any]:
    scores = edits.scores()
    row = scores["confusion"][edits.categories.index(category)]
    others = {str(own): count / scores["n"] for own, count in zip(edits.categories, row, strict=True)}
    taken = {name: share for name, share in others.items() if share and name != category}
    return {"edits": scores["accuracy"], "taken_for": dict(sorted(taken.items(), key=lambda own: -own[1]))}


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
