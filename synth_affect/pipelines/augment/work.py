"""One face of a database brought to its targets: read, find, fit, judge, draw, write. What each process does."""

from __future__ import annotations

import hashlib
import io
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np

import synth_affect
from synth_affect.affect import ValenceArousal
from synth_affect.arrays import FloatArray, ImageArray, as_uint8
from synth_affect.blendshape.local_units import ActionUnits
from synth_affect.data.faces.record import FaceRecord
from synth_affect.data.picture import Picture
from synth_affect.data.picture_decoding import decode_picture
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
from synth_affect.pipelines.augment.check import CheckSettings, Fault, PictureCheck
from synth_affect.pipelines.augment.file_batch import FileBatch, OutputError
from synth_affect.pipelines.augment.journal import DoneFace, DonePicture, DroppedPicture
from synth_affect.pipelines.augment.selection import unfit_reason
from synth_affect.pipelines.augment.targets import AugmentTarget
from synth_affect.pipelines.augment.tiles import face_tile, tile_text
from synth_affect.pipelines.open_expressions import ExpressionChoice, open_expressions
from synth_affect.pipelines.open_head import DEFAULT, open_head
from synth_affect.pipelines.read_face import FacePicture, FacePictures
from synth_affect.pipelines.synthesize import AffectSynthesizer
from synth_affect.pipelines.verify import JudgedInput, OutputVerifier
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
    checks : how new pictures are read, and which stay; None reads none.
    action_units : on top of every target; labels do not tell of them.
    """

    min_quality: float = MIN_QUALITY
    check_rest: bool = True
    expressions: ExpressionChoice = field(default_factory=ExpressionChoice)
    head: str = DEFAULT
    quality: int = DEFAULT_QUALITY
    landmark_model: Path | None = None
    checks: CheckSettings | None = None
    action_units: ActionUnits = field(default_factory=ActionUnits)


@dataclass(frozen=True, slots=True, eq=False)
class FaceTask:
    """A face and what becomes of it.

    outputs : paths below the output folder, as many as `targets`; pictures that stay take them in their order.
    frames : how many targets each sequence has; None where each stands alone.
    """

    place: int
    record: FaceRecord
    targets: tuple[AugmentTarget, ...]
    outputs: tuple[PurePosixPath, ...]
    frames: int | None = None


@dataclass(frozen=True, slots=True)
class MakeAugmentWorker:
    """Makes the worker of a process. out : the output folder."""

    out: Path
    settings: AugmentSettings

    def __call__(self) -> AugmentWorker:
        """A worker of its own detector, head and judges."""
        worker = AugmentWorker(self.out, self.settings)
        one_thread()  # also of what judges have brought
        return worker


class AugmentWorker:
    """Does faces; keeps the detector, the head model, the judges and the video that it reads."""

    def __init__(self, out: Path, settings: AugmentSettings) -> None:
        self._out, self._settings = out, settings
        head = open_head(settings.head)
        wrinkles = None
        if settings.head != DEFAULT:
            from synth_affect.pipelines.carry_wrinkles import folds_on

            wrinkles = folds_on(head)
        expressions = open_expressions(settings.expressions, head)
        self._synthesizer = AffectSynthesizer(head, None, wrinkles, expressions)
        self._verifier = None if settings.checks is None else _open_verifier(settings.checks, settings.landmark_model)
        self._detector = MediaPipeDetector(settings.landmark_model)
        self._solver = LandmarkSolver(head)
        self._meter = QualityMeter(head, self._solver)
        self._pictures = FacePictures()

    def close(self) -> None:
        """Free the detectors and the video."""
        if self._verifier is not None:
            self._verifier.close()
        self._detector.close()
        self._pictures.close()

    def __call__(self, task: FaceTask) -> DoneFace:
        """Write the pictures of one face; a face that cannot be used comes back with the reason.

        Raises InputError when a picture cannot be written, MissingDependencyError when a format needs a package.
        """
        record, reason, measures = task.record, "", dict[str, float]()
        sha256, size, drawn = "", (0, 0), _Drawn()
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
                    self._draw(task, source, fit, files, drawn)
        except (MissingDependencyError, OutputError):
            raise
        except InputError as error:
            reason = error.reason if error.path in (str(record.path), record.key) else str(error)
        except (SynthAffectError, np.linalg.LinAlgError) as error:
            reason = str(error) or "cannot be fitted"
        if reason:
            drawn = _Drawn()
        return DoneFace(
            place=task.place,
            key=record.key,
            reason=reason,
            source_sha256=sha256,
            height=size[0],
            width=size[1],
            measures=measures,
            pictures=tuple(drawn.pictures),
            dropped=tuple(drawn.dropped),
            tile=drawn.tile_text(measures),
            tile_of=drawn.tile_of,
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

    def _draw(self, task: FaceTask, source: FacePicture, fit: FaceFit, files: FileBatch, drawn: _Drawn) -> None:
        """All pictures of a face that stay, into `files` and `drawn`."""
        pixels = source.picture.pixels
        face = _Face(task, source, fit, self._synthesizer.prepare(pixels, fit), self._look(pixels, fit))
        length = task.frames or 1
        for first in range(0, len(task.targets), length):
            numbers = range(first, first + length)
            strongest = max(numbers, key=lambda number: task.targets[number].point.intensity)
            kept, made = len(files), list[DonePicture]()
            for number in numbers:
                target, path = task.targets[number], task.outputs[len(drawn.pictures) + len(made)]
                content, pixels, picture = self._picture(face, target, path)
                fault = self._fault(picture, target.point, feels=number == strongest)
                if fault is not None:  # of a sequence nothing stays
                    files.take_back(kept)
                    drawn.drop(task.record.key, number, picture, fault, pixels)
                    break
                files.write(self._out / path, content)
                made.append(picture)
            else:
                drawn.pictures += made

    def _picture(
        self, face: _Face, target: AugmentTarget, path: PurePosixPath
    ) -> tuple[bytes, ImageArray, DonePicture]:
        """One picture of a face: its file, what is in that, and what is said of it."""
        point, source, output = target.point, face.source, self._out / path
        result = self._synthesizer.synthesize(
            source.picture.pixels,
            face.fit,
            valence=point.valence,
            arousal=point.arousal,
            action_units=self._settings.action_units,
            scene=face.scene,
        )
        request = {"valence": point.valence, "arousal": point.arousal, "source": face.task.record.key}
        request |= {"action_units": self._settings.action_units.described()} | self._settings.expressions.described()
        provenance = Provenance(request, synth_affect.__version__, self._synthesizer.head.name, source.sha256)
        content = encode_picture(result.image, output, source.picture, provenance, quality=self._settings.quality)
        pixels, check = result.image, None
        if self._verifier is not None:
            pixels = decode_picture(io.BytesIO(content), output).pixels
            check = PictureCheck.of(self._verifier.verify(face.before, pixels, point))
        picture = DonePicture(
            path=str(path),
            valence=point.valence,
            arousal=point.arousal,
            cell=target.cell,
            sha256=hashlib.sha256(content).hexdigest(),
            landmarks=self._landmarks(face.scene, result.vertices),
            check=check,
        )
        return content, pixels, picture

    def _look(self, pixels: ImageArray, fit: FaceFit) -> JudgedInput | None:
        if self._verifier is None:
            return None
        x, y = fit.landmarks_image.mean(axis=0)
        return self._verifier.look(pixels, (float(x), float(y)))

    def _fault(self, picture: DonePicture, point: ValenceArousal, *, feels: bool) -> tuple[Fault, str] | None:
        if picture.check is None or self._settings.checks is None:
            return None
        return self._settings.checks.fault(picture.check, point, feels=feels)

    def _landmarks(self, scene: Scene, vertices: FloatArray) -> tuple[float, ...]:
        head = self._synthesizer.head
        points = embed(project_with(scene.camera, vertices, scene.offsets_px), head.triangles, head.landmarks_68)
        return tuple(np.round(points[:, :2].astype(np.float64), 1).ravel().tolist())


@dataclass(frozen=True, slots=True, eq=False)
class _Face:
    """A face whose pictures are being drawn. before : what is compared with them."""

    task: FaceTask
    source: FacePicture
    fit: FaceFit
    scene: Scene
    before: JudgedInput | None


@dataclass(slots=True, eq=False)
class _Drawn:
    """What has become of a face's targets so far. One of the pictures that were dropped is kept to be looked at: which,
    its name and the face's say, so that no target is shown more often than others.
    """

    pictures: list[DonePicture] = field(default_factory=list)
    dropped: list[DroppedPicture] = field(default_factory=list)
    shown: ImageArray | None = None
    tile_of: int = 0
    least: int = 1 << 32

    def drop(self, key: str, number: int, picture: DonePicture, fault: tuple[Fault, str], pixels: ImageArray) -> None:
        assert picture.check is not None
        drawn_by_lot = zlib.crc32(f"{key} {number}".encode())
        if drawn_by_lot < self.least:
            self.least, self.shown, self.tile_of = drawn_by_lot, pixels, len(self.dropped)
        self.dropped.append(DroppedPicture(number, picture.valence, picture.arousal, *fault, picture.check))

    def tile_text(self, measures: Mapping[str, float]) -> str:
        return "" if self.shown is None else tile_text(face_tile(as_uint8(self.shown), measures))


def _open_verifier(checks: CheckSettings, landmark_model: Path | None) -> OutputVerifier:
    """Raises InputError where the judges are not those of the run: a cluster's machines can have other files."""
    verifier = OutputVerifier(checks.choice, landmark_model)
    if verifier.cards != checks.cards:
        verifier.close()
        raise InputError("--judge", "the weights on this machine are not those that the run began with")
    return verifier


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
