"""A whole run: plan, draw, write down, finish. Stopped at any moment and started again, it ends with the same files.

What is done is in the journal, face by face. All other files are made from it at the end, sorted, so neither the
number of workers nor the order in which they finish can be seen in them.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

import synth_affect
from synth_affect.data.atomic import atomic_write
from synth_affect.data.faces.database import FaceDatabase
from synth_affect.data.faces.export.layout import ExportLayout
from synth_affect.data.faces.folds import Folds, person_folds
from synth_affect.data.faces.record import FaceItem, FaceRecord, Rejected
from synth_affect.errors import InputError
from synth_affect.optional import import_optional
from synth_affect.pipelines.augment.datasheet import RunCounts, datasheet
from synth_affect.pipelines.augment.file_batch import FileBatch, sweep
from synth_affect.pipelines.augment.journal import DoneFace, DonePicture, JournalReader, open_journal, read_journal
from synth_affect.pipelines.augment.manifest import ManifestFace, clip, write_manifest
from synth_affect.pipelines.augment.selection import Candidate, candidates, neutral_label
from synth_affect.pipelines.augment.shards import write_shards
from synth_affect.pipelines.augment.sheets import (
    MOST_ACCEPTED,
    MOST_DROPPED,
    MOST_REJECTED,
    ShownFace,
    draw_sheets,
    evenly,
)
from synth_affect.pipelines.augment.targets import Targets, as_written
from synth_affect.pipelines.augment.work import AugmentSettings, FaceTask, MakeAugmentWorker
from synth_affect.pipelines.workers import Engine, WorkerDiedError

PLAN, ACCEPTED, REJECTS = "augment.json", "accepted.txt", "rejects.csv"
FOLDS, DATASHEET, DROPPED = "folds.json", "DATASHEET.md", "dropped.csv"
PLAN_VERSION = 2
LABEL_FILES_AT_ONCE = 256
Progress = Callable[[Iterable[DoneFace], int], Iterable[DoneFace]]


@dataclass(frozen=True, slots=True, eq=False)
class AugmentJob:
    """What is asked for.

    layout : how pictures and labels lie in `out`.  accepted : keys that a person has chosen; None lets labels and fits
    decide.  n_folds, seed : of the folds, where the database says who is who.
    per_shard : pictures of a WebDataset shard; None writes none. A run that is done can be asked for them, too.
    """

    database: FaceDatabase
    out: Path
    targets: Targets
    layout: ExportLayout
    settings: AugmentSettings
    accepted: frozenset[str] | None = None
    n_folds: int = 5
    seed: int = 0
    per_shard: int | None = None

    def __post_init__(self) -> None:
        if self.per_shard is not None and self.per_shard < 1:
            raise InputError("--shards", f"{self.per_shard} is not 1 or more")

    def described(self) -> dict[str, Any]:
        """What the files depend on beside the database's own: JSON values."""
        return {
            "version": synth_affect.__version__,
            "database": self.database.name,
            "layout": self.layout.name,
            "head": self.settings.head,
            "min_quality": self.settings.min_quality,
            "check_rest": self.settings.check_rest,
            "quality": self.settings.quality,
            # None, which is what a folder says that was begun before there were any.
            "action_units": self.settings.action_units.described() or None,
            "accepted": None if self.accepted is None else _digest(sorted(self.accepted)),
            "folds": self.n_folds,
            "folds_seed": self.seed,
            **self.targets.described(),
            **self.settings.expressions.described(),
            **({} if self.settings.checks is None else self.settings.checks.described()),
        }

    @property
    def chooses_only(self) -> bool:
        """Nothing is drawn: the run ends with the list of faces that could be, for a person to look at."""
        return self.targets.described()["targets"] == "none"

    @property
    def has_gate(self) -> bool:
        """Pictures may be dropped."""
        return self.settings.checks is not None and self.settings.checks.gate is not None

    def candidates(self) -> Iterator[Candidate]:
        """The faces that may become sources, as a stream."""
        return candidates(self.records(), self.accepted)

    def records(self) -> Iterator[FaceItem]:
        """The database, but for faces that by their labels are no sources: their boxes and points need not be read."""
        return self.database.records(neutral_label if self.accepted is None else None)


