"""What judges read of the pictures that were made: each picture read once by each judge, and remembered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from synth_affect.affect import ValenceArousal
from synth_affect.arrays import FloatArray
from synth_affect.data.pictures import read_picture
from synth_affect.pipelines.evaluate_editor.outside import OutsideReadings
from synth_affect.pipelines.evaluate_editor.photographs import Face
from synth_affect.pipelines.evaluate_editor.progress import Progress
from synth_affect.pipelines.evaluate_editor.records import (
    InputRecord,
    JudgedPicture,
    load_input_record,
    load_picture_record,
    record_path,
    save_record,
)
from synth_affect.pipelines.evaluate_editor.scores import Edit
from synth_affect.pipelines.judges.face_heights import read_face
from synth_affect.pipelines.judges.face_view import FaceView, FaceViewer
from synth_affect.pipelines.judges.judge import AffectJudge, IdentityJudge
from synth_affect.pipelines.judges.open_judges import OpenJudges

INPUT_RECORD = "input.record.json"


def judge_pictures(
    viewer: FaceViewer,
    judges: OpenJudges,
    faces: Sequence[Face],
    targets: Sequence[ValenceArousal],
    progress: Progress,
) -> Iterator[Edit]:
    """Every picture of every face, with what the judges read of it and of the photograph."""

    def pairs() -> Iterator[Edit]:
        for face in faces:
            yield from _judge_face(viewer, judges, face, targets)

    yield from progress(pairs(), len(faces) * len(targets), "judging")


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


def with_outside(edits: Sequence[Edit], outside: Sequence[OutsideReadings]) -> list[Edit]:
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
