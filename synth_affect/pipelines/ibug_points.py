"""ibug's 68 points of the largest face of a picture, whichever detector finds it."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from synth_affect.arrays import FloatArray, ImageArray
from synth_affect.errors import NoFaceError
from synth_affect.fitting.landmarks import LandmarkDetector
from synth_affect.pipelines.embed_landmarks import IBUG_68
from synth_affect.pipelines.open_detector import DetectorChoice, open_detector

N_IBUG = 68


class IbugPoints:
    """Called with a picture. A context manager that closes its detector, which is opened when it is first needed."""

    def __init__(self, choice: DetectorChoice | None = None) -> None:
        self._choice = DetectorChoice() if choice is None else choice
        self._detector: LandmarkDetector | None = None

    def __call__(self, image: ImageArray) -> FloatArray:
        """(68, 2) float32, px. Raises NoFaceError where there is no face."""
        if self._detector is None:
            self._detector = open_detector(self._choice)
        found = self._detector.detect(image)
        if not found:
            raise NoFaceError("the picture")
        points = found[0].points_image[:, :2]
        return points if len(points) == N_IBUG else points[list(IBUG_68)]

    def close(self) -> None:
        """Free the detector; a second call does nothing."""
        if self._detector is not None:
            self._detector.close()
            self._detector = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
