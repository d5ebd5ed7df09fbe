"""Raw scans of the synthetic people: meshes as a scanner gives them, their labels, and apart from them the truth."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from synth_affect.arrays import FloatArray
from synth_affect.blendshape.synthetic.annotators import draw_annotators
from synth_affect.blendshape.synthetic.recordings import GalleryRecipe, RecordingId, emphasis, labelled, plan
from synth_affect.blendshape.synthetic.scans import RawScan, ScanSettings, draw_pose, raw_scan, scanned_surface
from synth_affect.blendshape.synthetic.sequences import BASIC_EXPRESSIONS, FRAMES_PER_SECOND, SequencePlan
from synth_affect.blendshape.synthetic.style import FaceMotion, displaced, face_support
from synth_affect.blendshape.synthetic.subjects import Stream, draw_habits, draw_subject_motion, generator
from synth_affect.data.atomic import atomic_write
from synth_affect.errors import InputError
from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.mesh import Mesh
from synth_affect.optional import import_optional
from synth_affect.pipelines.gallery.synthesize import check_workers, in_order, keep_recipe

LABELS, RECIPE = "labels.csv", "recipe.json"
COLUMNS = (
    "subject",
    "session",
    "sequence",
    "frame",
    "valence",
    "arousal",
    "category",
    "posed",
    "apex",
    "neutral",
)
SESSION = "1"
"""The folders of scans have no level for sessions."""
MOST_SCANS = 1_000_000

Progress = Callable[[Iterable[Path], int], Iterable[Path]]


@dataclass(frozen=True, slots=True)
class ScanRecipe:
    """n_subjects : people.  n_scans : of all of them together; each gets as many.  every : one frame in so many of a
    recording, the first of which is neutral, is scanned.  seed : of people, recordings and scanner.

    Raises InputError naming the option.
    """

    n_subjects: int = 10
    n_scans: int = 500
    every: int = 8
    seed: int = 0
    scan: ScanSettings = field(default_factory=ScanSettings)

    def __post_init__(self) -> None:
        GalleryRecipe(self.n_subjects, 0, self.seed)
        if not self.n_subjects <= self.n_scans <= MOST_SCANS:
            raise InputError("--scans", f"{self.n_scans} is not in [{self.n_subjects} (one a subject), {MOST_SCANS}]")
        if not 1 <= self.every <= FRAMES_PER_SECOND:
            raise InputError("--every", f"{self.every} is not in [1, {FRAMES_PER_SECOND}]")


@dataclass(frozen=True, slots=True, eq=False)
class _Recording:
    """One recording, and which of its frames are scanned. rotations, translations : the head's pose at all frames."""

    id: RecordingId
    plan: SequencePlan
    frames: tuple[int, ...]
    rotations: FloatArray
    translations: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class _Scan:
    recording: _Recording
    frame: int

    def below(self, folder: Path, suffix: str) -> Path:
        subject, _, sequence = self.recording.id.names
        return folder / subject / sequence / f"{self.frame:05d}{suffix}"


