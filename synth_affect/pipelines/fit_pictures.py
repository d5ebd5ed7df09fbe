"""Many pictures and videos in, one table of fitted faces out."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from synth_affect.data.fit_table import FaceRow, check_fit_table, write_fit_table
from synth_affect.data.picture_encoding import FORMAT_OF_SUFFIX
from synth_affect.data.video_frames import VideoFile, is_video
from synth_affect.errors import InputError
from synth_affect.fitting.fit import FaceFit
from synth_affect.fitting.quality import check_min_quality
from synth_affect.fitting.same_person import SeenFace, fit_batch
from synth_affect.fitting.solver import LandmarkSolver
from synth_affect.fitting.temporal import smooth_fits
from synth_affect.fitting.tracks import track_faces
from synth_affect.heads.model import HeadModel
from synth_affect.pipelines.fit_faces import FaceFitter, FittedFace, PictureFaces, PictureTask
from synth_affect.pipelines.fit_journal import DoneKey, FitJournal
from synth_affect.pipelines.open_detector import DetectorChoice, check_detector
from synth_affect.pipelines.open_head import DEFAULT, open_head
from synth_affect.pipelines.workers import LocalEngine

PICTURE_SUFFIXES = (*FORMAT_OF_SUFFIX, ".bmp", ".gif", ".ppm", ".pgm", ".jp2", ".heic", ".heif")
"""What is taken for a picture in a folder; a file that is named is read whatever its suffix."""

PICTURE = -1
"""In place of a frame's number."""

Progress = Callable[[Iterable[PictureFaces], int], Iterable[PictureFaces]]


@dataclass(frozen=True, slots=True)
class FitSettings:
    """What the table depends on beside the pictures.

    faces : of each picture or frame, all or the largest.
    same_person : all pictures show one person, who is the largest face of each, and share the identity. Faces of a
        video that overlap from frame to frame do so in any case.
    smooth : over time, what is seen in a video.
    min_quality : a face that scores less has a reason in place of a fit.
    Raises InputError for choices that exclude each other.
    """

    faces: Literal["all", "largest"] = "all"
    same_person: bool = False
    smooth: bool = True
    min_quality: float = 0.0
    head: str = DEFAULT
    detector: DetectorChoice = field(default_factory=DetectorChoice)

    def __post_init__(self) -> None:
        if self.faces not in ("all", "largest"):
            raise InputError("--face", f"{self.faces!r} is none of all, largest")
        if self.same_person and self.faces != "largest":
            raise InputError("--same-person", "takes the largest face of each picture; add --face largest")
        check_min_quality(self.min_quality)


@dataclass(frozen=True, slots=True)
class FitSummary:
    """rows : of the table, which is at `output`: fitted faces, refused ones, failures.  people : that were followed
    over several pictures.  reasons : how often each; the figures in them left out.
    """

    output: Path
    pictures: int
    videos: int
    rows: int
    fitted: int
    people: int
    reasons: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Source:
    path: Path
    stamp: str
    """Size and time of the file: whether it is the one that an earlier run saw."""
    announced: int
    """Frames of a video; 1 of a picture."""
    reason: str = ""