@dataclass(frozen=True, slots=True, eq=False)
class DrawnFace:
    """A picture that is done, and the record that it was made of; of a sequence of its own where pictures follow
    each other.
    """

    record: FaceRecord
    picture: DonePicture


@dataclass(frozen=True, slots=True)
class AugmentSummary:
    """faces : sources that were used.  rejected : candidates that were left out.  done_before : of an earlier run.
    dropped : pictures (of sequences: one for all) that the gate turned down, by what is wrong with them.
    """

    out: Path
    candidates: int
    faces: int
    rejected: int
    pictures: int
    done_before: int
    dropped: Mapping[str, int] = field(default_factory=dict)


def augment(job: AugmentJob, engine: Engine, progress: Progress | None = None) -> AugmentSummary:
    """Make all pictures of `job` that are not there yet, and then the files that tell of them.

    Raises InputError when `out` was begun with other settings, no face can be used, or something cannot be written;
    what is done stays done, and the same call goes on with it.
    """
    if not job.chooses_only:
        import_optional("pyarrow", "tables")  # which writes the manifest, at the very end
    _check_apart(job)
    begun = _is_begun(job)
    count = sum(1 for _ in job.candidates())
    if count == 0:
        raise _without_sources(job)
    if not begun:
        _begin(job)
    with open_journal(job.out) as journal:
        sweep(job.out)
        with read_journal(job.out) as before:
            done = before.keys
        if max(done, default=-1) >= count:
            raise _changed(job, f"{done[max(done)]} where the database now has nothing")
        try:
            with closing(engine.outcomes(MakeAugmentWorker(job.out, job.settings), _tasks(job, done))) as outcomes:
                for face in outcomes if progress is None else progress(outcomes, count - len(done)):
                    journal.append(face)
        except WorkerDiedError as error:
            raise InputError(job.out, f"{error}; what is done stays done, run it again") from error
        return _finish(job, count, len(done))


def _without_sources(job: AugmentJob) -> InputError:
    """Why nothing can be done: often all was turned down for one reason."""
    rejected = [item for item in job.records() if isinstance(item, Rejected)]
    why = f"; {len(rejected)} turned down, the first, {rejected[0].key}: {rejected[0].reason}" if rejected else ""
    which = "is labelled neutral and may be a source" if job.accepted is None else "is in the list and may be a source"
    return InputError(job.database.root, f"no face of it {which}{why}")


def _check_apart(job: AugmentJob) -> None:
    """New pictures in the database's folder would be found there and taken for sources the next time."""
    try:
        out, root = job.out.resolve(), job.database.root.resolve()
    except (OSError, RuntimeError) as error:
        raise InputError(job.out, f"cannot be used ({error})") from error
    looks_through = job.database.name != "csv"  # a table names its pictures, whatever lies beside it
    if root.is_relative_to(out) or (looks_through and out.is_relative_to(root)):
        raise InputError(job.out, f"lies in one folder with the database {job.database.root}; choose another folder")


def _is_begun(job: AugmentJob) -> bool:
    """Whether the folder was begun, with the same settings. Raises InputError when it is of something else."""
    path, described = job.out / PLAN, _plan(job)
    try:
        if path.is_file():
            before = json.loads(path.read_text(encoding="utf-8"))
            other = sorted(name for name in {*before, *described} if before.get(name) != described.get(name))
            if other:
                raise InputError(job.out, f"was begun with another {', '.join(other)}; choose another folder")
            return True
        if job.out.exists() and (not job.out.is_dir() or any(job.out.iterdir())):
            raise InputError(job.out, "is there already, and is no folder of this command")
    except (ValueError, AttributeError) as error:
        raise InputError(path, f"is not of this command ({error})") from None
    except OSError as error:
        raise InputError(job.out, f"cannot be used ({error.strerror or error})") from error
    return False


def _begin(job: AugmentJob) -> None:
    try:
        job.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(job.out, f"cannot be made ({error.strerror or error})") from error
    _write(job.out / PLAN, json.dumps(_plan(job), indent=2, sort_keys=True) + "\n")


