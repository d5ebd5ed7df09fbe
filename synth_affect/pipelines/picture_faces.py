"""From a picture file to the fits of the faces that were asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from synth_affect.data.pictures import Picture, read_picture
from synth_affect.data.provenance import sha256_file
from synth_affect.errors import FitError, InputError, NoFaceError, ShapeError
from synth_affect.fitting.fit import FaceFit
from synth_affect.fitting.fit_json import fit_from_json
from synth_affect.fitting.landmark_file import read_landmarks
from synth_affect.fitting.landmarks import Landmarks
from synth_affect.fitting.photometric.device import DeviceChoice, choose_device
from synth_affect.fitting.photometric.values import RefinementReport
from synth_affect.fitting.quality import FitQuality, QualityMeter, check_min_quality, quality_as_json
from synth_affect.fitting.text_file import read_text_file
from synth_affect.heads.camera import ImageSize, yaw_pitch_roll
from synth_affect.heads.model import HeadModel
from synth_affect.pipelines.open_detector import DEFAULT_DETECTOR, DetectorChoice, open_detector
from synth_affect.pipelines.open_expressions import ExpressionChoice, open_expressions
from synth_affect.pipelines.open_head import DEFAULT, open_head
from synth_affect.pipelines.synthesize import AffectSynthesizer

FaceChoice = Literal["largest", "all"] | int
"""Which faces of a picture; a number counts from the largest, which is 0."""

MAX_INDEX_DIGITS = 9
MAX_FIT_BYTES = 4 << 20
"""Over a hundred times what a fit takes."""


@dataclass(frozen=True, slots=True)
class FaceSource:
    """Which faces of which picture, and how they are found.

    face : see FaceChoice; with `fit_in` the fit says which, and this stays "largest".
    fit_in : a fit on disk, landmarks : 68 points on disk, which are fitted; with either of them nothing is detected.
    landmark_model : of the detector, found by itself where None.
    head : which head model is fitted, see `open_head`.
    expressions : where a target's expression comes from.
    detector : what finds the landmarks, see `open_detector`.
    min_quality : a face whose fit scores less is refused, see `FitQuality`.
    refine_on : where fits are refined by the pixels, see `choose_device`; None for fits of landmarks alone.
    Raises InputError for choices that exclude each other.
    """

    image: Path
    face: FaceChoice = "largest"
    fit_in: Path | None = None
    landmark_model: Path | None = None
    landmarks: Path | None = None
    head: str = DEFAULT
    expressions: ExpressionChoice = field(default_factory=ExpressionChoice)
    detector: str = DEFAULT_DETECTOR
    min_quality: float = 0.0
    refine_on: DeviceChoice | None = None

    def __post_init__(self) -> None:
        check_min_quality(self.min_quality)
        choice = DetectorChoice(self.detector, self.landmark_model)
        if choice.name != DEFAULT_DETECTOR and (self.fit_in is not None or self.landmarks is not None):
            raise InputError("--detector", "nothing is detected with --fit-in or --landmarks; give one of them")
        if self.fit_in is not None and self.face != "largest":
            raise InputError("--face", "the fit of --fit-in says which face; give one of the two")
        if self.fit_in is not None and self.landmark_model is not None:
            raise InputError("--landmark-model", "nothing is detected with --fit-in; give one of the two")
        if self.landmarks is not None and self.fit_in is not None:
            raise InputError("--landmarks", "nothing is fitted with --fit-in; give one of the two")
        if self.landmarks is not None and self.face != "largest":
            raise InputError("--face", "the points of --landmarks say which face; give one of the two")
        if self.landmarks is not None and self.landmark_model is not None:
            raise InputError("--landmark-model", "nothing is detected with --landmarks; give one of the two")

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that are read, and so must not be written."""
        head = None if self.head == DEFAULT else Path(self.head)
        files = (self.image, self.fit_in, self.landmark_model, self.landmarks, head, self.expressions.file)
        return tuple(path for path in files if path is not None)

    @property
    def which_face(self) -> FaceChoice | str:
        """For records: `face`, or what said where the face is."""
        if self.fit_in is not None:
            return "of a given fit"
        return "of given landmarks" if self.landmarks is not None else self.face


