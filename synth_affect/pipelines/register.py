"""Raw scans, still or in sequences, into the template's topology: read, landmarks, registration, judgement, file.

Each frame starts from the last accepted one of its recording, as that lies on the disk: so a resumed run goes on
exactly as one that was never stopped, and the order in which workers finish changes nothing.
"""

from __future__ import annotations

import contextlib
import dataclasses
import multiprocessing
import os
import signal
import threading
import time
from bisect import insort
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

import numpy as np

from synth_affect.arrays import FloatArray
from synth_affect.blendshape.registration.nonrigid_icp import FOR_SEEN_LANDMARKS, NonRigidIcp, NonRigidIcpSettings
from synth_affect.blendshape.registration.quality import (
    QualityLimits,
    RegistrationQuality,
    registration_quality,
    reject_reason,
)
from synth_affect.blendshape.registration.result import Registration
from synth_affect.blendshape.registration.rigid import RigidMotion, fit_rigid_robust, inverse, moved
from synth_affect.blendshape.registration.scan import MM_PER_UNIT, Scan, prepare_scan
from synth_affect.blendshape.registration.thin_plate import vertex_areas
from synth_affect.blendshape.registration.uv_registration import UvRegistration, UvSettings
from synth_affect.blendshape.registration.visibility import visible_vertices
from synth_affect.blendshape.template import Template
from synth_affect.data.landmark_markups import ibug_points
from synth_affect.data.landmarks_3d import SUFFIXES, read_landmarks_3d
from synth_affect.data.meshes import read_scan_mesh
from synth_affect.data.registered_scans import (
    FrameKey,
    RegisteredFrame,
    ReportLine,
    append_report,
    frame_path,
    read_frame,
    read_report,
    start_folder,
    write_frame,
    write_report,
)
from synth_affect.data.scan_records import ScanRecord, ScanSequence
from synth_affect.errors import InputError, MissingDependencyError, SynthAffectError
from synth_affect.heads.model import embed
from synth_affect.pipelines.scan_landmarks import ScanLandmarker

Method = Literal["nicp", "uv"]
MAX_WORKERS = 64
MAX_LEVELS = 4
"""Of folders, for which a folder of landmark files is searched in the likeness of the folder of scans."""
MIN_SHARED_LANDMARKS = 6
"""For moving the last frame to where the head is now."""


class Registrar(Protocol):
    """Brings a template onto scans."""

    def __call__(
        self,
        scan: Scan,
        landmarks: FloatArray,
        *,
        start: FloatArray | None = None,
        neutral: FloatArray | None = None,
    ) -> Registration:
        """The template's vertices on `scan`.

        landmarks : (68, 3), mm, scan frame, in the order of the template's; rows of NaN where a point is missing.
        start : (n_vertices, 3), mm, scan frame: about where the vertices are, from the frame before. With it the
            landmarks may all be missing.
        neutral : (n_vertices, 3), mm, any frame: the same face in the reference frame of the recording, from which
            displacements are taken; None takes the start for it.
        Raises InputError when the landmarks are too few, or the scan is not beneath the template.
        """
        ...


REGISTRARS: dict[Method, tuple[Any, Any]] = {
    "nicp": (NonRigidIcp, NonRigidIcpSettings),
    "uv": (UvRegistration, UvSettings),
}
"""Each way's registrar, made from a template and settings, and the default settings."""


@dataclass(frozen=True, slots=True)
class RegisterSettings:
    """How scans are registered; a folder of registered scans keeps to one of these.

    landmarks : folder or pattern of landmark files, see `landmark_file`; None looks for them on the scans.
    landmark_model : MediaPipe's model file, where not the one that is found.
    """

    method: Method = "nicp"
    landmarks: str | None = None
    landmark_model: Path | None = None
    limits: QualityLimits = field(default_factory=QualityLimits)

    def __post_init__(self) -> None:
        if self.method not in get_args(Method):
            raise InputError("--method", f"{self.method!r} is none of {', '.join(get_args(Method))}")


@dataclass(frozen=True, slots=True)
class RegisterPlan:
    """What a run has to do: `pending` frames of each recording, in order, and the lines of what is done already."""

    pending: tuple[tuple[ScanSequence, tuple[ScanRecord, ...]], ...]
    done: dict[FrameKey, ReportLine]

    @property
    def count(self) -> int:
        """How many frames are pending."""
        return sum(len(scans) for _, scans in self.pending)


