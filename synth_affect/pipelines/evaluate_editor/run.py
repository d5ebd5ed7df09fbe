"""An editor before the yardstick: every picture made, every picture judged, everything summed up.

All pictures are made before the first judge is opened, so that time and memory are the editor's. Each picture has a
record beside it as soon as it is there, and again when it is judged: a run that is ended goes on where it was, and a
judge that is added reads the pictures that are there.
"""

from __future__ import annotations

import json
import shutil
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import synth_affect
from synth_affect.data.atomic import atomic_write
from synth_affect.editors.protocol import Editor
from synth_affect.errors import InputError
from synth_affect.file_lock import lock_file
from synth_affect.pipelines.evaluate_editor.judging import judge_pictures, with_outside
from synth_affect.pipelines.evaluate_editor.making import make_pictures
from synth_affect.pipelines.evaluate_editor.outside import read_outside, write_manifest
from synth_affect.pipelines.evaluate_editor.photographs import PICTURES, find_faces, list_pictures
from synth_affect.pipelines.evaluate_editor.progress import Progress, silent
from synth_affect.pipelines.evaluate_editor.scores import summarise
from synth_affect.pipelines.evaluate_editor.tables import write_tables
from synth_affect.pipelines.evaluate_editor.targets import TargetChoice
from synth_affect.pipelines.judges.face_view import FaceViewer
from synth_affect.pipelines.judges.open_judges import check_judges, check_names, open_judges, read_cards
from synth_affect.pipelines.open_editor import EditorChoice, open_editor

EDITOR_FILE, LOCK = "editor.json", ".lock"


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


def evaluate_editor(request: EvaluationRequest, progress: Progress = silent) -> dict[str, Any]:
    """Make, judge, score and report; returns the summary that is in results.json too.

    `out` gets report.html, results.json, results.csv, manifest.json and the pictures with their records.
    progress : of (items, their count, what is done with them).
    Raises InputError for files, judges or a folder that cannot be used, and when no photograph could be edited;
    MissingDependencyError for a judge whose extra is not installed.
    """
    from synth_affect.pipelines.evaluate_editor.html_report import write_report  # brings Pillow's drawing

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
            faces, refusals = find_faces(paths, request.out, viewer)
            faces, more = make_pictures(editor, faces, targets, progress)
        refusals = [*refusals, *more]
        if not faces:
            first = f"{refusals[0].path.name}: {refusals[0].reason}"
            if not begun:
                shutil.rmtree(request.out, ignore_errors=True)
            raise InputError(request.images, f"no photograph could be edited ({first})")
        with FaceViewer() as viewer:
            judges = open_judges(request.judges, request.identities)
            edits = list(judge_pictures(viewer, judges, faces, targets, progress))
        edits = with_outside(edits, outside)
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
        write_report(request.out, summary, edits, request.targets, cards, progress)
        return summary


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
