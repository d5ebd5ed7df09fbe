"""A video in, a video out: one person's face edited in every frame that shows it, steadily, with the sound kept.

First every frame is fitted; the fits of the person who is seen longest share an identity and are smoothed over time,
and a few frames in which the face was not found are bridged. Then every frame is drawn. Both go through the workers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

import synth_affect
from synth_affect.arrays import FloatArray, ImageArray
from synth_affect.data.atomic import check_writable
from synth_affect.data.provenance import Provenance, sha256_file
from synth_affect.data.video_frames import VideoFile, VideoFrame
from synth_affect.data.video_writing import write_mp4
from synth_affect.errors import FitError, InputError, NoFaceError
from synth_affect.fitting.fit import FaceFit
from synth_affect.fitting.landmarks import Landmarks
from synth_affect.fitting.same_person import SeenFace, fit_batch
from synth_affect.fitting.solver import LandmarkSolver
from synth_affect.fitting.temporal import LEAST_FRAMES, smooth_channels, smooth_fits
from synth_affect.fitting.tracks import LONGEST_GAP_S, track_faces
from synth_affect.heads.camera import ImageSize
from synth_affect.pipelines.affect_path import about_synthetic
from synth_affect.pipelines.edit_picture import Target, synthesize_target
from synth_affect.pipelines.open_expressions import ExpressionChoice, open_expressions
from synth_affect.pipelines.open_head import DEFAULT, open_head
from synth_affect.pipelines.synthesize import AffectSynthesizer
from synth_affect.pipelines.workers import Engine, WorkerDiedError, in_order, one_thread

T = TypeVar("T")
Progress = Callable[[Iterable[Any], int, str], Iterable[Any]]


@dataclass(frozen=True, slots=True)
class VideoSettings:
    """head, expressions, landmark_model : as of the main command."""

    head: str = DEFAULT
    expressions: ExpressionChoice = field(default_factory=ExpressionChoice)
    landmark_model: Path | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """Of one frame. faces : landmarks with their fit, largest first."""

    time_s: float
    size: ImageSize
    faces: tuple[tuple[Landmarks, FaceFit], ...]


def edit_video(
    path: Path,
    target: Target,
    output: Path,
    settings: VideoSettings,
    engine: Engine,
    progress: Progress = lambda items, count, description: items,
) -> dict[str, Any]:
    """Edit the person who is in most frames of the video `path`, and write `output`, an MP4.

    Returns a summary as JSON values. Raises InputError when the input cannot be used or the output not be written,
    NoFaceError when no frame shows a face; then nothing is written.
    """
    if output.suffix.lower() != ".mp4":
        raise InputError(output, "videos are written as .mp4")
    check_writable(output, [path])
    sha256 = sha256_file(path)
    head = open_head(settings.head)
    try:
        with VideoFile(path) as video:
            found_frames = engine.outcomes(_MakeFinder(settings), enumerate(video.frames()))
            found = list(in_order(progress(found_frames, video.announced, "finding the face")))
        fits = _steady_fits(found, LandmarkSolver(head), path)
        request = {
            **target.described(),
            **settings.expressions.described(),
        }
        provenance = Provenance(request, synth_affect.__version__, head.name, sha256)
        with VideoFile(path) as video:
            tasks = ((k, (frame.pixels, fits.get(k))) for k, frame in enumerate(video.frames()))
            drawn = in_order(engine.outcomes(_MakeDrawer(settings, target), tasks))
            pictures = progress(drawn, len(found), "drawing")
            timed = ((found[k].time_s, pixels) for k, pixels in enumerate(pictures))
            n_frames = write_mp4(output, timed, about=about_synthetic(provenance), sound_of=path)
    except WorkerDiedError as error:
        raise InputError(path, str(error)) from error
    return {
        "input": str(path),
        "input_sha256": sha256,
        "output": str(output),
        "frames": n_frames,
        "edited": len(fits),
        "version": synth_affect.__version__,
        "head": head.name,
        "request": request,
    }


@dataclass(frozen=True, slots=True)
class _MakeFinder:
    settings: VideoSettings

    def __call__(self) -> _Finder:
        one_thread()
        return _Finder(self.settings)


class _Finder:
    """Finds and fits the faces of numbered frames."""

    def __init__(self, settings: VideoSettings) -> None:
        from synth_affect.fitting.mediapipe_detector import MediaPipeDetector

        self._detector = MediaPipeDetector(settings.landmark_model)
        self._solver = LandmarkSolver(open_head(settings.head))

    def __call__(self, task: tuple[int, VideoFrame]) -> tuple[int, _Found]:
        number, frame = task
        size = ImageSize(*frame.pixels.shape[:2])
        faces = []
        for landmarks in self._detector.detect(frame.pixels):
            try:
                faces.append((landmarks, self._solver(landmarks, size)))
            except FitError:
                continue
        return number, _Found(frame.time_s, size, tuple(faces))

    def close(self) -> None:
        self._detector.close()


@dataclass(frozen=True, slots=True)
class _MakeDrawer:
    settings: VideoSettings
    target: Target

    def __call__(self) -> _Drawer:
        one_thread()
        return _Drawer(self.settings, self.target)


class _Drawer:
    """Draws numbered frames; a frame without a fit stays as it is."""

    def __init__(self, settings: VideoSettings, target: Target) -> None:
        head = open_head(settings.head)
        wrinkles = None
        if settings.head != DEFAULT:
            from synth_affect.pipelines.carry_wrinkles import folds_on

            wrinkles = folds_on(head)
        self._synthesizer = AffectSynthesizer(head, None, wrinkles, open_expressions(settings.expressions, head))
        self._target = target

    def __call__(self, task: tuple[int, tuple[ImageArray, FaceFit | None]]) -> tuple[int, ImageArray]:
        number, (pixels, fit) = task
        if fit is None:
            return number, pixels
        return number, synthesize_target(self._synthesizer, pixels, fit, self._target).image


def _steady_fits(found: Sequence[_Found], solver: LandmarkSolver, path: Path) -> Mapping[int, FaceFit]:
    """The smooth fits of the person who is seen in most frames, by frame, gaps bridged."""
    numbers = track_faces(
        [[landmarks.points_image[:, :2] for landmarks, _ in frame.faces] for frame in found],
        [frame.time_s for frame in found],
    )
    lengths = np.bincount([number for frame in numbers for number in frame])
    if len(lengths) == 0:
        raise NoFaceError(path)
    person = int(np.argmax(lengths))
    own = [(k, frame.index(person)) for k, frame in enumerate(numbers) if person in frame]
    faces = [found[k].faces[face] for k, face in own]
    fits = fit_batch(
        solver,
        [SeenFace(landmarks, found[k].size) for (k, _), (landmarks, _) in zip(own, faces, strict=True)],
        people=[0] * len(own),
        alone=[fit for _, fit in faces],
    )
    times = np.array([found[k].time_s for k, _ in own])
    smooth = dict(zip([k for k, _ in own], _smooth_points(smooth_fits(fits, times), times), strict=True))
    return dict(_bridged(smooth, [frame.time_s for frame in found]))


def _smooth_points(fits: list[FaceFit], times_s: FloatArray) -> list[FaceFit]:
    """The fits with smooth landmarks: what a fit leaves over of them is drawn, so lips and lids would tremble along."""
    if len(fits) < LEAST_FRAMES:
        return fits
    points = np.stack([fit.landmarks_image for fit in fits])
    smooth = smooth_channels(points.reshape(len(points), -1), times_s).reshape(points.shape)
    return [replace(fit, landmarks_image=row.astype(np.float32)) for fit, row in zip(fits, smooth, strict=True)]


def _bridged(fits: Mapping[int, FaceFit], times_s: Sequence[float]) -> Iterator[tuple[int, FaceFit]]:
    """The fits, and between two of them that are not far apart in time those of the frames between."""
    known = sorted(fits)
    for first, second in pairwise(known):
        yield first, fits[first]
        span = times_s[second] - times_s[first]
        if span <= LONGEST_GAP_S:
            for k in range(first + 1, second):
                yield k, _between(fits[first], fits[second], (times_s[k] - times_s[first]) / span)
    yield known[-1], fits[known[-1]]


def _between(first: FaceFit, second: FaceFit, share: float) -> FaceFit:
    """The fit at `share` of the way from one to the other."""
    from scipy.spatial.transform import Rotation, Slerp

    def mixed(one: FloatArray, other: FloatArray) -> FloatArray:
        return (1 - share) * one + share * other

    turn = Slerp([0, 1], Rotation.from_matrix(np.stack([first.camera.rotation, second.camera.rotation])))
    camera = replace(
        first.camera,
        rotation=turn(share).as_matrix(),
        translation=mixed(first.camera.translation, second.camera.translation),
        focal_px=float((1 - share) * first.camera.focal_px + share * second.camera.focal_px),
    )
    return replace(
        first,
        camera=camera,
        expression_weights=mixed(first.expression_weights, second.expression_weights).astype(np.float32),
        landmarks_image=mixed(first.landmarks_image, second.landmarks_image).astype(np.float32),
    )
