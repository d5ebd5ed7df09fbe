"""What judges' readings say of an editor: agreement with what was asked, identity, background, time and memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from synth_affect.affect import Emotion, ValenceArousal, position
from synth_affect.arrays import FloatArray
from synth_affect.pipelines.evaluate_editor.records import InputRecord, PictureRecord
from synth_affect.pipelines.evaluate_editor.targets import TargetChoice, is_strong, key
from synth_affect.pipelines.judges.classes import ceiling_readings
from synth_affect.pipelines.judges.face_heights import READINGS
from synth_affect.pipelines.judges.judge import IdentityCard, JudgeCard
from synth_affect.regressors.class_scores import score_classes
from synth_affect.regressors.metrics import concordance, score_affect

DIMENSIONS = ("valence", "arousal")
EMOTIONS = tuple(str(emotion) for emotion in Emotion)
IDENTITY_BARS = {"distance": (0.2, 0.3, 0.4, 0.5, 0.6), "cosine": (0.9, 0.8, 0.7, 0.6, 0.5)}
"""Likenesses at which affect is reported: an edit that is less alike the input counts as none."""


@dataclass(frozen=True, slots=True, eq=False)
class Edit:
    """One picture of one photograph.

    face : the photograph's name.  path : its file.  output : the picture's.  before : of the photograph.
    """

    face: str
    path: Path
    output: Path
    target: ValenceArousal
    record: PictureRecord
    before: InputRecord


def summarise(
    edits: Sequence[Edit], choice: TargetChoice, judges: Sequence[JudgeCard], identities: Sequence[IdentityCard]
) -> dict[str, Any]:
    """Everything, as JSON values; what is undefined is None."""
    return {
        "n_pictures": len(edits),
        "n_without_face": sum(1 for edit in edits if edit.record.judged is None or not edit.record.judged.found),
        "judges": [
            {**card.described(), "sets": _by_set(edits, choice, card), "classes": _recognised(edits, choice, card)}
            for card in judges
        ],
        "readings": _followed(edits),
        "identity": [_identity(edits, card, judges) for card in identities],
        "background": _background(edits),
        "speed": _speed(edits),
    }


def readings_of(edits: Sequence[Edit], card: JudgeCard) -> tuple[list[Edit], FloatArray, FloatArray, FloatArray]:
    """The edits that the judge has read; and (n, 2) each what was asked, what was read, what it read in the input."""
    name = card.fingerprint
    read = [e for e in edits if e.record.judged is not None and name in e.record.judged.affect]
    read = [e for e in read if name in e.before.judged.affect]
    asked = np.array([(e.target.valence, e.target.arousal) for e in read]).reshape(-1, 2)
    after = np.array([e.record.judged.affect[name][:2] for e in read if e.record.judged is not None]).reshape(-1, 2)
    before = np.array([e.before.judged.affect[name][:2] for e in read]).reshape(-1, 2)
    return read, asked.astype(np.float64), after.astype(np.float64), before.astype(np.float64)


def agreement(
    asked: FloatArray, read: FloatArray, before: FloatArray, faces: Sequence[str], positions: Sequence[Sequence[float]]
) -> dict[str, Any]:
    """Of valence and arousal: CCC, its ceiling on these targets and its share, the CCC of the change against the
    input's own reading, RMSE and SAGR; with bootstrap intervals over faces.

    asked, read, before : (n, 2).  positions : of a judge of classes; empty for one that reads any point.
    """
    scores = score_affect(asked, read, groups=faces).described()
    best = ceiling_readings(asked, positions) if len(positions) else asked
    found: dict[str, Any] = {"n": len(asked), "n_faces": scores["n_groups"]}
    for axis, name in enumerate(DIMENSIONS):
        ceiling = concordance(asked[:, axis], best[:, axis])
        ccc = scores[name]["ccc"]["value"]
        change = concordance(asked[:, axis], read[:, axis] - before[:, axis])
        found[name] = {
            **scores[name],
            "ceiling": _or_none(ceiling),
            "share": None if ccc is None or not ceiling > 0 else ccc / ceiling,
            "ccc_of_change": _or_none(change),
        }
    return found


def _by_set(edits: Sequence[Edit], choice: TargetChoice, card: JudgeCard) -> dict[str, Any]:
    """Set of targets -> all and strong -> agreement; None where the judge read none of them."""
    read, asked, after, before = readings_of(edits, card)
    strong = np.array(is_strong([edit.target for edit in read]), dtype=bool)
    found: dict[str, Any] = {}
    for name in choice.sets:
        members = {key(point) for point in choice.points(name)}
        inside = np.array([key(edit.target) in members for edit in read], dtype=bool)
        found[name] = {}
        for part, rows in (("all", inside), ("strong", inside & strong)):
            faces = [edit.face for edit, taken in zip(read, rows, strict=True) if taken]
            found[name][part] = (
                agreement(asked[rows], after[rows], before[rows], faces, card.positions) if faces else None
            )
    return found


def _recognised(edits: Sequence[Edit], choice: TargetChoice, card: JudgeCard) -> dict[str, Any] | None:
    """How many of the categories that were asked for the judge names; of those that it knows. None where it read none.

    As `ClassScores`, and `left_alone`: the share that it would be if every photograph had been left as it was.
    """
    asked = {
        name: emotion
        for name, emotion in choice.emotions().items()
        if (position(emotion).valence, position(emotion).arousal) in card.positions
    }
    name = card.fingerprint
    rows: list[tuple[str, str, str]] = []  # asked, read, read in the input
    faces: list[str] = []
    for edit in readings_of(edits, card)[0]:
        wanted = asked.get(key(edit.target))
        if wanted is not None and edit.record.judged is not None and edit.record.judged.affect[name][2] in EMOTIONS:
            rows.append((str(wanted), edit.record.judged.affect[name][2], edit.before.judged.affect[name][2]))
            faces.append(edit.face)
    if not rows:
        return None
    known = [emotion for emotion in EMOTIONS if any(emotion in row[:2] for row in rows)]
    numbers = np.array([[known.index(word) for word in row[:2]] for row in rows])
    scores = score_classes(numbers[:, 0], numbers[:, 1], known, groups=faces).described()
    return {**scores, "left_alone": float(np.mean([row[0] == row[2] for row in rows]))}


def _followed(edits: Sequence[Edit]) -> list[dict[str, Any]]:
    """How units and heights follow the dimension that they should follow, each against its own value in the input."""
    seen = [edit for edit in edits if edit.record.judged is not None and edit.record.judged.found]
    rows: list[dict[str, Any]] = []
    for name, (dimension, sign, _) in READINGS.items():
        asked = np.array([getattr(edit.target, dimension) for edit in seen])
        moved = np.array(
            [e.record.judged.heights[name] - e.before.judged.heights[name] for e in seen if e.record.judged is not None]
        )
        high, low = moved[asked >= 0.6], moved[asked <= -0.6]
        rows.append(
            {
                "name": name,
                "follows": dimension,
                "sign": sign,
                "pearson": _pearson(asked, moved),
                "mean_change_high": float(high.mean()) if len(high) else None,
                "mean_change_low": float(low.mean()) if len(low) else None,
            }
        )
    return rows


def _pearson(x: FloatArray, y: FloatArray) -> float | None:
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    return float(np.corrcoef(x, y)[0, 1])


def _identity(edits: Sequence[Edit], card: IdentityCard, judges: Sequence[JudgeCard]) -> dict[str, Any]:
    name = card.fingerprint
    read = [e for e in edits if e.record.judged is not None and name in e.record.judged.identity]
    values = np.array([e.record.judged.identity[name] for e in read if e.record.judged is not None])
    if not len(values):
        return {**card.described(), "n": 0}
    worst = values.max() if card.likeness == "distance" else values.min()
    same = None if card.same_person is None else float(card.passes(values, card.same_person).mean())
    return {
        **card.described(),
        "n": len(values),
        "mean": float(values.mean()),
        "worst": float(worst),
        "share_same_person": same,
        "gain": [{"judge": judge.name, "at": _gain(read, values, judge, card)} for judge in judges],
    }


def _gain(
    edits: Sequence[Edit], likeness: FloatArray, judge: JudgeCard, card: IdentityCard
) -> list[dict[str, float | None]]:
    """How far the judge's reading moved towards the strong targets, 1 for all the way from neutral, where an edit that
    is less alike than the bar counts 0: neither leaving a face alone nor swapping it for another gains anything.
    """
    kept = {id(edit): place for place, edit in enumerate(edits)}
    read, asked, after, before = readings_of(edits, judge)
    strong = np.array(is_strong([edit.target for edit in read]), dtype=bool)
    rows: list[dict[str, float | None]] = []
    alike = likeness[[kept[id(edit)] for edit in read]] if read else np.array([])
    for bar in IDENTITY_BARS[card.likeness]:
        if not strong.any():
            rows.append({"bar": bar, "passing": None, "gain": None})
            continue
        towards = asked[strong]
        moved = np.sum((after[strong] - before[strong]) * towards, axis=1) / np.sum(towards**2, axis=1)
        passing = card.passes(alike[strong], bar)
        rows.append({"bar": bar, "passing": float(passing.mean()), "gain": float((moved * passing).mean())})
    return rows


def _background(edits: Sequence[Edit]) -> dict[str, Any]:
    pairs = [
        (edit.record.background_mean, edit.record.background_share)
        for edit in edits
        if edit.record.background_mean is not None and edit.record.background_share is not None
    ]
    if not pairs:
        return {"n": 0}
    means, shares = np.array(pairs).T
    return {
        "n": len(pairs),
        "mean": float(means.mean()),
        "largest_mean": float(means.max()),
        "pictures_changed": int(np.count_nonzero(shares)),
        "largest_share": float(shares.max()),
    }


def _speed(edits: Sequence[Edit]) -> dict[str, Any]:
    # Of each face together, because an editor may make several pictures at a time and hand them out one by one.
    following: dict[str, list[float]] = {}
    for edit in edits:
        if not edit.record.first:
            following.setdefault(edit.face, []).append(edit.record.seconds)
    first = [edit.record.seconds for edit in edits if edit.record.first]
    memory = [edit.record.peak_rss_mib for edit in edits if edit.record.peak_rss_mib is not None]
    gpu = [edit.record.peak_gpu_mib for edit in edits if edit.record.peak_gpu_mib is not None]
    return {
        "first_picture_s": float(np.median(first)) if first else None,
        "next_picture_s": float(np.median([np.mean(own) for own in following.values()])) if following else None,
        "peak_rss_mib": max(memory, default=None),
        "peak_gpu_mib": max(gpu, default=None),
    }


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None
