"""The detector on real pictures that lie beside the project where it is developed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from synth_affect.arrays import ImageArray
from synth_affect.data.pictures import read_picture
from synth_affect.fitting.face_search import Window, box
from synth_affect.fitting.landmarks import Landmarks
from synth_affect.fitting.mediapipe_detector import LEFT_IRIS_CENTRE, RIGHT_IRIS_CENTRE, MediaPipeDetector

FACES = Path(__file__).parents[3] / "shared" / "faces"
pytestmark = pytest.mark.skipif(not FACES.is_dir(), reason="../shared/faces is not here")

N_FACES = {
    "einstein_grey": 1,
    "hand_on_face": 1,
    "man_bald": 1,
    "man_beard": 1,
    "man_front_a": 1,
    "man_front_b": 1,
    "man_glasses_smile": 1,
    "man_stern": 1,
    "man_stubble": 1,
    "mona_lisa": 1,
    "pearl_earring": 1,
    "two_people": 2,
    "woman_dark_low": 1,
    "woman_front_a": 1,
    "woman_front_b": 1,
    "woman_portrait": 1,
    "woman_turned": 1,
}
NO_FACE = ("cat_not_a_face",)
OUT_OF_REACH = ("man_profile",)  # a full profile; MediaPipe's detector sees both eyes or nothing


@pytest.fixture(scope="module")
def detector() -> Iterator[MediaPipeDetector]:
    with MediaPipeDetector() as opened:
        yield opened


def test_every_picture_is_spoken_for() -> None:
    assert {path.stem for path in FACES.glob("*.jpg")} == {*N_FACES, *NO_FACE, *OUT_OF_REACH}


@pytest.mark.parametrize("name", N_FACES)
def test_faces_are_found_and_placed(detector: MediaPipeDetector, name: str) -> None:
    picture = read_picture(FACES / f"{name}.jpg")
    faces = detector.detect(picture.pixels)
    assert len(faces) == N_FACES[name]
    height, width = picture.pixels.shape[:2]
    areas = []
    for face in faces:
        left, top, right, bottom = box(face)
        areas.append((right - left) * (bottom - top))
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height
        # All heads here are upright: eyes over nose over mouth over chin.
        eyes = face.points_image[[RIGHT_IRIS_CENTRE, LEFT_IRIS_CENTRE], 1].mean()
        assert eyes < face.points_image[1, 1] < face.points_image[13, 1] < face.points_image[152, 1]
    assert areas == sorted(areas, reverse=True)


@pytest.mark.parametrize("name", N_FACES)
def test_a_mirrored_picture_gives_the_mirrored_irises(detector: MediaPipeDetector, name: str) -> None:
    pixels = read_picture(FACES / f"{name}.jpg").pixels
    irises = [face.points_image[[RIGHT_IRIS_CENTRE, LEFT_IRIS_CENTRE], :2] for face in detector.detect(pixels)]
    mirrored = [
        face.points_image[[LEFT_IRIS_CENTRE, RIGHT_IRIS_CENTRE], :2] * (-1, 1) + (pixels.shape[1], 0)
        for face in detector.detect(pixels[:, ::-1].copy())
    ]
    assert len(mirrored) == len(irises)
    for pair in irises:
        inter_ocular = np.linalg.norm(pair[1] - pair[0])
        worst = min(np.linalg.norm(other - pair, axis=1).max() for other in mirrored)
        assert worst <= 0.05 * inter_ocular


@pytest.mark.parametrize("turn_deg", [30, 90, 105, 150, 180, 225, 270, 330])
@pytest.mark.parametrize("name", ["man_beard", "man_stern", "woman_front_a", "mona_lisa", "woman_turned"])
def test_a_turned_picture_gives_the_turned_points(detector: MediaPipeDetector, name: str, turn_deg: int) -> None:
    """Upside down, MediaPipe alone sees other faces in these, the mouth on the forehead."""
    pixels = read_picture(FACES / f"{name}.jpg").pixels
    height, width = pixels.shape[:2]
    side = int(np.hypot(height, width)) + 2
    to_turned = cv2.getRotationMatrix2D((width / 2 - 0.5, height / 2 - 0.5), turn_deg, 1)
    to_turned[:, 2] += (side - width) / 2, (side - height) / 2
    turned = [face.points_image[:, :2] for face in detector.detect(cv2.warpAffine(pixels, to_turned, (side, side)))]
    for face in detector.detect(pixels):
        points = face.points_image[:, :2]
        wanted = (points - 0.5) @ to_turned[:, :2].T + to_turned[:, 2] + 0.5
        errors = [np.linalg.norm(other - wanted, axis=1).mean() for other in turned]
        assert min(errors) <= 0.05 * np.linalg.norm(points[33] - points[263])


@pytest.mark.parametrize("small_faces", [False, True])
@pytest.mark.parametrize("name", NO_FACE)
def test_a_cat_is_no_face_at_any_size_or_crop(name: str, small_faces: bool) -> None:
    pixels = read_picture(FACES / f"{name}.jpg").pixels
    with MediaPipeDetector(small_faces=small_faces) as detector:
        for margin in (0, 10, 20, 32, 40):
            inner = pixels[margin : 256 - margin, margin : 256 - margin]
            outer: Any = np.pad(pixels, ((margin, margin), (margin, margin), (0, 0)), mode="edge")
            assert detector.detect(inner) == []
            assert detector.detect(inner[:, ::-1].copy()) == []
            assert detector.detect(outer) == []


@pytest.mark.parametrize("name", OUT_OF_REACH)
def test_a_full_profile_gives_no_face_rather_than_a_wrong_one(detector: MediaPipeDetector, name: str) -> None:
    assert detector.detect(read_picture(FACES / f"{name}.jpg").pixels) == []


def test_a_portrait_costs_six_looks(detector: MediaPipeDetector, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, ...]] = []
    look = detector._look

    def counted(pixels: ImageArray, window: Window) -> list[Landmarks]:
        seen.append(pixels.shape)
        return look(pixels, window)

    monkeypatch.setattr(detector, "_look", counted)
    assert len(detector.detect(read_picture(FACES / "man_front_a.jpg").pixels)) == 1
    assert len(seen) == 6
