import numpy as np
import pytest

from synth_affect.arrays import ImageArray
from synth_affect.errors import ShapeError
from synth_affect.fitting.landmarks import Landmarks
from synth_affect.pipelines.judges.face_view import (
    ARCFACE_POINTS,
    FaceView,
    FaceViewer,
    face_crop,
    recognition_crop,
    square_crop,
)

FIVE = (468, 473, 1, 61, 291)


def test_a_crop_over_the_border_repeats_it() -> None:
    image = np.arange(100, dtype=np.uint8).reshape(10, 10)
    crop = square_crop(image, np.array([[0.0, 0.0], [8.0, 4.0]]), 0.25)
    assert crop.shape == (12, 12)
    assert crop[0, 0] == image[0, 0]
    np.testing.assert_array_equal(crop[4:, 2:], image[0:8, 0:10])


def test_a_crop_has_the_side_that_was_asked_for(face: FaceView) -> None:
    for side in (16, 700):
        crop = face_crop(face, side, 0.1)
        assert crop.shape == (side, side, 3)
        assert crop.dtype == np.uint8


def test_a_turned_face_stands_upright_before_recognition() -> None:
    """A picture in which a disc marks each point, turned by 0.5 rad and scaled by 2.3."""
    turn = 2.3 * np.array([[np.cos(0.5), -np.sin(0.5)], [np.sin(0.5), np.cos(0.5)]])
    points = np.zeros((478, 2), np.float32)
    places = ARCFACE_POINTS @ turn.T + [160, 40]
    points[list(FIVE)] = places
    pixels = np.zeros((420, 420, 3), np.uint8)
    y, x = np.mgrid[:420, :420]
    for place in places:
        pixels[np.hypot(x - place[0], y - place[1]) < 6] = 255
    crop = recognition_crop(FaceView(pixels, points, {}))
    assert crop.shape == (112, 112, 3)
    for u, v in np.round(ARCFACE_POINTS).astype(int):
        assert crop[v, u].min() > 200
    assert crop.mean() < 40, "discs alone are bright"


def test_a_view_needs_all_points() -> None:
    with pytest.raises(ShapeError, match="points"):
        FaceView(np.zeros((4, 4, 3), np.uint8), np.zeros((68, 2)), {})


def test_an_edit_is_viewed_where_its_input_was(
    monkeypatch: pytest.MonkeyPatch, portrait: ImageArray, two_portraits: tuple[object, list[Landmarks]]
) -> None:
    import synth_affect.fitting.mediapipe_detector as module

    class Detector:
        def __init__(self, model: object, *, small_faces: bool) -> None:
            pass

        def detect(self, image: ImageArray) -> list[Landmarks]:
            return two_portraits[1]

        def close(self) -> None:
            pass

    monkeypatch.setattr(module, "MediaPipeDetector", Detector)
    with FaceViewer() as viewer:
        largest = viewer.view(portrait)
        assert largest is not None
        right = viewer.view(portrait, near=(largest.centre[0] + 500, largest.centre[1] - 10))
        assert viewer.view(portrait, near=(largest.centre[0] + 250, 0.0)) is None, "between the two is nobody"
    assert right is not None
    assert right.centre[0] == pytest.approx(largest.centre[0] + 512, abs=1e-2)
