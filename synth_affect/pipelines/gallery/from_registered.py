"""A gallery from a database whose meshes are registered already (CoMA, D3DFACS): of their topology, without labels.

No frame of these databases is marked as neutral; recordings begin near it. A person's face at rest is the median over
the first frames of all recordings of that person. In each recording the frame next to it, among the first second, is
the neutral one, from which the displacements of that recording are measured, without the motion of the head.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import numpy as np

from synth_affect.arrays import FloatArray, IntArray
from synth_affect.blendshape.gallery.frames import GallerySequence
from synth_affect.blendshape.gallery.writer import GalleryWriter, ensure_gallery
from synth_affect.blendshape.registration.rigid import fit_rigid_robust, moved
from synth_affect.blendshape.registration.scan import MM_PER_UNIT, prepare_scan
from synth_affect.blendshape.template import Template
from synth_affect.data.meshes import read_scan_mesh
from synth_affect.data.scan_records import FLAME_TOPOLOGY, ScanRecord, ScanSequence
from synth_affect.errors import FitError, InputError
from synth_affect.heads.archive import topology_id
from synth_affect.heads.mesh import Mesh
from synth_affect.heads.model import LandmarkEmbedding

N_VERTICES = {FLAME_TOPOLOGY: 5023}
FIRST_FRAMES = 10
"""Of each recording, for the face at rest; a sixth of a second."""
NEUTRAL_WITHIN = 60
"""Frames; a second."""
MAX_DISPLACEMENT_MM = 100.0
"""No point of a face gets that far from where it rests: a chin travels half of it."""

Progress = Callable[[Iterable[ScanSequence], int], Iterable[ScanSequence]]
"""Passes on what it is given; the count is how many there will be."""


@dataclass(slots=True)
class RegisteredGallery:
    """What was made. sequences, frames : appended by this call.  there_before : recordings passed over.
    rejected : what is left out, a mesh or a recording, with the reason.
    """

    gallery: Path
    sequences: int = 0
    frames: int = 0
    there_before: int = 0
    rejected: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class _Topology:
    """triangles : (n_triangles, 3) int32 of every mesh.  scale : from their unit to mm."""

    name: str
    n_vertices: int
    triangles: IntArray
    scale: float


def gallery_from_registered(
    recordings: Iterable[ScanSequence], gallery: Path, *, progress: Progress = lambda items, count: items
) -> RegisteredGallery:
    """Append `recordings`, which share a topology, to `gallery`, which is made where there is none.

    Recordings that the gallery has already are passed over: so a run that was stopped is resumed by the same call.
    A mesh that cannot be read or has other triangles is left out and listed; so is a recording without any other.
    Raises InputError when the recordings are raw scans, none can be used, or the gallery is of another template.
    """
    everything = sorted(recordings, key=lambda recording: recording.name)
    made = RegisteredGallery(gallery)
    topology = _topology(everything, made)
    at_rest = {
        subject: _face_at_rest(list(of_subject), topology, made)
        for subject, of_subject in groupby(everything, key=lambda recording: recording.subject)
    }
    faces = [face for face in at_rest.values() if face is not None]
    if not faces:
        raise InputError(everything[0].scans[0].mesh, "and all other meshes cannot be used")
    ensure_gallery(gallery, _template(topology, faces))
    with GalleryWriter(gallery) as writer:
        for recording in progress(everything, len(everything)):
            if (recording.subject, recording.session, recording.sequence) in writer:
                made.there_before += 1
                continue
            sequence = _sequence(recording, topology, at_rest[recording.subject], made)
            if sequence is not None:
                writer.append(sequence)
                made.sequences += 1
                made.frames += len(sequence.frame)
    return made


def _topology(recordings: list[ScanSequence], made: RegisteredGallery) -> _Topology:
    """That of the first mesh which can be read and has the vertices that it should have."""
    for recording in recordings:
        if recording.topology not in N_VERTICES:
            raise InputError(recording.scans[0].mesh, "is a raw scan; synth-affect register brings it to a template")
        for scan in recording.scans:
            try:
                mesh = read_scan_mesh(scan.mesh)
                _check_count(mesh.vertices, scan, recording.topology, N_VERTICES[recording.topology])
                unit = prepare_scan(mesh.vertices, mesh.triangles, name=str(scan.mesh)).unit
            except InputError as error:
                made.rejected[error.path] = error.reason
                continue
            return _Topology(recording.topology, len(mesh.vertices), mesh.triangles, MM_PER_UNIT[unit])
    raise InputError(recordings[0].scans[0].mesh if recordings else "recordings", "and all other meshes cannot be used")


def _check_count(vertices: FloatArray, scan: ScanRecord, name: str, n_vertices: int) -> None:
    if len(vertices) != n_vertices:
        raise InputError(scan.mesh, f"has {len(vertices)} vertices, those of {name} {n_vertices}")


def _vertices(
    scans: Iterable[ScanRecord], topology: _Topology, made: RegisteredGallery
) -> Iterator[tuple[int, FloatArray]]:
    """Frame number and (n_vertices, 3) float64, mm, of the meshes that can be used."""
    for scan in scans:
        try:
            mesh = read_scan_mesh(scan.mesh)
            _check_count(mesh.vertices, scan, topology.name, topology.n_vertices)
            if not np.array_equal(mesh.triangles, topology.triangles):
                raise InputError(scan.mesh, "has other triangles than the meshes before it")
        except InputError as error:
            made.rejected[error.path] = error.reason
            continue
        yield scan.frame, mesh.vertices.astype(np.float64) * topology.scale


def _face_at_rest(recordings: list[ScanSequence], topology: _Topology, made: RegisteredGallery) -> FloatArray | None:
    """(n_vertices, 3) float64, mm; None where no mesh of the person can be used."""
    starts = [
        vertices
        for recording in recordings
        for _, vertices in _vertices(recording.scans[:FIRST_FRAMES], topology, made)
    ]
    if not starts:
        return None
    return np.asarray(np.median([_onto(vertices, starts[0]) for vertices in starts], axis=0))


def _onto(vertices: FloatArray, target: FloatArray) -> FloatArray:
    """`vertices` after the motion of the head that brings most of them onto `target`."""
    return moved(fit_rigid_robust(vertices, target), vertices)


def _template(topology: _Topology, faces: list[FloatArray]) -> Template:
    """The mean of the faces at rest. Where ibug's landmarks lie on this topology is not known here."""
    mean = np.mean([_onto(face, faces[0]) for face in faces], axis=0)
    return Template(
        name=topology.name,
        topology=topology_id(topology.triangles),
        mesh=Mesh(mean.astype(np.float32), topology.triangles),
        landmarks_68=LandmarkEmbedding(np.empty(0, np.int32), np.empty((0, 3), np.float32)),
    )