@dataclass(frozen=True, slots=True, eq=False)
class ChosenFace:
    """index : counted from the largest face of the picture; None where the fit came from a file.
    refinement : how the fit was refined; None where it was not.
    """

    index: int | None
    fit: FaceFit
    quality: FitQuality
    refinement: RefinementReport | None = None


@dataclass(frozen=True, slots=True, eq=False)
class FacesOfPicture:
    """A picture with the fits of the chosen faces, and the synthesizer that goes with them.

    input_sha256 : of the picture's file.  faces : one or more, largest first.
    """

    picture: Picture
    input_sha256: str
    synthesizer: AffectSynthesizer
    faces: tuple[ChosenFace, ...]


def parse_face_choice(text: str) -> FaceChoice:
    """Of "largest", "all" or a whole number from 0 on. Raises InputError naming `--face`."""
    if text == "largest":
        return "largest"
    if text == "all":
        return "all"
    if text.isascii() and text.isdigit():
        if len(text) > MAX_INDEX_DIGITS:  # Python refuses to read thousands of them, and no picture has so many faces
            raise InputError("--face", f"a number of {len(text)} digits; no picture shows so many faces")
        return int(text)
    raise InputError("--face", f"{text!r} is none of largest, all, or a number from 0 on")


@contextmanager
def open_faces(source: FaceSource) -> Iterator[FacesOfPicture]:
    """Read the picture, find and fit its faces; the detector is freed when the block ends.

    All that can be wrong with the files is found out before anything is detected.
    Raises InputError for a file or choice that cannot be used, NoFaceError when the picture shows no face,
    MissingDependencyError when the detector or the refinement needs an extra.
    """
    if source.refine_on is not None:
        choose_device(source.refine_on)
    picture = read_picture(source.image)
    digest = sha256_file(source.image)
    head = open_head(source.head)
    expressions = open_expressions(source.expressions, head)
    wrinkles = None
    if source.head != DEFAULT:
        from synth_affect.pipelines.carry_wrinkles import folds_on  # brings scipy

        wrinkles = folds_on(head)
    if source.fit_in is not None:
        with AffectSynthesizer(head, None, wrinkles, expressions) as synthesizer:
            fit = read_fit(source.fit_in, synthesizer.head, picture)
            yield FacesOfPicture(picture, digest, synthesizer, _measured([(None, fit)], picture, synthesizer, source))
        return
    if source.landmarks is not None:
        height, width = picture.pixels.shape[:2]
        landmarks = read_landmarks(source.landmarks, ImageSize(height, width))
        with AffectSynthesizer(head, None, wrinkles, expressions) as synthesizer:
            fit = _fit_landmarks(synthesizer, landmarks, picture, source.landmarks)
            yield FacesOfPicture(picture, digest, synthesizer, _measured([(None, fit)], picture, synthesizer, source))
        return
    # The largest face is found at first sight; to count or take all of a group, the small ones are searched for too.
    choice = DetectorChoice(source.detector, source.landmark_model)
    detector = open_detector(choice, small_faces=source.face != "largest")
    with closing(detector), AffectSynthesizer(head, detector, wrinkles, expressions) as synthesizer:
        fits = synthesizer.fit_all(picture.pixels)
        yield FacesOfPicture(
            picture, digest, synthesizer, _measured(_chosen(fits, source), picture, synthesizer, source)
        )


def read_fit(path: Path, head: HeadModel, picture: Picture) -> FaceFit:
    """The fit in the JSON file `path`, of `head`, to a picture of this size. Raises InputError when it is not that."""
    fit = fit_from_json(read_text_file(path, "fit file", MAX_FIT_BYTES), path, head=head)
    height, width = picture.pixels.shape[:2]
    if (fit.image_size.height, fit.image_size.width) != (height, width):
        fitted = f"{fit.image_size.width} x {fit.image_size.height}"
        raise InputError(path, f"fits a picture of {fitted} pixels; {picture.path} has {width} x {height}")
    return fit