def plan_registration(
    sequences: Sequence[ScanSequence], template: Template, out: Path, settings: RegisterSettings
) -> RegisterPlan:
    """Prepare `out`, and see what is left to do there.

    Raises InputError when `out` was begun with another template or other settings.
    """
    manifest = {
        "method": settings.method,
        "landmarks": "files" if settings.landmarks is not None else "seen",
        "limits": asdict(settings.limits),
        settings.method: asdict(_registrar_settings(settings)),
    }
    start_folder(out, template, manifest)
    done = {key: line for key, line in read_report(out).items() if not line.accepted or frame_path(out, key).is_file()}
    pending = []
    for sequence in sequences:
        scans = tuple(scan for scan in sequence.scans if _key(sequence, scan) not in done)
        if scans:
            pending.append((sequence, scans))
    return RegisterPlan(tuple(pending), done)


def register_scans(
    plan: RegisterPlan, template: Template, out: Path, settings: RegisterSettings, *, workers: int = 1
) -> Iterator[ReportLine]:
    """Register what is pending; yields a line a mesh, as it is done. However it ends, the report is sorted.

    workers : processes; recordings are spread over them, the frames of one follow each other.
    Raises InputError when `out` cannot be written or a worker dies; what is done stays done.
    """
    if not 1 <= workers <= MAX_WORKERS:
        raise InputError("--workers", f"{workers} is not in [1, {MAX_WORKERS}]")
    lines = dict(plan.done)
    write_report(out, lines.values())  # without the torn end that a kill leaves
    chains = [_Chain(sequence, scans, lines) for sequence, scans in plan.pending]
    workers = min(workers, len(chains))
    try:
        work = _serial(chains, template, out, settings)
        if workers > 1:
            work = _pooled(chains, template, out, settings, workers)
        for line in work:
            append_report(out, line)
            lines[line.key] = line
            yield line
    finally:
        write_report(out, lines.values())


def _registrar_settings(settings: RegisterSettings) -> Any:
    """The way's own settings."""
    if settings.method == "nicp" and settings.landmarks is None:
        return FOR_SEEN_LANDMARKS
    return REGISTRARS[settings.method][1]()


