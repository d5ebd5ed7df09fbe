"""A gallery from labelled pictures: each is fitted, its expression kept and its person left out.

A displacement is units x (weights of the picture - weights of its person at rest) on the face template. The pictures
of a person are fitted together; the results are lines of `<gallery>.pictures.jsonl`, so a run that was stopped goes on
from there, and at the end the lines say, in the order of the table, what became of each picture.
"""

from __future__ import annotations

import json
import math
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from synth_affect.arrays import readonly
from synth_affect.blendshape.gallery.frames import GallerySequence
from synth_affect.blendshape.gallery.writer import append_sequences, create_gallery
from synth_affect.blendshape.template import face_template, face_vertices
from synth_affect.data.atomic import atomic_write, check_writable
from synth_affect.data.faces.record import FaceRecord
from synth_affect.errors import InputError
from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.model import HeadModel
from synth_affect.pipelines.gallery.picture_expression import (
    PictureExpression,
    digest_of,
    expressive_units,
    open_reader,
)
from synth_affect.pipelines.workers import LocalEngine, WorkerDiedError, in_order

SESSION = "pictures"
"""A picture is a recording of one frame; its name is its sequence."""
UNKNOWN_SUBJECT = "unknown-{}"
NO_LABEL = "has no valence and arousal in [-1, 1]"
FORMAT = "synth-affect/pictures/1"
FIGURES = ("yaw_deg", "pitch_deg", "residual_iod")

Progress = Callable[[Iterable[PictureExpression], int], Iterable[PictureExpression]]
"""Passes on what it is given; the count is how many there will be."""


@dataclass(frozen=True, slots=True)
class PictureGallery:
    """What was made. report : one line a picture.  subjects, own_rest : people whose names are known, and how many
    of them have pictures that show their face at rest.  reasons : of those not used, with their number.
    """

    gallery: Path
    report: Path
    pictures: int
    accepted: int
    subjects: int
    own_rest: int
    reasons: dict[str, int]


@dataclass(frozen=True, slots=True, eq=False)
class _Line:
    """Of the report. label : subject, valence, arousal."""

    label: list[Any]
    expression: PictureExpression