def fit_pictures(
    inputs: Sequence[Path],
    output: Path,
    settings: FitSettings | None = None,
    *,
    workers: int = 1,
    progress: Progress = lambda items, count: items,
) -> FitSummary:
    """Fit the faces of all pictures and videos in `inputs` (files and folders), and write the table `output`.

    workers : processes that look for faces and fit; the table does not depend on how many.
    What cannot be read, shows no face or is refused has a row with the reason. A run that was stopped goes on from its
    journal, which lies beside the table until that is written.
    Raises InputError when there is nothing to read or the table cannot be written, MissingDependencyError where its
    format or the detector needs what is not installed.
    """
    chosen = FitSettings() if settings is None else settings
    engine = LocalEngine(workers)
    paths = list_pictures(inputs)
    check_fit_table(output, [path for path in inputs if path.is_file()])
    check_detector(chosen.detector)
    head = open_head(chosen.head)
    with FitJournal(output, _described(chosen, head)) as journal:
        sources = [_source(path) for path in paths]
        found: dict[tuple[int, int], PictureFaces] = {}
        notes: dict[int, str] = {k: source.reason for k, source in enumerate(sources) if source.reason}
        known = _known(sources, journal, found)
        tasks = _tasks(sources, known, notes)
        fitter = partial(FaceFitter, chosen.head, chosen.detector, chosen.faces == "largest")
        n_open = sum(source.announced for source in sources if not source.reason) - len(found)
        for faces in progress(engine.outcomes(fitter, tasks), max(n_open, 0)):
            source, frame = faces.key
            journal.append(DoneKey(str(sources[source].path), sources[source].stamp, frame), faces)
            found[faces.key] = faces
        rows = _rows(sources, found, notes, head, chosen)
        write_fit_table(rows, output)
        journal.remove()
    fitted = [row for row in rows if row.fit is not None]
    return FitSummary(
        output=output,
        pictures=sum(not is_video(path) for path in paths),
        videos=sum(is_video(path) for path in paths),
        rows=len(rows),
        fitted=len(fitted),
        people=len({row.person for row in fitted if row.person is not None}),
        reasons=dict(Counter(_kind(row.reason) for row in rows if row.reason)),
    )


def list_pictures(inputs: Sequence[Path]) -> list[Path]:
    """The files in `inputs`, and of its folders all pictures and videos below, in order; none twice.

    Raises InputError when a path is not there, or there is nothing.
    """
    found: dict[Path, Path] = {}
    for path in inputs:
        if path.is_dir():
            inside = sorted(
                file
                for file in path.rglob("*")
                if (file.suffix.lower() in PICTURE_SUFFIXES or is_video(file))
                and not any(part.startswith(".") for part in file.relative_to(path).parts)
                and file.is_file()
            )
            if not inside:
                raise InputError(path, "holds no picture and no video")
        elif path.exists():
            inside = [path]
        else:
            raise InputError(path, "no such file or folder")
        for file in inside:
            found.setdefault(file.resolve(), file)
    if not found:
        raise InputError("PICTURES", "missing; give folders, videos or pictures")
    return list(found.values())


def _described(settings: FitSettings, head: HeadModel) -> dict[str, Any]:
    """What the journal's answers depend on."""
    return {
        "faces": settings.faces,
        "head": head.name,
        "topology": head.topology,
        "detector": settings.detector.name,
        "landmark_model": None if settings.detector.landmark_model is None else str(settings.detector.landmark_model),
    }


def _source(path: Path) -> _Source:
    try:
        status = path.stat()
        stamp = f"{status.st_size}-{status.st_mtime_ns}"
        if not is_video(path):
            return _Source(path, stamp, 1)
        with VideoFile(path) as video:
            return _Source(path, stamp, video.announced)
    except OSError as error:
        return _Source(path, "", 0, f"cannot be read ({error.strerror or error})")
    except InputError as error:
        return _Source(path, "", 0, error.reason)


def _known(
    sources: Sequence[_Source], journal: FitJournal, found: dict[tuple[int, int], PictureFaces]
) -> list[set[int]]:
    """Of each source the frames that the journal has, which are put into `found`."""
    places = {(str(source.path), source.stamp): k for k, source in enumerate(sources)}
    known: list[set[int]] = [set() for _ in sources]
    for done, faces in journal.done.items():
        place = places.get((done.source, done.stamp))
        if place is not None:
            known[place].add(done.frame)
            found[place, done.frame] = dataclasses.replace(faces, key=(place, done.frame))
    return known


def _tasks(sources: Sequence[_Source], known: Sequence[set[int]], notes: dict[int, str]) -> Iterator[PictureTask]:
    """What is still to be done; what cannot be read of a video goes into `notes`."""
    for place, (source, done) in enumerate(zip(sources, known, strict=True)):
        if source.reason:
            continue
        if not is_video(source.path):
            if PICTURE not in done:
                yield PictureTask((place, PICTURE), source.path)
            continue
        try:
            with VideoFile(source.path) as video:
                for frame in video.frames(done):
                    yield PictureTask((place, frame.index), frame)
                if video.missing:
                    notes[place] = f"cut short or damaged: {video.n_read} of {video.announced} frames could be read"
        except InputError as error:
            notes[place] = error.reason


