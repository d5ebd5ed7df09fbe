"""Registered scans and their labels become sequences of a gallery.

Which frames are neutral: those marked so; else those labelled (0, 0) among the first `NEUTRAL_WITHIN` of the recording;
else its first frame, if nothing says that it shows a feeling. Several are averaged; displacements are measured from
there.

Labels and frames are paired by number. A frame without a label stays in, not annotated. One label beyond the frames is
the slip of an annotation tool and is left out; more of them mean that labels and recording do not belong together, and
reject the recording. A frame that registration rejected is a gap, and its label counts for nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from synth_affect.arrays import BoolArray, FloatArray, IntArray
from synth_affect.blendshape.gallery.frames import GallerySequence
from synth_affect.blendshape.gallery.writer import GalleryWriter, SequenceKey, ensure_gallery
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
    """A recording that can enter. rows : (n_frames,) int64, the label of each frame, -1 for none.

    folder : of its registered scans.
    """

    folder: Path
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
    registered: Sequence[Path], labels: Path, output: Path, progress: Progress = lambda items, count: items
) -> dict[str, Any]:
    """Append the recordings of `registered` to the gallery `output`, which is made where there is none.

    registered : folders that `synth-affect register` wrote, of one template.
    labels : CSV, see `data.sequence_labels`; of all folders.
    Recordings that the gallery has already are passed over: so a run that was stopped is resumed by the same call.
    Returns a summary: counts, `rejected` {recording: reason}, `notes` {what: recordings}.
    Raises InputError when an input cannot be read, no recording can be used, or the gallery is of another template or
    cannot be written; a recording that was appended before stays.
    """
    scans = [read_registered(folder) for folder in registered]
    template = scans[0].template
    for other in scans[1:]:
        if other.template.topology != template.topology:
            raise InputError(other.folder, f"is of another template than {scans[0].folder}")
    findings = _Findings()
    plans = list(_plans(scans, read_sequence_labels(labels), findings))
    if not plans:
        n_recordings = sum(len(part.sequences) for part in scans)
        reason = next((f"; {name}: {why}" for name, why in findings.rejected.items()), "")
        raise InputError(registered[0], f"none of {n_recordings} recordings can be used{reason}")
    ensure_gallery(output, template)
    with GalleryWriter(output) as writer:
        n_before = len(writer)
        new = [plan for plan in plans if _key(plan.frames) not in writer]
        writer.append_all(_sequences(progress(new, len(new)), len(template.mesh.vertices), findings))
        n_after = len(writer)
    return {
        "output": str(output),
        "frames": n_after,
        "frames_added": n_after - n_before,
        "sequences_added": sum(plan.name not in findings.rejected for plan in new),
        "sequences_there_before": len(plans) - len(new),
        "frames_rejected_by_registration": sum(len(part.rejected) for part in scans),
        "rejected": findings.rejected,
        "notes": findings.notes,
    }


def _plans(scans: Sequence[RegisteredScans], labels: LabelFile, findings: _Findings) -> Iterator[_Plan]:
    """The recordings that can enter, by what their labels say; the others are among the findings."""
    given: dict[RecordingName, SequenceLabels | str] = {**labels.sequences, **labels.rejected}
    lost: dict[SequenceKey, set[int]] = {}
    for line in (line for part in scans for line in part.rejected):
        key = (line.key.subject, line.key.session, line.key.sequence)
        lost.setdefault(key, set()).add(line.key.frame)
    n_folders = Counter(_key(frames) for part in scans for frames in part.sequences)
    n_sessions = Counter((subject, sequence) for subject, _, sequence in n_folders)
    used = set()
    for folder, frames in ((part.folder, frames) for part in scans for frames in part.sequences):
        key = _key(frames)
        names = [RecordingName(frames.subject, session, frames.sequence) for session in (frames.session, None)]
        name = next((n for n in names if n in given), None)
        try:
            if name is None:
                raise ValueError("has no labels")
            used.add(name)
            found = given[name]
            if isinstance(found, str):
                raise ValueError(found)
            if n_folders[key] > 1:
                raise ValueError(f"is in {n_folders[key]} of the folders")
            if name.session is None and n_sessions[frames.subject, frames.sequence] > 1:
                raise ValueError("is of several sessions; the labels need a column session")
            plan = _plan(folder, frames, found, lost.get(key, set()), findings.notes)
        except ValueError as error:
            findings.rejected[_name(frames)] = str(error)
        else:
            yield plan
    for name in sorted(set(given) - used, key=lambda n: (n.subject, n.session or "", n.sequence)):
        session = () if name.session is None else (name.session,)
        why = "every frame was rejected by registration" if _all_lost(name, lost) else "is not there"
        findings.rejected["/".join((name.subject, *session, name.sequence))] = f"has labels, but {why}"


def _plan(
    folder: Path, frames: SequenceFrames, labels: SequenceLabels, lost: set[int], notes: dict[str, list[str]]
) -> _Plan:
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
    return _Plan(folder, frames, labels, rows, neutral)


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


def _sequences(plans: Iterable[_Plan], n_vertices: int, findings: _Findings) -> Iterator[GallerySequence]:
    for plan in plans:
        try:
            offsets = _offsets(plan, n_vertices)
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


def _offsets(plan: _Plan, n_vertices: int) -> FloatArray:
    """(n_frames, n_vertices, 3) float16, mm, from the mean of the neutral frames."""
    paths = [frame_path(plan.folder, FrameKey(*_key(plan.frames), number)) for number in plan.frames.frame.tolist()]

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


def _key(frames: SequenceFrames) -> SequenceKey:
    return frames.subject, frames.session, frames.sequence


def _name(frames: SequenceFrames) -> str:
    return "/".join(_key(frames))


def _all_lost(name: RecordingName, lost: dict[SequenceKey, set[int]]) -> bool:
    return any(
        (subject, sequence) == (name.subject, name.sequence) and name.session in (None, session)
        for subject, session, sequence in lost
    )
