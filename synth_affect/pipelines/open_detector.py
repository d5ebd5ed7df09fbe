"""The landmark detector that a name stands for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from synth_affect.errors import InputError
from synth_affect.fitting.face_alignment_detector import EXTRA, FaceAlignmentDetector
from synth_affect.fitting.landmarks import LandmarkDetector
from synth_affect.fitting.model_file import find_landmark_model
from synth_affect.optional import import_optional

DEFAULT_DETECTOR = "mediapipe"


@dataclass(frozen=True, slots=True)
class DetectorChoice:
    """name : one of DETECTORS.  landmark_model : MediaPipe's file, found by itself where None.

    Raises InputError for another name, and for a model that the detector does not take.
    """

    name: str = DEFAULT_DETECTOR
    landmark_model: Path | None = None

    def __post_init__(self) -> None:
        if self.name not in DETECTORS:
            raise InputError("--detector", f"{self.name!r} is none of {', '.join(DETECTORS)}")
        if self.landmark_model is not None and self.name != DEFAULT_DETECTOR:
            raise InputError("--landmark-model", f"is MediaPipe's; the detector {self.name} has its own")


def open_detector(choice: DetectorChoice, *, small_faces: bool = False) -> LandmarkDetector:
    """The detector. small_faces : search for those of a group too.

    Raises InputError for a model that cannot be used, MissingDependencyError for a detector that is not installed.
    """
    return DETECTORS[choice.name](choice.landmark_model, small_faces)


def check_detector(choice: DetectorChoice) -> None:
    """Raises what `open_detector` would for a model that is not there or a package that is not installed."""
    if choice.name == DEFAULT_DETECTOR:
        find_landmark_model(choice.landmark_model)
    else:
        import_optional("face_alignment", EXTRA)


def _mediapipe(model: Path | None, small_faces: bool) -> LandmarkDetector:
    from synth_affect.fitting.mediapipe_detector import MediaPipeDetector

    return MediaPipeDetector(model, small_faces=small_faces)


def _face_alignment(model: Path | None, small_faces: bool) -> LandmarkDetector:
    return FaceAlignmentDetector()


DETECTORS: Mapping[str, Callable[[Path | None, bool], LandmarkDetector]] = {
    DEFAULT_DETECTOR: _mediapipe,
    "face-alignment": _face_alignment,
}