def _rows(
    sources: Sequence[_Source],
    found: dict[tuple[int, int], PictureFaces],
    notes: dict[int, str],
    head: HeadModel,
    settings: FitSettings,
) -> list[FaceRow]:
    """In the order of the sources, their frames and the size of the faces; a note on a source stands behind them."""
    order = sorted(found)
    places = [(key, face) for key in order for face in range(len(found[key].faces))]
    accepted = [at for at in places if not _refusal(_face(found, at), settings.min_quality)]
    people = _people(found, accepted, settings, sources)
    fits = _fits(found, accepted, people, LandmarkSolver(head), settings.smooth)
    rows: list[FaceRow] = []
    for place, source in enumerate(sources):
        for key in (key for key in order if key[0] == place):
            whole = found[key]
            frame = None if key[1] == PICTURE else key[1]
            if not whole.faces:
                rows.append(FaceRow(str(source.path), frame, whole.time_s, None, None, whole.reason))
            for number, face in enumerate(whole.faces):
                at = key, number
                rows.append(
                    FaceRow(
                        source=str(source.path),
                        frame=frame,
                        time_s=whole.time_s,
                        face=number,
                        person=people.get(at),
                        reason=_refusal(face, settings.min_quality),
                        fit=fits.get(at),
                        quality=face.quality,
                        unit_names=head.unit_names if at in fits else (),
                    )
                )
        if place in notes:
            rows.append(FaceRow(str(source.path), None, None, None, None, notes[place]))
    return rows


_At = tuple[tuple[int, int], int]
"""Source, frame; and the face there."""


def _face(found: dict[tuple[int, int], PictureFaces], at: _At) -> FittedFace:
    return found[at[0]].faces[at[1]]


def _refusal(face: FittedFace, min_quality: float) -> str:
    if face.quality.score >= min_quality:
        return ""
    return f"quality {face.quality.score:.2f} is below {min_quality:g}: {face.quality.reason}"


def _people(
    found: dict[tuple[int, int], PictureFaces],
    accepted: Sequence[_At],
    settings: FitSettings,
    sources: Sequence[_Source],
) -> dict[_At, int]:
    """A number for who is seen in several pictures, as far as that is known."""
    if settings.same_person:
        return dict.fromkeys(accepted, 0)
    people: dict[_At, int] = {}
    n_people = 0
    for place, source in enumerate(sources):
        if not is_video(source.path):
            continue
        frames: dict[tuple[int, int], list[_At]] = {}
        for at in accepted:
            if at[0][0] == place:
                frames.setdefault(at[0], []).append(at)
        points = [[_face(found, at).fit.landmarks_image for at in faces] for faces in frames.values()]
        tracks = track_faces(points, [found[key].time_s or 0.0 for key in frames])
        for faces, numbers in zip(frames.values(), tracks, strict=True):
            people |= {at: n_people + number for at, number in zip(faces, numbers, strict=True)}
        n_people += 1 + max((number for numbers in tracks for number in numbers), default=-1)
    return people


def _fits(
    found: dict[tuple[int, int], PictureFaces],
    accepted: Sequence[_At],
    people: dict[_At, int],
    solver: LandmarkSolver,
    smooth: bool,
) -> dict[_At, FaceFit]:
    faces = [_face(found, at) for at in accepted]
    fits = fit_batch(
        solver,
        [SeenFace(face.landmarks, face.fit.image_size) for face in faces],
        people=[people.get(at) for at in accepted],
        alone=[face.fit for face in faces],
    )
    placed = dict(zip(accepted, fits, strict=True))
    if not smooth:
        return placed
    courses: dict[tuple[int, int], list[_At]] = {}
    for at in accepted:
        if at[0][1] != PICTURE and at in people:
            courses.setdefault((at[0][0], people[at]), []).append(at)
    for course in courses.values():
        times = np.array([found[key].time_s or 0.0 for key, _ in course])
        smoothed = smooth_fits([placed[at] for at in course], times)
        for at, fit in zip(course, smoothed, strict=True):
            placed[at] = dataclasses.replace(fit, residual_iod=solver.residual_iod(fit))
    return placed


def _kind(reason: str) -> str:
    """The same words for all figures."""
    return "quality below the minimum" if reason.startswith("quality ") else reason
