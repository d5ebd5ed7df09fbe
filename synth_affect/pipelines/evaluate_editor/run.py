"""An editor before the yardstick: every picture made, every picture judged, everything summed up.

All pictures are made before the first judge is opened, so that time and memory are the editor's. Each picture has a
record beside it as soon as it is there, and again when it is judged: a run that is ended goes on where it was, and a
judge that is added reads the pictures that are there.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, TypeVar

import synth_affect
from synth_affect.affect import Emotion, ValenceArousal
from synth_affect.arrays import FloatArray, ImageArray
from synth_affect.data.atomic import atomic_write
from synth_affect.data.picture import Picture
from synth_affect.data.pictures import read_picture, write_picture
from synth_affect.data.provenance import Provenance, sha256_file
from synth_affect.editors.protocol import Editor
from synth_affect.errors import InputError, NoFaceError, SynthAffectError
from synth_affect.file_lock import lock_file
from synth_affect.pipelines.evaluate_editor.background import background_change
from synth_affect.pipelines.evaluate_editor.outside import OutsideReadings, read_outside, write_manifest
from synth_affect.pipelines.evaluate_editor.records import (
    InputRecord,
    JudgedPicture,
    PictureRecord,
    load_input_record,
    load_picture_record,
    record_path,
    save_record,
)
from synth_affect.pipelines.evaluate_editor.scores import Edit, summarise
from synth_affect.pipelines.evaluate_editor.tables import write_tables
from synth_affect.pipelines.evaluate_editor.targets import TargetChoice, key
from synth_affect.pipelines.fit_pictures import PICTURE_SUFFIXES
from synth_affect.pipelines.judges.face_heights import read_face
from synth_affect.pipelines.judges.face_view import FaceView, FaceViewer
from synth_affect.pipelines.judges.judge import AffectJudge, IdentityJudge
from synth_affect.pipelines.judges.open_judges import (
    OpenJudges,
    check_judges,
    check_names,
    open_judges,
    read_cards,
)
from synth_affect.pipelines.open_editor import EditorChoice, open_editor
from synth_affect.pipelines.people_choice import chosen_people
from synth_affect.pipelines.render_faces import DATASET, read_labels

T = TypeVar("T")
Progress = Callable[[Iterable[T], int | None, str], Iterable[T]]

PICTURES, INPUT_RECORD, EDITOR_FILE, LOCK = "pictures", "input.record.json", "editor.json", ".lock"
MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class EvaluationRequest:
    """editor : which, with its weights.  images, people : see `list_pictures`.
    out : a folder, made where it is missing.
    judges, identities : see `open_affect_judge`, `open_identity_judge`.
    readings : files of readings that were made elsewhere from the manifest, see `outside`.
    """

    editor: EditorChoice
    images: Path
    out: Path
    targets: TargetChoice = field(default_factory=TargetChoice)
    judges: tuple[str, ...] = ()
    identities: tuple[str, ...] = ()
    readings: tuple[Path, ...] = ()
    people: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One photograph. name : unique.  folder : of its outputs.  points : (478, 2) px, of its largest face."""

    name: str
    path: Path
    sha256: str
    folder: Path
    points: FloatArray

    def output(self, target: ValenceArousal) -> Path:
        """The picture of a target."""
        return self.folder / f"{key(target)}.png"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A photograph that was left out. reason : in one clause."""

    path: Path
    reason: str


def evaluate_editor(request: EvaluationRequest, progress: Progress[Any] | None = None) -> dict[str, Any]:
    """Make, judge, score and report; returns the summary that is in results.json too.

    `out` gets report.html, results.json, results.csv, manifest.json and the pictures with their records.
    progress : of (items, their count, what is done with them).
    Raises InputError for files, judges or a folder that cannot be used, and when no photograph could be edited;
    MissingDependencyError for a judge whose extra is not installed.
    """
    from synth_affect.pipelines.evaluate_editor.html_report import write_report  # brings Pillow's drawing

    shown = _silent if progress is None else progress
    check_judges(request.judges, request.identities)
    outside = [read_outside(path) for path in request.readings]
    paths = list_pictures(request.images, request.people)
    # A judge that cannot be used is said before any work, and leaves no trace in the editor's memory.
    named = read_cards(request.judges, request.identities)
    cards = [*named.affect, *(readings.judge for readings in outside)]
    of_people = [*named.identity, *(r.identity for r in outside if r.identity is not None)]
    check_names("--judge", [card.name for card in cards])
    check_names("--identity", [card.name for card in of_people])
    targets = request.targets.union()
    begun = request.out.exists()
    with ExitStack() as held:
        with ExitStack() as open_things:
            editor = open_things.enter_context(closing(open_editor(request.editor)))
            held.enter_context(_lock_folder(request.out))
            described = {**_claim_folder(request.out, editor), "about": dict(editor.about)}
            viewer = open_things.enter_context(FaceViewer())
            faces, refusals = _faces(paths, request.out, viewer)
            faces, more = _make_pictures(editor, faces, targets, shown)
        refusals = [*refusals, *more]
        if not faces:
            first = f"{refusals[0].path.name}: {refusals[0].reason}"
            if not begun:
                shutil.rmtree(request.out, ignore_errors=True)
            raise InputError(request.images, f"no photograph could be edited ({first})")
        with FaceViewer() as viewer:
            judges = open_judges(request.judges, request.identities)
            edits = list(_judge_pictures(viewer, judges, faces, targets, shown))
        edits = _with_outside(edits, outside)
        summary = {
            "editor": described,
            "version": synth_affect.__version__,
            "targets": request.targets.described(),
            "n_faces": len(faces),
            "refused": [{"path": str(refusal.path), "reason": refusal.reason} for refusal in refusals],
            **summarise(edits, request.targets, cards, of_people),
        }
        write_manifest(request.out, [(edit.path, edit.output, edit.target, edit.record) for edit in edits])
        write_tables(request.out, summary, edits, cards, of_people)
        write_report(request.out, summary, edits, request.targets, cards, shown)
        return summary


def list_pictures(images: Path, people: str = "") -> list[Path]:
    """The pictures of a folder in the order of their names, or the one that `images` is; of rendered faces, the neutral
    picture of each person, or of those in `people` (see `PeopleChoice`). Raises InputError for none.
    """
    if (images / DATASET).is_file():
        rows = [row for row in read_labels(images) if row["category"] == Emotion.NEUTRAL]
        chosen = chosen_people([row["subject"] for row in rows], people, "--people") if people else None
        first = {row["subject"]: images / row["picture"] for row in reversed(rows)}
        return sorted(path for subject, path in first.items() if chosen is None or subject in chosen)
    if people:
        raise InputError("--people", f"{images} is no folder of rendered faces, whose people have names")
    if images.is_file():
        return [images]
    if not images.is_dir():
        raise InputError(images, "no such folder or picture")
    found = sorted(path for path in images.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES and path.is_file())
    if not found:
        raise InputError(images, "holds no pictures")
    return found


def _silent(items: Iterable[T], count: int | None, description: str) -> Iterable[T]:
    return items


def _lock_folder(out: Path) -> IO[bytes]:
    """Makes the folder, keeps others out of it until what is returned is closed, and clears what a killed run left."""
    try:
        (out / PICTURES).mkdir(parents=True, exist_ok=True)
        lock = lock_file(out / LOCK, out)
        for unfinished in out.rglob(".*.part"):
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(out, f"cannot be written ({error.strerror or error})") from error
    return lock


def _claim_folder(out: Path, editor: Editor) -> dict[str, str]:
    """What is said of the editor. Raises InputError for a folder of another one."""
    described = {"name": editor.name, "fingerprint": editor.fingerprint, "device": editor.device}
    claim = out / EDITOR_FILE
    try:
        if claim.exists():
            stored = json.loads(claim.read_text("utf-8"))
            if stored != described:
                was = stored.get("fingerprint") if isinstance(stored, dict) else None
                raise InputError(out, f"holds the pictures of another editor ({was}); give another folder")
            return described
    except OSError as error:
        raise InputError(claim, f"cannot be read ({error.strerror or error})") from error
    except (ValueError, RecursionError) as error:
        raise InputError(claim, f"no JSON ({error})") from error
    with atomic_write(claim) as file:
        file.write((json.dumps(described, indent=1) + "\n").encode())
    return described


def _faces(paths: Sequence[Path], out: Path, viewer: FaceViewer) -> tuple[list[Face], list[Refusal]]:
    faces: dict[str, Face] = {}
    refusals = []
    for path in paths:
        try:
            digest = sha256_file(path)
            view = viewer.view(read_picture(path).pixels)
        except SynthAffectError as error:
            refusals.append(Refusal(path, _reason(error)))
            continue
        name = f"{path.stem}-{digest[:8]}"
        if view is None:
            refusals.append(Refusal(path, "no face found"))
        elif name in faces:
            refusals.append(Refusal(path, f"the same picture as {faces[name].path.name}"))
        else:
            faces[name] = Face(name, path, digest, out / PICTURES / name, view.points)
    return list(faces.values()), refusals


def _make_pictures(
    editor: Editor, faces: Sequence[Face], targets: Sequence[ValenceArousal], shown: Progress[Any]
) -> tuple[list[Face], list[Refusal]]:
    """Faces of which every picture is there, and the others."""
    missing = {face.name: [t for t in targets if _made(editor, face, t) is None] for face in faces}
    refusals: list[Refusal] = []

    def made() -> Iterator[None]:
        for face in faces:
            wanted = missing[face.name]
            if not wanted:
                continue
            try:
                for _ in _edit_face(editor, face, wanted):
                    yield None
            except SynthAffectError as error:
                if isinstance(error, InputError) and not isinstance(error, NoFaceError) and _of_output(error, face):
                    raise
                refusals.append(Refusal(face.path, _reason(error)))

    for _ in shown(made(), sum(map(len, missing.values())), "editing"):
        pass
    refused = {refusal.path for refusal in refusals}
    return [face for face in faces if face.path not in refused], refusals


def _of_output(error: InputError, face: Face) -> bool:
    """Whether it is the output that could not be written: the next face would fail like this one."""
    return Path(error.path).is_relative_to(face.folder)


def _made(editor: Editor, face: Face, target: ValenceArousal) -> PictureRecord | None:
    output = face.output(target)
    record = load_picture_record(output)
    if record is None or (record.input_sha256, record.editor) != (face.sha256, editor.fingerprint):
        return None
    return record if output.is_file() else None


def _edit_face(editor: Editor, face: Face, targets: Sequence[ValenceArousal]) -> Iterator[None]:
    picture = read_picture(face.path)
    face.folder.mkdir(parents=True, exist_ok=True)
    outputs = editor.edit(picture.pixels, targets)
    for number, target in enumerate(targets):
        started = time.perf_counter()
        pixels = next(outputs)
        seconds = time.perf_counter() - started
        output = face.output(target)
        _write_output(editor, picture, face, target, pixels, output)
        change = background_change(picture.pixels, pixels, face.points)
        record = PictureRecord(
            input_sha256=face.sha256,
            editor=editor.fingerprint,
            output_sha256=sha256_file(output),
            seconds=seconds,
            first=number == 0,
            peak_rss_mib=_peak_rss_mib(),
            peak_gpu_mib=_peak_gpu_mib(),
            background_mean=None if change is None else change.mean,
            background_share=None if change is None else change.share,
        )
        save_record(record, record_path(output))
        yield None


def _write_output(
    editor: Editor, picture: Picture, face: Face, target: ValenceArousal, pixels: ImageArray, output: Path
) -> None:
    request = {"valence": target.valence, "arousal": target.arousal, "editor": editor.name, "shows": "evaluation"}
    provenance = Provenance(request, synth_affect.__version__, editor.fingerprint, face.sha256)
    write_picture(pixels, output, picture, provenance)


def _peak_rss_mib() -> float | None:
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / MIB if sys.platform == "darwin" else peak / 1024


def _peak_gpu_mib() -> float | None:
    torch = sys.modules.get("torch")  # an editor that uses it has imported it
    if torch is None or not torch.cuda.is_available() or not torch.cuda.is_initialized():
        return None
    return float(torch.cuda.max_memory_allocated()) / MIB


def _judge_pictures(
    viewer: FaceViewer,
    judges: OpenJudges,
    faces: Sequence[Face],
    targets: Sequence[ValenceArousal],
    shown: Progress[Any],
) -> Iterator[Edit]:
    def pairs() -> Iterator[Edit]:
        for face in faces:
            yield from _judge_face(viewer, judges, face, targets)

    yield from shown(pairs(), len(faces) * len(targets), "judging")


def _judge_face(
    viewer: FaceViewer, judges: OpenJudges, face: Face, targets: Sequence[ValenceArousal]
) -> Iterator[Edit]:
    own: FaceView | None = None
    embeddings: dict[str, FloatArray] = {}

    def input_view() -> FaceView:
        nonlocal own
        if own is None:
            own = viewer.view(read_picture(face.path).pixels)
        assert own is not None  # it was found before the edits
        return own

    def embedding(judge: IdentityJudge) -> FloatArray:
        if judge.card.fingerprint not in embeddings:
            embeddings[judge.card.fingerprint] = judge.embed(input_view())
        return embeddings[judge.card.fingerprint]

    input_path = face.folder / INPUT_RECORD
    before = load_input_record(input_path)
    known = {} if before is None else before.judged.affect
    unread = [judge for judge in judges.affect if judge.card.fingerprint not in known]
    if before is None or before.input_sha256 != face.sha256 or unread:
        view = input_view()
        judged = JudgedPicture(True, read_face(view), {**known, **_read_affect(unread, view)})
        (left, top), (right, bottom) = face.points.min(axis=0), face.points.max(axis=0)
        before = InputRecord(face.sha256, (float(left), float(top), float(right), float(bottom)), judged)
        save_record(before, input_path)
    for target in targets:
        output = face.output(target)
        record = load_picture_record(output)
        assert record is not None  # made before
        judged_so_far = record.judged
        if judged_so_far is None or judged_so_far.found:
            done = JudgedPicture(True) if judged_so_far is None else judged_so_far
            affect_left = [judge for judge in judges.affect if judge.card.fingerprint not in done.affect]
            identity_left = [judge for judge in judges.identity if judge.card.fingerprint not in done.identity]
            if judged_so_far is None or affect_left or identity_left:
                centre = face.points.mean(axis=0)
                seen = viewer.view(read_picture(output).pixels, near=(float(centre[0]), float(centre[1])))
                if seen is None:
                    done = JudgedPicture(False)
                else:
                    likeness = {
                        judge.card.fingerprint: judge.card.compare(embedding(judge), judge.embed(seen))
                        for judge in identity_left
                    }
                    done = JudgedPicture(
                        True,
                        read_face(seen),
                        {**done.affect, **_read_affect(affect_left, seen)},
                        {**done.identity, **likeness},
                    )
                record = replace(record, judged=done)
                save_record(record, record_path(output))
        yield Edit(face.name, face.path, output, target, record, before)


def _read_affect(judges: Sequence[AffectJudge], view: FaceView) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for judge in judges:
        reading = judge.read(view)
        found[judge.card.fingerprint] = [reading.valence, reading.arousal, reading.emotion]
    return found


def _with_outside(edits: Sequence[Edit], outside: Sequence[OutsideReadings]) -> list[Edit]:
    """The edits with what was read elsewhere, found by the digests of the pictures."""
    joined = []
    for edit in edits:
        record, before = edit.record, edit.before
        judged = record.judged
        for readings in outside:
            after_entry = readings.by_sha256.get(record.output_sha256)
            before_entry = readings.by_sha256.get(record.input_sha256)
            if judged is None or after_entry is None or before_entry is None:
                continue
            name = readings.judge.fingerprint
            judged = replace(judged, affect={**judged.affect, name: after_entry.affect})
            if readings.identity is not None and after_entry.identity is not None:
                identity = {**judged.identity, readings.identity.fingerprint: after_entry.identity}
                judged = replace(judged, identity=identity)
            before = replace(
                before, judged=replace(before.judged, affect={**before.judged.affect, name: before_entry.affect})
            )
        joined.append(replace(edit, record=replace(record, judged=judged), before=before))
    return joined


def _reason(error: SynthAffectError) -> str:
    return error.reason if isinstance(error, InputError) else str(error)
