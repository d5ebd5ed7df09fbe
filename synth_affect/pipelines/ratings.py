"""What people see in edited pictures: which pictures they are asked about, their answers, and what the answers say.

Answers are a CSV file to which lines are only ever added, each written through to the disk before it is acknowledged. A
line that a crash left half written is passed over. Of several answers of a rater to one picture the last counts.
"""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import json
import math
import os
import random
import threading
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from synth_affect.affect import ValenceArousal
from synth_affect.arrays import FloatArray
from synth_affect.data.picture_encoding import FORMAT_OF_SUFFIX
from synth_affect.data.pictures import read_picture
from synth_affect.data.provenance import sha256_file, sidecar_path
from synth_affect.errors import InputError
from synth_affect.file_lock import lock_file, remove_lock
from synth_affect.fitting.text_file import read_text_file
from synth_affect.regressors.metrics import concordance, score_affect

COLUMNS = (
    *("time", "rater", "picture", "file", "valence", "arousal"),
    *("asked_valence", "asked_arousal", "seconds"),
)
MANIFEST = "manifest.json"
MAX_MANIFEST_BYTES = 1 << 28
MAX_RATER = 60
LEAST_COMMON = 3
"""Pictures that two raters must share for their agreement to be told."""


@dataclass(frozen=True, slots=True)
class RatedPicture:
    """id : opaque to raters; of the file's content.  asked : what the picture was made to show, where that is known."""

    id: str
    path: Path
    asked: ValenceArousal | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What one rater said of one picture. time : ISO 8601, UTC.  seconds : from seeing it to the answer."""

    time: str
    rater: str
    picture: str
    file: str
    valence: float
    arousal: float
    asked_valence: float | None
    asked_arousal: float | None
    seconds: float


def open_study(source: Path) -> tuple[RatedPicture, ...]:
    """The pictures of a folder, or of a manifest: a JSON list of {"output", "valence", "arousal"}.

    A folder that holds manifest.json stands for it. Of other pictures, what was asked is read from their sidecars,
    where they have any; pictures that are the same byte for byte count once.
    Raises InputError when there are none, or the manifest cannot be used.
    """
    if not source.exists():
        raise InputError(source, "no such folder or manifest")
    if source.is_dir() and (source / MANIFEST).is_file():
        source = source / MANIFEST
    found = _of_folder(source) if source.is_dir() else _of_manifest(source)
    pictures: dict[str, RatedPicture] = {}
    for path, asked in found:
        name = sha256_file(path)[:20]
        pictures.setdefault(name, RatedPicture(name, path, asked))
    if not pictures:
        raise InputError(source, "holds no pictures")
    return tuple(pictures.values())


def can_be_shown(picture: RatedPicture) -> InputError | None:
    """Why it cannot be shown to raters; None where it can. It is unpacked for that."""
    try:
        read_picture(picture.path)
    except InputError as error:
        return error
    return None


def order_for(rater: str, pictures: Sequence[RatedPicture], seed: int) -> list[RatedPicture]:
    """The pictures in an order that is this rater's own, and the same each time."""
    digest = hashlib.sha256(f"{seed} {rater}".encode()).digest()
    shuffled = sorted(pictures, key=lambda picture: picture.id)
    random.Random(digest).shuffle(shuffled)
    return shuffled


def check_rater(name: str) -> str:
    """The name, trimmed. Raises InputError for one that is empty, too long, or not printable."""
    trimmed = " ".join(name.split())
    if not trimmed or len(trimmed) > MAX_RATER or not trimmed.isprintable():
        raise InputError("rater", f"a name of 1 to {MAX_RATER} printable characters is needed")
    return trimmed