def _plan(job: AugmentJob) -> dict[str, Any]:
    return {"augment": PLAN_VERSION, **job.described()}


def _changed(job: AugmentJob, how: str) -> InputError:
    return InputError(job.out, f"has {how}; it has changed")


def _tasks(job: AugmentJob, done: dict[int, str]) -> Iterator[FaceTask]:
    """What is left to do, as a stream."""
    ignores_case = (job.out / PLAN.upper()).exists()
    folders = set[str]()
    for candidate in job.candidates():
        place, record = candidate.place, candidate.record
        targets = job.targets.of(record.key)
        outputs = _outputs(job, candidate, len(targets))
        if ignores_case and outputs:
            folder = str(outputs[0]).casefold()
            if folder in folders:
                raise InputError(job.out, f"is on a disk that ignores case, and {record.key} is there in two spellings")
            folders.add(folder)
        key = done.get(place)
        if key is None:
            if job.targets.frames is None:  # one that moves shall not move in steps of its labels
                targets = tuple(as_written(target, job.layout.scale) for target in targets)
            yield FaceTask(place, record, targets, outputs, job.targets.frames)
        elif key != record.key:
            raise _changed(job, f"{key} where the database now has {record.key}")


def _outputs(job: AugmentJob, candidate: Candidate, count: int) -> tuple[PurePosixPath, ...]:
    """Where `count` pictures of a face go. To a layout, each sequence is a face of its own."""
    place, frames = candidate.place, job.targets.frames
    if frames is None:
        return job.layout.outputs(place, candidate.record, count)
    clips = [clip(candidate.record.key, number, frames) for number in range(0, count, frames)]
    return tuple(
        path
        for i, name in enumerate(clips, start=place * len(clips))
        for path in job.layout.outputs(i, _of_clip(candidate.record, name), frames)
    )


def _of_clip(record: FaceRecord, name: str) -> FaceRecord:
    """The record as if each sequence that was made of it had one of its own."""
    return replace(record, key=name, sequence=name)


def _finish(job: AugmentJob, count: int, done_before: int) -> AugmentSummary:
    """Write everything that is made from the journal."""
    with read_journal(job.out) as done:
        if len(done) < count:
            raise InputError(job.out, f"{count - len(done)} faces are not done; run it again")
        used, left_out, gated = list[int](), list[int](), list[int]()
        reasons, faults = Counter[str](), Counter[str]()
        for place in range(count):
            face = done[place]
            (left_out if face.reason else used).append(place)
            if face.reason:
                reasons[_kind(face.reason)] += 1
            if face.dropped:
                gated.append(place)
                faults.update(picture.fault for picture in face.dropped)
        _write(job.out / REJECTS, _rejects(job, done, left_out))
        if job.has_gate:
            _write(job.out / DROPPED, _dropped(done, gated))
        _draw_sheets(job, done, used, left_out, gated)
        if not used:
            first = done[left_out[0]]
            raise InputError(job.out, f"no face could be used, see {REJECTS}; the first, {first.key}: {first.reason}")
        _write(job.out / ACCEPTED, "".join(f"{done.keys[place]}\n" for place in used))
        if job.chooses_only:
            return AugmentSummary(job.out, count, len(used), len(left_out), 0, done_before)
        if len(gated) == len(used) and not any(done[place].pictures for place in used):
            fault = done[used[0]].dropped[0].fault
            raise InputError(job.out, f"the gate dropped every picture, see {DROPPED}; the first: {fault}")
        folds = _folds(job, done)
        if folds is not None:
            _write(job.out / FOLDS, json.dumps({"seed": folds.seed, "folds": dict(folds.of)}, indent=1) + "\n")
        judges = None if job.settings.checks is None else job.settings.checks.cards
        pictures = write_manifest(job.out, _manifest_faces(job, done, folds), job.described(), judges)
        with FileBatch(job.out) as files:
            for path, content in job.layout.label_files(_drawn(job, done)):
                files.write(job.out / path, content)
                if len(files) >= LABEL_FILES_AT_ONCE:
                    files.settle()
        people = None if folds is None else len(folds.of)
    counts = RunCounts(count, len(used), pictures, people, reasons, faults)
    _write(job.out / DATASHEET, datasheet(job.database, counts, job.described(), job.settings.checks))
    if job.per_shard is not None:
        write_shards(job.out, job.per_shard)
    sweep(job.out)
    return AugmentSummary(job.out, count, len(used), len(left_out), pictures, done_before, faults)


