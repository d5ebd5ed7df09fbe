"""A real portrait for the tests that need one: scikit-image's astronaut, with its landmarks detected once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pytest

from synth_affect.arrays import ImageArray
from synth_affect.editors.recipes import Recipe
from synth_affect.fitting.landmarks import Landmarks


@pytest.fixture(scope="session")
def portrait_path() -> Path:
    """512 x 512 PNG of one face."""
    from synth_affect.pipelines.demo_picture import find_demo_picture

    return find_demo_picture()


@pytest.fixture(scope="session")
def portrait(portrait_path: Path) -> ImageArray:
    from synth_affect.data.pictures import read_picture

    return read_picture(portrait_path).pixels


@pytest.fixture(scope="session")
def portrait_landmarks(portrait: ImageArray) -> Landmarks:
    from synth_affect.fitting.mediapipe_detector import MediaPipeDetector

    with MediaPipeDetector() as detector:
        (landmarks,) = detector.detect(portrait)
    return landmarks


class StubDetector:
    """Finds the faces that the test put into `faces`, in any picture, and remembers how it was made and closed."""

    faces: tuple[Landmarks, ...] = ()
    n_looks = 0
    open_now = 0

    def __init__(self, model: Path | None = None, *, small_faces: bool = False) -> None:
        type(self).open_now += 1
        self.closed = False

    def detect(self, image: ImageArray) -> list[Landmarks]:
        type(self).n_looks += 1
        return list(self.faces)

    def detect_again(self, image: ImageArray, face: Landmarks) -> Landmarks | None:
        type(self).n_looks += 1
        return face

    def close(self) -> None:
        if not self.closed:
            type(self).open_now -= 1
        self.closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


@pytest.fixture
def stub_detector(portrait_landmarks: Landmarks, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[StubDetector]]:
    """In place of MediaPipe: sees the portrait's face everywhere. The test fails when a detector was left open."""
    import synth_affect.fitting.mediapipe_detector as module

    class Detector(StubDetector):
        faces = (portrait_landmarks,)

    monkeypatch.setattr(module, "MediaPipeDetector", Detector)
    yield Detector
    assert Detector.open_now == 0, "a detector was not closed"


@pytest.fixture
def two_portraits(tmp_path: Path, portrait: ImageArray, portrait_landmarks: Landmarks) -> tuple[Path, list[Landmarks]]:
    """The portrait beside itself, 512 x 1024, and the landmarks of both faces."""
    from PIL import Image

    path = tmp_path / "two.png"
    Image.fromarray(np.hstack([portrait, portrait])).save(path)
    right = Landmarks(
        portrait_landmarks.points_image + np.array([512, 0, 0], np.float32), portrait_landmarks.blendshapes
    )
    return path, [portrait_landmarks, right]


@pytest.fixture
def shade(monkeypatch: pytest.MonkeyPatch) -> Recipe:
    """A small editor's recipe, and for as long as the test runs, one of those that there are."""
    from synth_affect.editors import recipes
    from tests.shade_editor import SHADE

    monkeypatch.setitem(recipes.RECIPES, "shade", lambda: SHADE)
    return SHADE