class AnswerLog:
    """The file of answers, open for adding to it. A context manager; one process has it at a time."""

    def __init__(self, path: Path) -> None:
        """Raises InputError when the file cannot be written, holds something else, or another process has it."""
        if path.is_dir():
            raise InputError(path, "a folder, not a file of answers")
        self._path = path
        self._lock_path = path.with_name(path.name + ".lock")
        self._lock = lock_file(self._lock_path, path)
        self._writing = threading.Lock()
        try:
            self._answers = list(read_answers(path)) if path.exists() and path.stat().st_size else []
            self._file = path.open("a+b")
            if self._file.tell() == 0:
                self._add(COLUMNS)
            else:
                self._file.seek(-1, os.SEEK_END)
                if self._file.read(1) != b"\n":  # a line that was never finished
                    self._file.write(b"\n")
        except OSError as error:
            remove_lock(self._lock_path, self._lock)
            raise InputError(path, f"cannot be written ({error.strerror or error})") from error
        except InputError:
            remove_lock(self._lock_path, self._lock)
            raise

    def of(self, rater: str) -> dict[str, Answer]:
        """Picture -> the rater's last answer."""
        with self._writing:
            return {answer.picture: answer for answer in self._answers if answer.rater == rater}

    def add(self, rater: str, picture: RatedPicture, point: ValenceArousal, seconds: float) -> None:
        """Returns when the answer is on the disk. Raises InputError when it cannot be."""
        answer = Answer(
            time=datetime.now(UTC).isoformat(timespec="seconds"),
            rater=rater,
            picture=picture.id,
            file=picture.path.name,
            valence=round(point.valence, 4),
            arousal=round(point.arousal, 4),
            asked_valence=None if picture.asked is None else picture.asked.valence,
            asked_arousal=None if picture.asked is None else picture.asked.arousal,
            seconds=round(seconds, 2),
        )
        with self._writing:
            try:
                self._add(["" if value is None else value for value in asdict(answer).values()])
            except OSError as error:
                raise InputError(self._path, f"cannot be written ({error.strerror or error})") from error
            self._answers.append(answer)

    def _add(self, cells: Sequence[Any]) -> None:
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow(cells)
        self._file.write(line.getvalue().encode())
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Let others write."""
        self._file.close()
        remove_lock(self._lock_path, self._lock)

    def __enter__(self) -> AnswerLog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_answers(path: Path) -> list[Answer]:
    """All that are whole, in their order. Raises InputError when `path` is no file of answers."""
    try:
        file = path.open(newline="", encoding="utf-8")
    except OSError as error:
        raise InputError(path, f"cannot be read ({error.strerror or error})") from error
    with closing(file):
        try:
            rows = csv.reader(file)
            if tuple(next(rows, ())) != COLUMNS:
                raise InputError(path, f"no file of answers (its first line is not {','.join(COLUMNS)})")
            return [answer for row in rows if (answer := _answer(row)) is not None]
        except (csv.Error, UnicodeDecodeError) as error:
            raise InputError(path, f"no file of answers ({error})") from error


def report_ratings(path: Path) -> dict[str, Any]:
    """Agreement with what was asked, of each rater and pooled, and of raters with each other; JSON values.

    Intervals of the pooled scores draw raters; those of one rater draw pictures. `mean_rater` are the scores of the
    raters' mean, picture by picture.
    Raises InputError for a file without answers.
    """
    last = {(answer.rater, answer.picture): answer for answer in read_answers(path)}
    if not last:
        raise InputError(path, "holds no answers yet")
    raters = sorted({rater for rater, _ in last})
    asked = [answer for answer in last.values() if answer.asked_valence is not None]
    by_picture: dict[str, list[Answer]] = {}
    for answer in asked:
        by_picture.setdefault(answer.picture, []).append(answer)
    shared = [answers for answers in by_picture.values() if len(answers) > 1]
    return {
        "answers": str(path),
        "n_raters": len(raters),
        "n_answers": len(last),
        "n_pictures": len({picture for _, picture in last}),
        "n_pictures_shared": len(shared),
        "seconds_median": float(np.median([answer.seconds for answer in last.values()])),
        "pooled": _scores(asked, by_rater=True),
        "mean_rater": _scores_of_means(shared),
        "raters": [
            {
                "rater": rater,
                "n": sum(1 for name, _ in last if name == rater),
                "scores": _scores([answer for answer in asked if answer.rater == rater], by_rater=False),
            }
            for rater in raters
        ],
        "between_raters": _between(last, raters),
    }


def ratings_text(report: dict[str, Any]) -> str:
    """The report as it is printed."""
    lines = [
        f"{report['n_answers']} answers of {report['n_raters']} raters to {report['n_pictures']} pictures, "
        f"{report['seconds_median']:.1f} s each",
        f"{'':24s}{'n':>6s}   valence CCC            arousal CCC",
    ]
    rows = [("pooled", report["pooled"]), ("mean of the raters", report["mean_rater"])]
    rows += [(entry["rater"], entry["scores"]) for entry in report["raters"]]
    for name, scores in rows:
        if scores is not None:
            said = "   ".join(_interval(scores[axis]["ccc"]) for axis in ("valence", "arousal"))
            lines.append(f"{name[:24]:24s}{scores['n']:>6d}   {said}".rstrip())
    if report["pooled"] is None:
        lines.append("what was asked is not known of these pictures")
    between = report["between_raters"]
    if between["n_pairs"]:
        lines.append(
            f"raters among each other ({between['n_pairs']} pairs): mean CCC {_of(between['valence_ccc'])} (valence), "
            f"{_of(between['arousal_ccc'])} (arousal)"
        )
    return "\n".join(lines)


def _scores(answers: Sequence[Answer], *, by_rater: bool) -> dict[str, Any] | None:
    if not answers:
        return None
    truth = np.array([(answer.asked_valence, answer.asked_arousal) for answer in answers], dtype=np.float64)
    said = np.array([(answer.valence, answer.arousal) for answer in answers])
    return score_affect(truth, said, groups=[answer.rater for answer in answers] if by_rater else None).described()


def _scores_of_means(shared: Sequence[Sequence[Answer]]) -> dict[str, Any] | None:
    """Over the pictures that several have rated."""
    if not shared:
        return None
    truth = np.array([(own[0].asked_valence, own[0].asked_arousal) for own in shared], dtype=np.float64)
    means = np.array([np.mean([(answer.valence, answer.arousal) for answer in own], axis=0) for own in shared])
    return score_affect(truth, means).described()


def _between(last: dict[tuple[str, str], Answer], raters: Sequence[str]) -> dict[str, Any]:
    """Mean over the pairs of raters of the CCC on the pictures that both have rated."""
    points = {place: (answer.valence, answer.arousal) for place, answer in last.items()}
    of_rater = {rater: {picture for name, picture in points if name == rater} for rater in raters}
    found: list[tuple[float, float]] = []
    for one, other in itertools.combinations(raters, 2):
        common = sorted(of_rater[one] & of_rater[other])
        if len(common) < LEAST_COMMON:
            continue
        x: FloatArray = np.array([points[one, picture] for picture in common])
        y: FloatArray = np.array([points[other, picture] for picture in common])
        found.append((concordance(x[:, 0], y[:, 0]), concordance(x[:, 1], y[:, 1])))
    means = [_mean([pair[axis] for pair in found]) for axis in (0, 1)]
    return {"n_pairs": len(found), "valence_ccc": means[0], "arousal_ccc": means[1]}


def _mean(values: Sequence[float]) -> float | None:
    defined = [value for value in values if math.isfinite(value)]
    return float(np.mean(defined)) if defined else None


def _interval(score: dict[str, Any]) -> str:
    between = "" if score["low"] is None else f" ({score['low']:.2f} to {score['high']:.2f})"
    return f"{_of(score['value'])}{between:18s}"


def _of(value: float | None) -> str:
    return "  – " if value is None else f"{value:.2f}"


def _answer(row: Sequence[str]) -> Answer | None:
    if len(row) != len(COLUMNS):
        return None
    try:
        point = ValenceArousal(float(row[4]), float(row[5]))
        asked = [float(cell) if row[6] and row[7] else None for cell in row[6:8]]
        said = (point.valence, point.arousal)
        return Answer(row[0], row[1], row[2], row[3], *said, asked[0], asked[1], float(row[8]))
    except (ValueError, InputError):
        return None


def _of_folder(folder: Path) -> list[tuple[Path, ValenceArousal | None]]:
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in FORMAT_OF_SUFFIX and path.is_file())
    return [(path, _asked_in_sidecar(path)) for path in paths]


def _asked_in_sidecar(path: Path) -> ValenceArousal | None:
    try:
        request = json.loads(sidecar_path(path).read_text("utf-8"))["request"]
        return ValenceArousal(float(request["valence"]), float(request["arousal"]))
    except (OSError, OverflowError, RecursionError, ValueError, KeyError, TypeError, InputError):
        return None  # a picture of anything may lie beside any JSON


def _of_manifest(path: Path) -> list[tuple[Path, ValenceArousal | None]]:
    try:
        entries = json.loads(read_text_file(path, "manifest", MAX_MANIFEST_BYTES))
        return [
            (path.parent / str(entry["output"]), ValenceArousal(float(entry["valence"]), float(entry["arousal"])))
            for entry in entries
        ]
    except InputError as error:
        if error.path == str(path):
            raise
        raise InputError(path, f"asks for what there is not: {error.reason}") from error
    except (OverflowError, RecursionError, ValueError, KeyError, TypeError) as error:
        raise InputError(path, f"no manifest of pictures ({type(error).__name__}: {error})") from error
