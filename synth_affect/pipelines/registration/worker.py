"""One frame registered: read, find landmarks, bring the template onto it, judge, write."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from synth_affect.arrays import FloatArray
from synth_affect.blendshape.registration.quality import (
    RegistrationQuality,
    registration_quality,
    reject_reason,
)
from synth_affect.blendshape.registration.result import Registration
from synth_affect.blendshape.registration.rigid import RigidMotion, fit_rigid_robust, inverse, moved
from synth_affect.blendshape.registration.scan import MM_PER_UNIT, Scan, prepare_scan
from synth_affect.blendshape.registration.thin_plate import vertex_areas
from synth_affect.blendshape.registration.visibility import visible_vertices
from synth_affect.blendshape.template import Template
from synth_affect.data.landmark_markups import ibug_points
from synth_affect.data.landmarks_3d import read_landmarks_3d
from synth_affect.data.meshes import read_scan_mesh
from synth_affect.data.registered_scans import (
    FrameKey,
    RegisteredFrame,
    ReportLine,
    frame_path,
    read_frame,
    write_frame,
)
from synth_affect.data.scan_records import ScanRecord, ScanSequence
from synth_affect.errors import InputError, MissingDependencyError, SynthAffectError
from synth_affect.heads.model import embed
from synth_affect.pipelines.registration.landmark_files import landmark_file
from synth_affect.pipelines.registration.settings import REGISTRARS, RegisterSettings, Registrar, registrar_settings
from synth_affect.pipelines.scan_landmarks import ScanLandmarker

MIN_SHARED_LANDMARKS = 6
"""For moving the last frame to where the head is now."""


@dataclass(frozen=True, slots=True)
class FrameJob:
    """One frame, and those of its recording that it leans on: where to start, and whose head motion to take away."""

    key: FrameKey
    sequence: ScanSequence
    scan: ScanRecord
    previous: FrameKey | None
    reference: FrameKey | None


class FrameWorker:
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
        self._registrar: Registrar = make(template, registrar_settings(settings))
        vertices, triangles = template.mesh.vertices.astype(np.float64), template.mesh.triangles
        # By area: lids and lips, which move most, have most of the vertices.
        self._surface = vertex_areas(vertices, triangles) * visible_vertices(vertices, triangles)

    def do(self, job: FrameJob) -> ReportLine:
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

    def _register(self, job: FrameJob, scan: Scan) -> tuple[Registration, RegistrationQuality, FloatArray]:
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

    def _landmarks(self, job: FrameJob, scan: Scan, previous: RegisteredFrame | None) -> FloatArray:
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

    def _without_motion(self, job: FrameJob, registration: Registration, landmarks: FloatArray) -> RegisteredFrame:
        """In the head frame, as the first accepted frame of the recording stands there."""
        to_head, reference = registration.scan_to_head, self._frame(job.reference)
        if reference is not None:
            to_head = fit_rigid_robust(registration.vertices, reference.vertices, self._surface)
        back = inverse(to_head)
        return RegisteredFrame(
            moved(to_head, registration.vertices), back.rotation, back.translation, moved(to_head, landmarks)
        )


def _read(job: FrameJob) -> Scan:
    raw = read_scan_mesh(job.scan.mesh)
    return prepare_scan(raw.vertices, raw.triangles, name=str(job.scan.mesh))


def _on_scan(frame: RegisteredFrame) -> FloatArray:
    return moved(RigidMotion(frame.rotation, frame.translation), frame.vertices)