@contextmanager
def blaming_the_given_fit(source: FaceSource) -> Iterator[None]:
    """While a face is drawn: a fit from a file that passed all checks and still has no answer is bad input."""
    try:
        yield
    except (FitError, ShapeError) as error:
        if source.fit_in is None:
            raise
        raise InputError(source.fit_in, f"this fit cannot be drawn ({error})") from error


def _fit_landmarks(synthesizer: AffectSynthesizer, landmarks: Landmarks, picture: Picture, path: Path) -> FaceFit:
    try:
        return synthesizer.fit_landmarks(picture.pixels, landmarks)
    except FitError as error:
        raise InputError(path, f"no face has these points ({error})") from error


def summarise(face: ChosenFace) -> dict[str, Any]:
    """What sidecars and `--json` say of a fit: JSON values; angles in degrees, the landmarks' box in pixels."""
    fit = face.fit
    yaw, pitch, roll = np.degrees(yaw_pitch_roll(fit.camera))
    left, top = fit.landmarks_image.min(axis=0)
    right, bottom = fit.landmarks_image.max(axis=0)
    summary = {
        "face": face.index,
        "box_px": [round(float(edge), 1) for edge in (left, top, right, bottom)],
        "yaw_deg": round(float(yaw), 1),
        "pitch_deg": round(float(pitch), 1),
        "roll_deg": round(float(roll), 1),
        "residual_iod": round(fit.residual_iod, 5),
        "converged": fit.converged,
        "iterations": fit.iterations,
        "quality": quality_as_json(face.quality),
    }
    if face.refinement is not None:
        from synth_affect.pipelines.refine_faces import refinement_as_json

        summary["refinement"] = refinement_as_json(face.refinement)
    return summary


def _measured(
    fits: Sequence[tuple[int | None, FaceFit]], picture: Picture, synthesizer: AffectSynthesizer, source: FaceSource
) -> tuple[ChosenFace, ...]:
    """The faces, refined where that is asked for, with the quality of their fits. Raises InputError for one that is
    too poor.
    """
    measure = QualityMeter(synthesizer.head, synthesizer.solver)
    reports: Sequence[RefinementReport | None] = [None] * len(fits)
    if source.refine_on is not None:
        from synth_affect.pipelines.refine_faces import refine_faces

        with blaming_the_given_fit(source):
            refined = refine_faces(synthesizer, picture.pixels, [fit for _, fit in fits], source.refine_on)
        fits = [(index, one.fit) for (index, _), one in zip(fits, refined, strict=True)]
        reports = [one.report for one in refined]
    faces = []
    for (index, fit), report in zip(fits, reports, strict=True):
        points = fit.landmarks_image
        quality = measure(picture.pixels, Landmarks(np.column_stack([points, np.zeros(len(points))]), {}), fit)
        if quality.score < source.min_quality:
            which = "" if index is None else f"face {index}: "
            least = f"{source.min_quality:g} of --min-quality"
            raise InputError(source.image, f"{which}quality {quality.score:.2f} is below the {least}: {quality.reason}")
        faces.append(ChosenFace(index, fit, quality, report))
    return tuple(faces)


def _chosen(fits: list[FaceFit], source: FaceSource) -> Sequence[tuple[int | None, FaceFit]]:
    if not fits:
        raise NoFaceError(source.image)
    if source.face == "all":
        return list(enumerate(fits))
    index = 0 if source.face == "largest" else source.face
    if index >= len(fits):
        found = "1 face" if len(fits) == 1 else f"{len(fits)} faces"
        raise InputError("--face", f"{index} was asked for, but {source.image} shows {found}; the largest is 0")
    return [(index, fits[index])]
