"""Faces of one picture, each fitted by itself and measured: what a worker of the batch does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from synth_affect.arrays import ImageArray
from synth_affect.data.pictures import read_picture
from synth_affect.data.video_frames import VideoFrame
from synth_affect.errors import FitError, InputError
from synth_affect.fitting.fit import FaceFit
from synth_affect.fitting.landmarks import LandmarkDetector, Landmarks
from synth_affect.fitting.quality import FitQuality, QualityMeter
from synth_affect.fitting.solver import LandmarkSolver
from synth_affect.heads.camera import ImageSize
from synth_affect.pipelines.open_detector import DetectorChoice, open_detector
from synth_affect.pipelines.open_head import open_head

NO_FACE = "no face found"


@dataclass(frozen=True, slots=True, eq=False)
class FittedFace:
    """readings : of the detector, by unit name.  fit : of this picture alone.  quality : of that fit."""

    readings: dict[str, float]
    fit: FaceFit
    quality: FitQuality

    @property
    def landmarks(self) -> Landmarks:
        """What was fitted, without the depths, which no fit looks at."""
        points = self.fit.landmarks_image
        return Landmarks(np.column_stack([points, np.zeros(len(points))]), self.readings)


@dataclass(frozen=True, slots=True, eq=False)
class PictureTask:
    """key : whose answer it is.  picture : a file, or a frame of a video."""

    key: tuple[int, int]
    picture: Path | VideoFrame


@dataclass(frozen=True, slots=True, eq=False)
class PictureFaces:
    """faces : largest first.  reason : why there are none, or "".  time_s : of a frame."""

    key: tuple[int, int]
    faces: tuple[FittedFace, ...]
    reason: str
    time_s: float | None = None


class FaceFitter:
    """A worker of the batch: holds head, solver and detectors. largest : of each picture take that face alone."""

    def __init__(self, head: str, detector: DetectorChoice, largest: bool) -> None:
        opened = open_head(head)
        self._solver = LandmarkSolver(opened)
        self._measure = QualityMeter(opened, self._solver)
        self._choice = detector
        self._largest = largest
        self._detectors: dict[bool, LandmarkDetector] = {}

    def __call__(self, task: PictureTask) -> PictureFaces:
        """What the picture shows; what is wrong with it is its reason."""
        picture, time_s = task.picture, None
        try:
            if isinstance(picture, VideoFrame):
                time_s = picture.time_s
                faces = self.faces(picture.pixels, small_faces=False)
            else:
                # A group in a photograph has small faces; in a video they would cost every frame a search.
                faces = self.faces(read_picture(picture).pixels, small_faces=not self._largest)
        except InputError as error:
            return PictureFaces(task.key, (), error.reason, time_s)
        except FitError as error:
            return PictureFaces(task.key, (), str(error), time_s)
        return PictureFaces(task.key, faces, "" if faces else NO_FACE, time_s)

    def faces(self, image: ImageArray, *, small_faces: bool) -> tuple[FittedFace, ...]:
        """The faces of `image` (height, width, 3) uint8 or uint16, largest first; what has no pose is none."""
        if small_faces not in self._detectors:
            self._detectors[small_faces] = open_detector(self._choice, small_faces=small_faces)
        found = self._detectors[small_faces].detect(image)
        size = ImageSize(image.shape[0], image.shape[1])
        fitted = []
        for landmarks in found[:1] if self._largest else found:
            try:
                fit = self._solver(landmarks, size)
                fitted.append(FittedFace(landmarks.blendshapes, fit, self._measure(image, landmarks, fit)))
            except FitError:
                continue
        return tuple(fitted)

    def close(self) -> None:
        """Free the detectors."""
        for detector in self._detectors.values():
            detector.close()
        self._detectors.clear()
