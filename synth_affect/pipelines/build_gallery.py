"""Registered scans and their labels become sequences of a gallery.

Which frames are neutral: those marked so; else those labelled (0, 0) among the first `NEUTRAL_WITHIN` of the recording;
else its first frame, if nothing says that it shows a feeling. Several are averaged; displacements are measured from
there.

Labels and frames are paired by number. A frame without a label stays in, not annotated. One label beyond the frames is
the slip of an annotation tool and is left out; more of them mean that labels and recording do not belong together, and
reject the recording. A frame that registration rejected is a gap, and its label counts for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from synth_affect.arrays import BoolArray, FloatArray, IntArray
from synth_affect.blendshape.gallery import GallerySequence
from synth_affect.blendshape.gallery_store import GalleryWriter, ensure_gallery
from synth_affect.data.registered_scans import (
    FrameKey,
    RegisteredScans,
    SequenceFrames,
    frame_path,
    read_frame,
    read_registered,
)
from synth_affect.data.sequence_labels import LabelFile, RecordingName, SequenceLabels, read_sequence_labels
from synth_affect.errors import InputError, SynthAffectError

NEUTRAL_WITHIN = 60
"""Frames; a second of 4DFAB. Later (0, 0) is where a feeling passes through, not where it starts from."""
FEELING = 0.3
"""Distance from (0, 0) from which on a label says that the frame is not neutral."""
MAX_DISPLACEMENT_MM = 100.0
"""No point of a face gets that far from where it rests: a chin travels half of it."""
SLIPS = 1
"""Labels beyond the frames that are forgiven."""

FIRST_FRAME, SURPLUS, UNLABELLED = (
    "the first frame serves as the neutral one",
    "a label for no frame is left out",
    "frames without a label are not annotated",
)
"""What is said of a recording, and does not keep it out."""

Progress = Callable[[Iterable["_Plan"], int], Iterable["_Plan"]]


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """A recording that can enter. rows : (n_frames,) int64, the label of each frame, -1 for none."""

    frames: SequenceFrames
    labels: SequenceLabels
    rows: IntArray
    neutral: BoolArray

    @property
    def name(self) -> str:
        return _name(self.frames)


@dataclass(slots=True)
class _Findings:
    rejected: dict[str, str] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)


def build_gallery(
    registered: Path, labels: Path, output: Path, progress: Progress = lambda items, count: items
) -> dict[str, Any]:
    """Append the recordings of `registered` to the gallery `output`, which is made where there is none.

    registered : a folder that `synth-affect register` wrote.  labels : CSV, see `data.sequence_labels`.
    Recordings that the gallery has already are passed over: so a run that was stopped is resumed by the same call.
    Returns a summary: counts, `rejected` {recording: reason}, `notes` {what: recordings}.
    Raises InputError when an input cannot be read, no recording can be used, or the gallery is of another template or
    cannot be written; a recording that was appended before stays.
    """
    scans = read_registered(registered)
    findings = _Findings()
    plans = list(_plans(scans, read_sequence_labels(labels), findings))
    if not plans:
        reason = next((f"; {name}: {why}" for name, why in findings.rejected.items()), "")
        raise InputError(registered, f"none of its {len(scans.sequences)} recordings can be used{reason}")
    ensure_gallery(output, scans.template)
    with GalleryWriter(output) as writer:
        n_before = len(writer)
        new = [plan for plan in plans if (plan.frames.subject, plan.frames.session, plan.frames.sequence) not in writer]
        writer.append_all(_sequences(scans, progress(new, len(new)), findings))
        n_after = len(writer)
    return {
        "output": str(output),
        "frames": n_after,
        "frames_added": n_after - n_before,
        "sequences_added": sum(plan.name not in findings.rejected for plan in new),
        "sequences_there_before": len(plans) - len(new),
        "frames_rejected_by_registration": len(scans.rejected),
        "rejected": findings.rejected,
        "notes": findings.notes,
    }


def _plans(scans: RegisteredScans, labels: LabelFile, findings: _Findings) -> Iterator[_Plan]:
    """The recordings that can enter, by what their labels say; the others are among the findings."""
    given: dict[RecordingName, SequenceLabels | str] = {**labels.sequences, **labels.rejected}
    rejected_frames: dict[tuple[str, str, str], set[int]] = {}
    for line in scans.rejected:
        key = (line.key.subject, line.key.session, line.key.sequence)
        rejected_frames.setdefault(key, set()).add(line.key.frame)
    sessions: dict[tuple[str, str], int] = {}
    for frames in scans.sequences:
        sessions[frames.subject, frames.sequence] = sessions.get((frames.subject, frames.sequence), 0) + 1
    used = set()
    for frames in scans.sequences:
        names = [RecordingName(frames.subject, session, frames.sequence) for session in (frames.session, None)]
        name = next((n for n in names if n in given), None)
        if name is None:
            findings.rejected[_name(frames)] = "has no labels"
            continue
        used.add(name)
        found = given[name]
        lost = rejected_frames.get((frames.subject, frames.session, frames.sequence), set())
        try:
            if isinstance(found, str):
                raise ValueError(found)
            if name.session is None and sessions[frames.subject, frames.sequence] > 1:
                raise ValueError("is of several sessions; the labels need a column session")
            plan = _plan(frames, found, lost, findings.notes)
        except ValueError as error:
            findings.rejected[_name(frames)] = str(error)
        else:
            yield plan
    for name in sorted(set(given) - used, key=lambda n: (n.subject, n.session or "", n.sequence)):
        session = () if name.session is None else (name.session,)
        why = "every frame was rejected by registration" if _all_lost(name, rejected_frames) else "is not there"
        findings.rejected["/".join((name.subject, *session, name.sequence))] = f"has labels, but {why}"


def _plan(frames: SequenceFrames, labels: SequenceLabels, lost: set[int], notes: dict[str, list[str]]) -> _Plan:
    """Pairs frames with labels. Raises ValueError when they do not belong together or no frame is neutral."""
    surplus = [number for number in labels.frame.tolist() if number not in lost]
    surplus = np.setdiff1d(np.array(surplus, dtype=np.int64), frames.frame).tolist()
    n_labels = len(labels.frame)
    if len(surplus) > SLIPS or len(surplus) == n_labels:
        raise ValueError(
            f"has {n_labels} labels, {len(surplus)} of them for frames that are not there, the first for {surplus[0]}"
        )
    at = np.minimum(np.searchsorted(labels.frame, frames.frame), n_labels - 1)
    rows = np.where(labels.frame[at] == frames.frame, at, -1)
    if surplus:
        notes.setdefault(SURPLUS, []).append(_name(frames))
    if (rows < 0).any():
        notes.setdefault(UNLABELLED, []).append(_name(frames))
    neutral, is_first = _neutral(frames, labels, rows)
    if is_first:
        notes.setdefault(FIRST_FRAME, []).append(_name(frames))
    return _Plan(frames, labels, rows, neutral)


def _neutral(frames: SequenceFrames, labels: SequenceLabels, rows: IntArray) -> tuple[BoolArray, bool]:
    """(n_frames,) bool, and whether the first frame was taken for want of a better."""
    marked = _of_frames(labels.neutral, rows, False)
    if marked.any():
        return marked, False
    if labels.neutral.any():
        raise ValueError("no frame that is marked neutral was registered")
    valence, arousal = (_of_frames(values, rows, np.nan) for values in (labels.valence, labels.arousal))
    calm = (valence == 0) & (arousal == 0) & (frames.frame < frames.frame[0] + NEUTRAL_WITHIN)
    if calm.any():
        return calm, False
    if _of_frames(labels.apex, rows, False)[0] or np.hypot(valence[0], arousal[0]) >= FEELING:
        raise ValueError("no neutral frame: none is marked, none near the start is labelled (0, 0), the first is not")
    first = np.arange(len(frames.frame)) == 0
    return first, True


def _sequences(scans: RegisteredScans, plans: Iterable[_Plan], findings: _Findings) -> Iterator[GallerySequence]:
    for plan in plans:
        try:
            offsets = _offsets(scans, plan)
        except SynthAffectError as error:
            findings.rejected[plan.name] = str(error)
            continue
        yield GallerySequence(
            subject=plan.frames.subject,
            session=plan.frames.session,
            sequence=plan.frames.sequence,
            posed=plan.labels.posed,
            category=plan.labels.category,
            offsets=offsets,
            frame=plan.frames.frame,
            valence=_of_frames(plan.labels.valence, plan.rows, np.nan),
            arousal=_of_frames(plan.labels.arousal, plan.rows, np.nan),
            apex=_of_frames(plan.labels.apex, plan.rows, False),
        )


def _offsets(scans: RegisteredScans, plan: _Plan) -> FloatArray:
    """(n_frames, n_vertices, 3) float16, mm, from the mean of the neutral frames."""
    n_vertices = len(scans.template.mesh.vertices)
    frames = plan.frames
    paths = [
        frame_path(scans.folder, FrameKey(frames.subject, frames.session, frames.sequence, number))
        for number in frames.frame.tolist()
    ]

    def vertices(k: int) -> FloatArray:
        read = read_frame(paths[k]).vertices
        if len(read) != n_vertices:
            raise InputError(paths[k], f"has {len(read)} vertices, the template {n_vertices}")
        return read

    rest = np.mean([vertices(k) for k in np.flatnonzero(plan.neutral).tolist()], axis=0, dtype=np.float64)
    offsets = np.empty((len(paths), n_vertices, 3), dtype=np.float16)
    for k, path in enumerate(paths):
        offset = vertices(k) - rest
        furthest = float(np.abs(offset).max())
        if furthest > MAX_DISPLACEMENT_MM:
            raise InputError(path, f"a vertex is {furthest:.0f} mm from where it rests")
        offsets[k] = offset
    return offsets


def _of_frames(values: np.ndarray[Any, Any], rows: IntArray, absent: Any) -> np.ndarray[Any, Any]:
    """Of each frame the value that its label has, `absent` where it has none."""
    return np.where(rows >= 0, values[rows], values.dtype.type(absent))


def _name(frames: SequenceFrames) -> str:
    return f"{frames.subject}/{frames.session}/{frames.sequence}"


def _all_lost(name: RecordingName, lost: dict[tuple[str, str, str], set[int]]) -> bool:
    return any(
        (subject, sequence) == (name.subject, name.sequence) and name.session in (None, session)
        for subject, session, sequence in lost
    )