def _used(job: AugmentJob, done: JournalReader) -> Iterator[tuple[FaceRecord, DoneFace]]:
    """The faces of which there are pictures, in their order."""
    for candidate in job.candidates():
        face = done[candidate.place]
        if not face.reason:
            yield candidate.record, face


def _folds(job: AugmentJob, done: JournalReader) -> Folds | None:
    """None where the database does not say who is who, or knows too few people."""
    if not job.database.has_subjects:
        return None
    subjects = [record.subject for record, face in _used(job, done) for _ in face.pictures]
    if None in subjects or len(set(subjects)) < job.n_folds:
        return None
    return person_folds(subjects, job.n_folds, job.seed)


def _manifest_faces(job: AugmentJob, done: JournalReader, folds: Folds | None) -> Iterator[ManifestFace]:
    for record, face in _used(job, done):
        fold = None if folds is None or record.subject is None else folds.of[record.subject]
        below = _below(record.path, job)
        yield ManifestFace(face, record.subject, record.sequence, below, record.frame, fold, job.targets.frames)


def _below(path: Path, job: AugmentJob) -> str:
    """As it is named in the database, whatever machine that lies on."""
    try:
        return path.relative_to(job.database.root).as_posix()
    except ValueError:
        return path.name


def _rejects(job: AugmentJob, done: JournalReader, left_out: Iterable[int]) -> str:
    """CSV: what the reader turned down, and the candidates that were left out."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["key", "path", "reason"])
    for item in job.records():
        if isinstance(item, Rejected):
            table.writerow([item.key, _below(item.path, job), item.reason])
    wanted = set(left_out)
    for candidate in job.candidates():
        if candidate.place in wanted:
            table.writerow([candidate.record.key, _below(candidate.record.path, job), done[candidate.place].reason])
    return text.getvalue()


def _dropped(done: JournalReader, gated: Iterable[int]) -> str:
    """CSV: the pictures that the gate turned down; of a sequence, the frame."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["key", "number", "valence", "arousal", "fault", "detail"])
    for place in gated:
        face = done[place]
        for one in face.dropped:
            table.writerow([face.key, one.number, one.valence, one.arousal, one.fault, one.detail])
    return text.getvalue()


def _draw_sheets(job: AugmentJob, done: JournalReader, used: list[int], left_out: list[int], gated: list[int]) -> None:
    show = {used[i] for i in evenly(len(used), MOST_ACCEPTED)} | {
        left_out[i] for i in evenly(len(left_out), MOST_REJECTED)
    }
    shown = [ShownFace(candidate, done[candidate.place]) for candidate in job.candidates() if candidate.place in show]
    dropped = [done[gated[i]] for i in evenly(len(gated), MOST_DROPPED)]
    draw_sheets(job.out, [f for f in shown if not f.done.reason], [f for f in shown if f.done.reason], dropped)


def _drawn(job: AugmentJob, done: JournalReader) -> Iterator[DrawnFace]:
    frames = job.targets.frames
    for record, face in _used(job, done):
        for number, picture in enumerate(face.pictures):
            own = record if frames is None else _of_clip(record, clip(record.key, number, frames))
            yield DrawnFace(own, picture)


def _digest(names: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(names).encode()).hexdigest()


def _kind(reason: str) -> str:
    """The reason without its numbers, so that reasons can be counted."""
    return re.sub(r"[-+]?\d+(\.\d+)?", "#", reason)


def _write(path: Path, content: str | bytes) -> None:
    with atomic_write(path) as file:
        file.write(content if isinstance(content, bytes) else content.encode())