def _sequence(
    recording: ScanSequence, topology: _Topology, rest: FloatArray | None, made: RegisteredGallery
) -> GallerySequence | None:
    """The recording for the gallery; None where it cannot be used, which is noted."""
    frames: list[int] = []
    faces: list[FloatArray] = []
    try:
        for number, vertices in _vertices(recording.scans, topology, made):
            assert rest is not None  # a mesh that can be used now could be used before
            frames.append(number)
            faces.append(_onto(vertices, rest).astype(np.float32))
        if not faces:
            raise InputError(recording.name, "has no mesh that can be used")
        offsets = np.array(faces)
        n_start = int(np.searchsorted(frames, frames[0] + NEUTRAL_WITHIN))
        distance = np.square(offsets[:n_start] - np.asarray(rest, np.float32)).sum(axis=(1, 2))
        offsets -= offsets[int(np.argmin(distance))].copy()
        largest = float(np.abs(offsets).max())
        if largest > MAX_DISPLACEMENT_MM:
            raise InputError(recording.name, f"a point moves by {largest:.0f} mm, which is no expression")
    except (InputError, FitError) as error:
        made.rejected[recording.name] = error.reason if isinstance(error, InputError) else str(error)
        return None
    return GallerySequence(
        subject=recording.subject,
        session=recording.session,
        sequence=recording.sequence,
        posed=recording.posed,
        category=recording.category,
        offsets=offsets.astype(np.float16),
        frame=np.array(frames, dtype=np.int32),
        valence=np.full(len(frames), np.nan, dtype=np.float32),
        arousal=np.full(len(frames), np.nan, dtype=np.float32),
        apex=np.zeros(len(frames), dtype=np.bool_),
    )
