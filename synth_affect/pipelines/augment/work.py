"""One face of a database brought to its targets: read, find, fit, judge, draw, write. What each process does."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np

import synth_affect
from synth_affect.arrays import FloatArray
from synth_affect.data.faces.record import FaceRecord
from synth_affect.data.picture import Picture
from synth_affect.data.picture_encoding import DEFAULT_QUALITY, encode_picture
from synth_affect.data.provenance import Provenance
from synth_affect.errors import InputError, MissingDependencyError, NoFaceError, SynthAffectError
from synth_affect.fitting.fit import FaceFit
from synth_affect.fitting.landmarks import Landmarks
from synth_affect.fitting.mediapipe_detector import MediaPipeDetector
from synth_affect.fitting.quality import FitQuality, QualityMeter
from synth_affect.fitting.solver import LandmarkSolver
from synth_affect.heads.camera import ImageSize
from synth_affect.heads.model import embed
from synth_affect.pipelines.augment.file_batch import FileBatch, OutputError
from synth_affect.pipelines.augment.journal import DoneFace, DonePicture
from synth_affect.pipelines.augment.selection import unfit_reason
from synth_affect.pipelines.augment.targets import AugmentTarget
from synth_affect.pipelines.open_expressions import ExpressionChoice, open_expressions
from synth_affect.pipelines.open_head import DEFAULT, open_head
from synth_affect.pipelines.read_face import FacePictures
from synth_affect.pipelines.synthesize import AffectSynthesizer
from synth_affect.pipelines.workers import one_thread
from synth_affect.render.scene import Scene, project_with

MIN_QUALITY = 0.25
"""Below it a fit is seldom of use: half of the face is hidden, or turned away, or a smear of few pixels."""


@dataclass(frozen=True, slots=True)
class AugmentSettings:
    """What all pictures of a run share.

    min_quality : faces whose fit scores less are left out, see `FitQuality.score`.
    check_rest : leave out faces that do not rest, see `selection.REST_MM`.
    expressions, head : as of the main command.  quality : of pictures in a lossy format, 1 to 100.
    landmark_model : MediaPipe's model file, where not the one that is found.
    """

    min_quality: float = MIN_QUALITY
    check_rest: bool = True
    expressions: ExpressionChoice = field(default_factory=ExpressionChoice)
    head: str = DEFAULT
    quality: int = DEFAULT_QUALITY
    landmark_model: Path | None = None


@dataclass(frozen=True, slots=True, eq=False)
class FaceTask:
    """A face and what becomes of it. outputs : a path below the output folder for each of `targets`."""

    place: int
    record: FaceRecord
    targets: tuple[AugmentTarget, ...]
    outputs: tuple[PurePosixPath, ...]


@dataclass(frozen=True, slots=True)
class MakeAugmentWorker:
    """Makes the worker of a process. out : the output folder."""

    out: Path
    settings: AugmentSettings

    def __call__(self) -> AugmentWorker:
        """A worker of its own detector and head."""
        one_thread()
        return AugmentWorker(self.out, self.settings)


class AugmentWorker:
    """Does faces; keeps the detector, the head model and the video that it reads."""

    def __init__(self, out: Path, settings: AugmentSettings) -> None:
        self._out, self._settings = out, settings
        head = open_head(settings.head)
        wrinkles = None
        if settings.head != DEFAULT:
            from synth_affect.pipelines.carry_wrinkles import folds_on

            wrinkles = folds_on(head)
        expressions = open_expressions(settings.expressions, head)
        self._synthesizer = AffectSynthesizer(head, None, wrinkles, expressions)
        self._detector = MediaPipeDetector(settings.landmark_model)
        self._solver = LandmarkSolver(head)
        self._meter = QualityMeter(head, self._solver)
        self._pictures = FacePictures()

    def close(self) -> None:
        """Free the detector and the video."""
        self._detector.close()
        self._pictures.close()

    def __call__(self, task: FaceTask) -> DoneFace:
        """Write the pictures of one face; a face that cannot be used comes back with the reason.

        Raises InputError when a picture cannot be written, MissingDependencyError when a format needs a package.
        """
        record, reason, measures = task.record, "", dict[str, float]()
        sha256, size, pictures = "", (0, 0), tuple[DonePicture, ...]()
        try:
            source = self._pictures.read(record)
            pixels = source.picture.pixels
            sha256, size = source.sha256, pixels.shape[:2]
            landmarks = self._find(source.picture, record)
            fit = self._solver(landmarks, ImageSize(*size))
            quality = self._meter(pixels, landmarks, fit)
            measures = _measures(quality, landmarks)
            reason = unfit_reason(quality, self._settings.min_quality, check_rest=self._settings.check_rest) or ""
            if not reason:
                with FileBatch(self._out) as files:
                    pictures = tuple(self._draw(task, source.picture, sha256, fit, files))
        except (MissingDependencyError, OutputError):
            raise
        except InputError as error:
            reason = error.reason if error.path in (str(record.path), record.key) else str(error)
        except (SynthAffectError, np.linalg.LinAlgError) as error:
            reason = str(error) or "cannot be fitted"
        return DoneFace(
            place=task.place,
            key=record.key,
            reason=reason,
            source_sha256=sha256,
            height=size[0],
            width=size[1],
            measures=measures,
            pictures=pictures,
        )

    def _find(self, picture: Picture, record: FaceRecord) -> Landmarks:
        """Of the face that the record means, or of the largest."""
        faces = self._detector.detect(picture.pixels)
        if not faces:
            raise NoFaceError(record.path)
        place = _place(record)
        if place is None:
            return faces[0]
        away = [float(np.linalg.norm(_middle(face.points_image[:, :2]) - place.centre)) for face in faces]
        if min(away) > place.size / 2:
            raise NoFaceError(record.path, "no face found where the database has one")
        return faces[int(np.argmin(away))]

    def _draw(
        self, task: FaceTask, picture: Picture, sha256: str, fit: FaceFit, files: FileBatch
    ) -> Iterator[DonePicture]:
        scene = self._synthesizer.prepare(picture.pixels, fit)
        for target, output in zip(task.targets, task.outputs, strict=True):
            point = target.point
            result = self._synthesizer.synthesize(
                picture.pixels, fit, valence=point.valence, arousal=point.arousal, scene=scene
            )
            request = {"valence": point.valence, "arousal": point.arousal, "source": task.record.key}
            request |= self._settings.expressions.described()
            provenance = Provenance(request, synth_affect.__version__, self._synthesizer.head.name, sha256)
            path = self._out / output
            content = encode_picture(result.image, path, picture, provenance, quality=self._settings.quality)
            files.write(path, content)
            yield DonePicture(
                path=str(output),
                valence=point.valence,
                arousal=point.arousal,
                cell=target.cell,
                sha256=hashlib.sha256(content).hexdigest(),
                landmarks=self._landmarks(scene, result.vertices),
            )

    def _landmarks(self, scene: Scene, vertices: FloatArray) -> tuple[float, ...]:
        head = self._synthesizer.head
        points = embed(project_with(scene.camera, vertices, scene.offsets_px), head.triangles, head.landmarks_68)
        return tuple(np.round(points[:, :2].astype(np.float64), 1).ravel().tolist())


def _measures(quality: FitQuality, landmarks: Landmarks) -> dict[str, float]:
    """For the journal: finite numbers, rounded as far as they mean anything."""
    points = landmarks.points_image[:, :2]
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    values = {"quality": quality.score, **asdict(quality)}
    values |= {"left_px": left, "top_px": top, "right_px": right, "bottom_px": bottom}
    return {name: round(float(value), 4) for name, value in values.items() if np.isfinite(value)}


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """Of a face in its picture. centre : (2,) px.  size : px, the longer side."""

    centre: FloatArray
    size: float


def _place(record: FaceRecord) -> _Place | None:
    if record.landmarks is not None:
        return _Place(_middle(record.landmarks), float(np.ptp(record.landmarks, axis=0).max()))
    if record.box is not None:
        left, top, right, bottom = (float(edge) for edge in record.box)
        return _Place(np.array([left + right, top + bottom]) / 2, max(right - left, bottom - top))
    return None


def _middle(points: FloatArray) -> FloatArray:
    middle: FloatArray = (points.min(axis=0) + points.max(axis=0)) / 2
    return middle