def synthesize_scans(
    recipe: ScanRecipe, out: Path, *, truth: Path | None = None, workers: int = 1, progress: Progress | None = None
) -> dict[str, Any]:
    """Write scans to `out`/<subject>/<sequence>/<frame, 5 digits>.ply, and their labels to `out`/labels.csv at the end.

    truth : a folder for what a registration should find, npz files laid out alike: `template_vertices` (n_template, 3)
        float32, mm, where the template's vertices truly are in the scan; `rotation`, `translation` of the head.
    A run that was stopped goes on where it was. Returns a summary for `--json`.
    Raises InputError when a folder cannot be written, or `out` holds something else.
    """
    check_workers(workers)
    head = load_cc0()
    _make_folder(out)
    keep_recipe(out, out / RECIPE, {"scans": asdict(recipe), "head": head.topology})
    support = face_support(head, np.arange(len(head.mean), dtype=np.int32))
    surface = scanned_surface(head)
    planned = [recording for subject in range(recipe.n_subjects) for recording in _chosen(recipe, subject)]
    scans = [_Scan(recording, frame) for recording in planned for frame in recording.frames]

    @lru_cache(maxsize=workers + 1)
    def motion(subject: int) -> FaceMotion:
        return draw_subject_motion(support, recipe.seed, subject)

    def write(scan: _Scan) -> Path:
        recording, frame = scan.recording, scan.frame
        moves = motion(recording.id.subject)
        own = emphasis(moves, recipe.seed, recording.id)
        raw = raw_scan(
            surface,
            moves.neutral + displaced(moves, recording.plan.weights[frame : frame + 1], own)[0],
            generator(recipe.seed, Stream.SCANS, *recording.id.numbers, frame),
            recipe.scan,
            rotation=recording.rotations[frame],
            translation=recording.translations[frame],
        )
        path = scan.below(out, ".ply")
        if truth is not None:
            _write_truth(scan.below(truth, ".npz"), raw)
        _make_folder(path.parent)
        with atomic_write(path) as file:
            file.write(_ply(raw.mesh))
        return path

    missing = [
        scan
        for scan in scans
        if not (scan.below(out, ".ply").exists() and (truth is None or scan.below(truth, ".npz").exists()))
    ]
    written: Iterable[Path] = in_order(write, missing, workers)
    for _ in written if progress is None else progress(written, len(missing)):
        pass
    with atomic_write(out / LABELS) as file:
        file.write(_labels(recipe.seed, planned))
    return {
        "output": str(out),
        "labels": str(out / LABELS),
        "truth": None if truth is None else str(truth),
        "subjects": recipe.n_subjects,
        "sequences": len(planned),
        "scans": len(scans),
        "scans_added": len(missing),
    }


def _chosen(recipe: ScanRecipe, subject: int) -> Iterator[_Recording]:
    """Recordings of one person, spontaneous and posed in turn, until their share of the scans is reached."""
    habits = draw_habits(recipe.seed, subject)
    share, rest = divmod(recipe.n_scans, recipe.n_subjects)
    left = share + (subject < rest)
    for take in count():
        spontaneous = RecordingId(subject, "spontaneous", take)
        # Not the same pose first with everybody.
        posed = RecordingId(subject, "posed", (subject + take) % len(BASIC_EXPRESSIONS))
        for recording in (spontaneous, posed) if take < len(BASIC_EXPRESSIONS) else (spontaneous,):
            planned = plan(habits, recipe.seed, recording)
            frames = tuple(range(0, len(planned.weights), recipe.every))[:left]
            time_s = np.arange(len(planned.weights)) / FRAMES_PER_SECOND
            poses = draw_pose(time_s, generator(recipe.seed, Stream.POSES, *recording.numbers))
            yield _Recording(recording, planned, frames, *poses)
            left -= len(frames)
            if left == 0:
                return


def _labels(seed: int, planned: Sequence[_Recording]) -> bytes:
    """The CSV file of labels, as `data.sequence_labels` reads it."""
    annotators = draw_annotators(seed)
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for recording in planned:
        subject, _, sequence = recording.id.names
        affect = labelled(recording.plan, annotators, seed, recording.id)
        for frame in recording.frames:
            table.writerow(
                [
                    subject,
                    SESSION,
                    sequence,
                    frame,
                    *("" if np.isnan(value) else f"{value:.6f}" for value in affect[frame]),
                    recording.plan.category or "",
                    int(recording.plan.posed),
                    int(recording.plan.apex[frame]),
                    int(not recording.plan.weights[frame].any()),
                ]
            )
    return text.getvalue().encode()


def _ply(mesh: Mesh) -> bytes:
    trimesh = import_optional("trimesh", "gallery")
    scanned = trimesh.Trimesh(mesh.vertices, mesh.triangles, process=False)
    return bytes(scanned.export(file_type="ply", vertex_normal=False))


def _write_truth(path: Path, raw: RawScan) -> None:
    _make_folder(path.parent)
    packed = io.BytesIO()
    np.savez(packed, template_vertices=raw.template_vertices, rotation=raw.rotation, translation=raw.translation)
    with atomic_write(path) as file:
        file.write(packed.getvalue())


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(folder, f"cannot be made ({error.strerror or error})") from error