def default_workers() -> int:
    """One a core that this process may use, at most eight: each holds the factorisations of its own."""
    return min(8, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def landmark_file(pattern: str, sequence: ScanSequence, scan: ScanRecord) -> Path:
    """The landmark file of a scan.

    pattern : a path with any of {folder} (the mesh's), {stem}, {subject}, {session}, {sequence} and {frame}
        (`{frame:05d}`), or a folder that holds files named like the meshes, in folders like theirs or not.
    Raises InputError when there is none.
    """
    if "{" in pattern:
        names: dict[str, Any] = {
            "folder": scan.mesh.parent,
            "stem": scan.mesh.stem,
            "subject": sequence.subject,
            "session": sequence.session,
            "sequence": sequence.sequence,
            "frame": scan.frame,
        }
        try:
            path = Path(pattern.format(**names))
        except (KeyError, ValueError, IndexError, AttributeError) as error:
            raise InputError("--landmarks", f"{pattern!r} is no pattern of files ({error})") from None
        if not path.is_file():
            raise InputError(path, "no such landmark file")
        return path
    folder, parents = Path(pattern), scan.mesh.absolute().parent.parts
    for depth in range(MAX_LEVELS + 1):  # as deep as the mesh lies below the folder of scans
        place = folder.joinpath(*parents[len(parents) - depth :]) if depth else folder
        for suffix in SUFFIXES:
            if (path := place / f"{scan.mesh.stem}{suffix}").is_file():
                return path
    raise InputError(scan.mesh, f"has no landmark file in {folder} ({', '.join(SUFFIXES)})")


@dataclass(frozen=True, slots=True)
class _Job:
    """One frame, and those of its recording that it leans on: where to start, and whose head motion to take away."""

    key: FrameKey
    sequence: ScanSequence
    scan: ScanRecord
    previous: FrameKey | None
    reference: FrameKey | None


class _Chain:
    """The pending frames of one recording, one after the other."""

    def __init__(
        self, sequence: ScanSequence, scans: Sequence[ScanRecord], lines: Mapping[FrameKey, ReportLine]
    ) -> None:
        self._sequence, self._left = sequence, list(scans)
        keys = (_key(sequence, scan) for scan in sequence.scans)
        self._accepted = [key for key in keys if key in lines and lines[key].accepted]

    def next(self) -> _Job | None:
        """The next frame's job; None at the end. The one before must be done."""
        if not self._left:
            return None
        scan = self._left.pop(0)
        key = _key(self._sequence, scan)
        before = [other for other in self._accepted if other < key]
        # Without its fellows: a recording of thousands of frames is not sent along with each of them.
        alone = dataclasses.replace(self._sequence, scans=(scan,), unpaired=())
        reference = self._accepted[0] if self._accepted else None
        return _Job(key, alone, scan, before[-1] if before else None, reference)

    def done(self, line: ReportLine) -> None:
        """What became of the last job."""
        if line.accepted:
            insort(self._accepted, line.key)


def _serial(
    chains: Sequence[_Chain], template: Template, out: Path, settings: RegisterSettings
) -> Iterator[ReportLine]:
    worker = _Worker(template, out, settings)
    for chain in chains:
        while (job := chain.next()) is not None:
            line = worker.do(job)
            chain.done(line)
            yield line


def _pooled(
    chains: Sequence[_Chain], template: Template, out: Path, settings: RegisterSettings, workers: int
) -> Iterator[ReportLine]:
    waiting = iter(chains)
    running: dict[Future[ReportLine], _Chain] = {}
    with _interrupts_ignored():  # workers inherit it: an interrupt is for the parent, which lets them finish a frame
        pool = ProcessPoolExecutor(
            workers, multiprocessing.get_context("spawn"), initializer=_start_worker, initargs=(template, out, settings)
        )
        for chain in islice(waiting, workers + 1):  # one more than can run, so that no worker waits for us
            _submit(pool, chain, running)
    try:
        while running:
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                chain = running.pop(future)
                line = future.result()
                chain.done(line)
                yield line
                following: _Chain | None = chain
                while following is not None and not _submit(pool, following, running):
                    following = next(waiting, None)
    except BrokenProcessPool as error:
        raise InputError(out, "a worker ended before its time (out of memory?); what is done stays done") from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _submit(pool: Executor, chain: _Chain, running: dict[Future[ReportLine], _Chain]) -> bool:
    """Whether there was a frame left."""
    job = chain.next()
    if job is not None:
        running[pool.submit(_do, job)] = chain
    return job is not None


@contextlib.contextmanager
def _interrupts_ignored() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class _Worker:
    """Does frames; keeps what is worth keeping: the registrar's factorisations, the detector."""

    def __init__(self, template: Template, out: Path, settings: RegisterSettings) -> None:
        self._out, self._settings = out, settings
        self._landmarker: ScanLandmarker | None = None
        if settings.landmarks is None:
            from synth_affect.fitting.mediapipe_detector import MediaPipeDetector

            self._landmarker = ScanLandmarker(template, MediaPipeDetector(settings.landmark_model))
            template = self._landmarker.as_seen
        make, _ = REGISTRARS[settings.method]
        self._template = template
        self._registrar: Registrar = make(template, _registrar_settings(settings))
        vertices, triangles = template.mesh.vertices.astype(np.float64), template.mesh.triangles
        # By area: lids and lips, which move most, have most of the vertices.
        self._surface = vertex_areas(vertices, triangles) * visible_vertices(vertices, triangles)

    def do(self, job: _Job) -> ReportLine:
        """Register one frame and write it, if it is good.

        Raises InputError when it cannot be written, MissingDependencyError when its format needs a package.
        """
        began = time.perf_counter()
        unit, measures, frame, reason = "", {}, None, ""
        try:
            scan = _read(job)
            unit = scan.unit
            registration, quality, landmarks = self._register(job, scan)
            measures = {name: float(v) for name, v in asdict(quality).items() if np.isfinite(v)}
            reason = reject_reason(quality, self._settings.limits) or ""
            frame = self._without_motion(job, registration, landmarks)
        except MissingDependencyError:
            raise
        except InputError as error:
            reason = error.reason if error.path == str(job.scan.mesh) else str(error)
        except (SynthAffectError, np.linalg.LinAlgError) as error:
            reason = str(error) or "cannot be registered"
        except MemoryError:
            reason = "needs more memory than there is"
        path = frame_path(self._out, job.key)
        if frame is not None and not reason:
            write_frame(path, frame)
        return ReportLine(job.key, str(job.scan.mesh), reason, unit, measures, time.perf_counter() - began)

    def _register(self, job: _Job, scan: Scan) -> tuple[Registration, RegistrationQuality, FloatArray]:
        """The registration, how good it is, and the landmarks that were found."""
        previous = self._frame(job.previous)
        landmarks = self._landmarks(job, scan, previous)
        reference = self._frame(job.reference)
        if previous is not None and reference is not None:
            steady = self._steadied(landmarks, reference)
            start = self._moved_along(_on_scan(previous), steady)
            registration = self._registrar(scan, steady, start=start, neutral=reference.vertices)
            quality = registration_quality(self._template, scan, registration)
            if reject_reason(quality, self._settings.limits) is None:
                return registration, quality, landmarks
        # The first frame, or one that has nothing to do with the one before.
        registration = self._registrar(scan, landmarks)
        return registration, registration_quality(self._template, scan, registration), landmarks

    def _frame(self, key: FrameKey | None) -> RegisteredFrame | None:
        return None if key is None else read_frame(frame_path(self._out, key))

    def _steadied(self, landmarks: FloatArray, reference: RegisteredFrame) -> FloatArray:
        """`landmarks` without what the finder does wrong on this face again and again, as the reference frame tells it:
        there the difference between the landmarks found and the registered face is known.
        """
        found = reference.landmarks.astype(np.float64)
        shared = np.isfinite(landmarks).all(axis=1) & np.isfinite(found).all(axis=1)
        if shared.sum() < MIN_SHARED_LANDMARKS:
            return landmarks
        error = found - self._embedded(reference.vertices.astype(np.float64))
        to_head = fit_rigid_robust(landmarks[shared], found[shared])
        steady = landmarks.copy()
        steady[shared] = moved(inverse(to_head), moved(to_head, landmarks[shared]) - error[shared])
        return steady

    def _embedded(self, vertices: FloatArray) -> FloatArray:
        return embed(vertices, self._template.mesh.triangles, self._template.landmarks_68)

    def _landmarks(self, job: _Job, scan: Scan, previous: RegisteredFrame | None) -> FloatArray:
        if self._landmarker is not None:
            pose = None if previous is None else inverse(RigidMotion(previous.rotation, previous.translation))
            return self._landmarker(scan, scan_to_head=pose)
        pattern = self._settings.landmarks or ""
        path = job.scan.landmarks or landmark_file(pattern, job.sequence, job.scan)
        return ibug_points(read_landmarks_3d(path), path) * MM_PER_UNIT[scan.unit]

    def _moved_along(self, vertices: FloatArray, landmarks: FloatArray) -> FloatArray:
        """`vertices` after the motion of the head since, as the landmarks tell it."""
        before = self._embedded(vertices)
        shared = np.isfinite(landmarks).all(axis=1)
        if shared.sum() < MIN_SHARED_LANDMARKS:
            return vertices
        return moved(fit_rigid_robust(before[shared], landmarks[shared]), vertices)

    def _without_motion(self, job: _Job, registration: Registration, landmarks: FloatArray) -> RegisteredFrame:
        """In the head frame, as the first accepted frame of the recording stands there."""
        to_head, reference = registration.scan_to_head, self._frame(job.reference)
        if reference is not None:
            to_head = fit_rigid_robust(registration.vertices, reference.vertices, self._surface)
        back = inverse(to_head)
        return RegisteredFrame(
            moved(to_head, registration.vertices), back.rotation, back.translation, moved(to_head, landmarks)
        )


def _read(job: _Job) -> Scan:
    raw = read_scan_mesh(job.scan.mesh)
    return prepare_scan(raw.vertices, raw.triangles, name=str(job.scan.mesh))


def _on_scan(frame: RegisteredFrame) -> FloatArray:
    return moved(RigidMotion(frame.rotation, frame.translation), frame.vertices)


def _key(sequence: ScanSequence, scan: ScanRecord) -> FrameKey:
    return FrameKey(sequence.subject, sequence.session, sequence.sequence, scan.frame)


_worker: _Worker | None = None
"""Of this process, where it is a worker of the pool."""


def _start_worker(template: Template, out: Path, settings: RegisterSettings) -> None:
    global _worker
    _worker = _Worker(template, out, settings)


def _do(job: _Job) -> ReportLine:
    assert _worker is not None
    return _worker.do(job)