def gallery_from_images(
    pictures: Sequence[FaceRecord],
    gallery: Path,
    *,
    workers: int = 1,
    progress: Progress = lambda items, count: items,
) -> PictureGallery:
    """Make the gallery `gallery` of the expressions in `pictures`, in their order; its bytes depend on them alone.

    workers : processes that fit.
    A picture without label or face, turned too far or fitted badly is listed in the report and left out.
    Raises InputError when there is something at `gallery`, or no picture could be used.
    """
    engine = LocalEngine(workers)
    if gallery.exists():
        raise InputError(gallery, "is there already")
    report = gallery.with_name(gallery.name + ".pictures.jsonl")
    check_writable(report, [picture.path for picture in pictures])
    head = load_cc0()
    known = _read_report(report, head)
    expressions = _expressions(pictures, known, report, head, engine, progress)
    accepted = [not expression.reason for expression in expressions]
    _write_report(report, head, zip(pictures, expressions, strict=True))
    if not any(accepted):
        raise InputError(gallery, f"is not made: no picture could be used, see {report}")
    partial = gallery.with_name(f".{gallery.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        create_gallery(partial, face_template(head))
        append_sequences(partial, _sequences(head, pictures, expressions))
        partial.rename(gallery)
    except OSError as error:
        raise InputError(gallery, f"cannot be written ({error.strerror or error})") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return PictureGallery(
        gallery=gallery,
        report=report,
        pictures=len(pictures),
        accepted=sum(accepted),
        subjects=len({p.subject for p, ok in zip(pictures, accepted, strict=True) if ok and p.subject}),
        own_rest=len({p.subject for p, e in zip(pictures, expressions, strict=True) if e.own_rest}),
        reasons=dict(Counter(expression.reason for expression in expressions if expression.reason)),
    )


def _expressions(
    pictures: Sequence[FaceRecord],
    known: dict[str, _Line],
    report: Path,
    head: HeadModel,
    engine: LocalEngine,
    progress: Progress,
) -> list[PictureExpression]:
    """Of each picture; people who are not known yet are fitted, and written down at once."""
    people = _people(pictures)
    digest = lru_cache(maxsize=1)(digest_of)  # the frames of a video stand together
    done = {
        picture.key: known[picture.key].expression
        for person in people
        if all(_still_holds(picture, known, digest) for picture in person)
        for picture in person
    }
    open_ = [person for person in people if person[0].key not in done]
    if open_:
        with report.open("ab") as journal:
            if not journal.tell():
                _append(journal, _header(head), report)
            n_open = sum(len(person) for person in open_)
            fitted = progress(_fit_all(open_, engine), n_open)
            in_order = (picture for person in open_ for picture in person)
            for picture, expression in zip(in_order, fitted, strict=True):
                _append(journal, _line(picture, expression), report)
                done[picture.key] = expression
    return [done.get(picture.key, PictureExpression("", NO_LABEL)) for picture in pictures]


def _people(pictures: Sequence[FaceRecord]) -> list[list[FaceRecord]]:
    """The labelled pictures of each person, in the order of their first; one of nobody known stands alone."""
    people: dict[tuple[str, int], list[FaceRecord]] = {}
    for number, picture in enumerate(pictures):
        if picture.has_affect:
            key = (picture.subject, 0) if picture.subject else ("", number)
            people.setdefault(key, []).append(picture)
    return list(people.values())


def _still_holds(picture: FaceRecord, known: dict[str, _Line], digest: Callable[[Path], str]) -> bool:
    line = known.get(picture.key)
    return line is not None and line.label == _label(picture) and line.expression.sha256 == digest(picture.path)


def _label(picture: FaceRecord) -> list[Any]:
    """What the expression depends on beside the picture itself."""
    return [picture.subject, picture.valence, picture.arousal]


def _append(journal: BinaryIO, line: bytes, report: Path) -> None:
    try:
        journal.write(line)
        journal.flush()
    except OSError as error:
        raise InputError(report, f"cannot be written ({error.strerror or error})") from error


def _fit_all(people: Sequence[list[FaceRecord]], engine: LocalEngine) -> Iterator[PictureExpression]:
    """Of all their pictures, in order. A few people a worker are under way at a time, so that a stop loses little."""
    try:
        for person in in_order(engine.outcomes(_PeopleReader, enumerate(people))):
            yield from person
    except WorkerDiedError as error:
        raise InputError("--workers", f"{error}; what it had done is kept, run the command again") from None


class _PeopleReader:
    """Reads the expressions of numbered people; keeps the detector."""

    def __init__(self) -> None:
        self._reader = open_reader(load_cc0())

    def close(self) -> None:
        """Free the detector."""
        self._reader.close()

    def __call__(self, task: tuple[int, list[FaceRecord]]) -> tuple[int, list[PictureExpression]]:
        number, person = task
        return number, self._reader(person)


def _sequences(
    head: HeadModel,
    pictures: Sequence[FaceRecord],
    expressions: Sequence[PictureExpression],
) -> Iterator[GallerySequence]:
    vertices = face_vertices(head)
    units = head.expression_units[:, vertices] * expressive_units(head.unit_names)[:, None, None]
    flat = units.reshape(len(units), -1).astype(np.float64)
    for number, (picture, expression) in enumerate(zip(pictures, expressions, strict=True), start=1):
        if expression.reason:
            continue
        weights = np.asarray(expression.weights, dtype=np.float64)
        yield GallerySequence(
            subject=picture.subject or UNKNOWN_SUBJECT.format(number),
            session=SESSION,
            sequence=picture.key,
            posed=False,
            category=picture.category,
            offsets=(weights @ flat).reshape(1, -1, 3).astype(np.float16),
            frame=np.zeros(1, np.int32),
            valence=np.array([picture.valence], np.float32),
            arousal=np.array([picture.arousal], np.float32),
            apex=np.zeros(1, np.bool_),
        )


def _header(head: HeadModel) -> bytes:
    return json.dumps({"format": FORMAT, "head": head.name, "units": head.unit_names}).encode() + b"\n"


def _line(picture: FaceRecord, expression: PictureExpression) -> bytes:
    label = [None if isinstance(value, float) and math.isnan(value) else value for value in _label(picture)]
    fields: dict[str, Any] = {"picture": picture.key, "label": label, "reason": expression.reason}
    fields |= {"sha256": expression.sha256, "own_rest": expression.own_rest}
    for figure in FIGURES:
        value = getattr(expression, figure)
        fields[figure] = None if math.isnan(value) else value
    weights = expression.weights
    fields["weights"] = None if weights is None else [round(float(weight), 5) for weight in weights]
    return json.dumps(fields).encode() + b"\n"


def _read_report(report: Path, head: HeadModel) -> dict[str, _Line]:
    """What an earlier run wrote down, by the name of the picture; a line that was cut short counts for nothing.

    Raises InputError when the file is something else, or of another head.
    """
    try:
        content = report.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise InputError(report, f"cannot be read ({error.strerror})") from error
    lines = content.split(b"\n")[:-1]
    if not lines and not content:
        return {}
    if not lines or lines[0] + b"\n" != _header(head):
        raise InputError(report, "is not the report of an earlier run with this head; move it away")
    found = {}
    for number, line in enumerate(lines[1:], start=2):
        try:
            fields = json.loads(line)
            name, label = fields.pop("picture"), fields.pop("label")
            for figure in FIGURES:
                fields[figure] = math.nan if fields[figure] is None else float(fields[figure])
            if fields["weights"] is not None:
                fields["weights"] = readonly(fields["weights"], "weights", (len(head.unit_names),), np.float32)
            found[name] = _Line(label, PictureExpression(**fields))
        except (ValueError, TypeError, KeyError, AttributeError):
            raise InputError(report, f"line {number} is damaged; move the file away") from None
    if len(content) > sum(len(line) + 1 for line in lines):  # cut off what a kill left, so that lines can follow
        os.truncate(report, sum(len(line) + 1 for line in lines))
    return found


def _write_report(report: Path, head: HeadModel, outcomes: Iterable[tuple[FaceRecord, PictureExpression]]) -> None:
    with atomic_write(report) as file:
        file.write(_header(head))
        for picture, expression in outcomes:
            file.write(_line(picture, expression))
