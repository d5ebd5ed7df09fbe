"""MediaPipe's detector on NASA's portrait of Eileen Collins: contract, coordinates, silence, handles."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from synth_affect.arrays import ImageArray
from synth_affect.errors import InputError, ShapeError
from synth_affect.fitting.landmarks import Landmarks
from synth_affect.fitting.markup import interocular_distance_px
from synth_affect.fitting.mediapipe_detector import LEFT_IRIS_CENTRE, RIGHT_IRIS_CENTRE, MediaPipeDetector


@pytest.fixture(scope="module")
def detector() -> Iterator[MediaPipeDetector]:
    with MediaPipeDetector() as opened:
        yield opened


@pytest.fixture(scope="module")
def portrait() -> np.ndarray[Any, np.dtype[np.uint8]]:
    import skimage.data

    return np.asarray(skimage.data.astronaut())


def points(detector: MediaPipeDetector, image: ImageArray) -> np.ndarray[Any, np.dtype[np.float32]]:
    (face,) = detector.detect(image)
    return face.points_image


def test_a_portrait_gives_one_face_of_478_points_and_51_units(
    detector: MediaPipeDetector, portrait: np.ndarray[Any, np.dtype[np.uint8]]
) -> None:
    (face,) = detector.detect(portrait)
    assert face.points_image.shape == (478, 3)
    assert face.points_image.dtype == np.float32
    assert len(face.blendshapes) == 51
    assert "_neutral" not in face.blendshapes
    assert all(0 <= reading <= 1 for reading in face.blendshapes.values())
    assert face.blendshapes["mouthSmileLeft"] > 0.7  # she smiles
    # Left and right are the subject's, and her face lies where it lies.
    assert face.points_image[RIGHT_IRIS_CENTRE, 0] < face.points_image[LEFT_IRIS_CENTRE, 0]
    np.testing.assert_allclose(face.points_image[:, :2].mean(axis=0), [224, 123], atol=4)
    assert face.points_image[1, 2] < face.points_image[[234, 454], 2].min()  # the nose is nearer than the ears


def test_the_same_picture_gives_the_same_points(
    detector: MediaPipeDetector, portrait: np.ndarray[Any, np.dtype[np.uint8]]
) -> None:
    first = points(detector, portrait)
    with MediaPipeDetector() as other:
        np.testing.assert_array_equal(first, points(other, portrait))
    np.testing.assert_array_equal(first, points(detector, portrait.astype(np.uint16) * 257))


def test_a_face_is_seen_again_in_an_edit_of_its_picture_and_nowhere_else(
    detector: MediaPipeDetector, portrait: ImageArray
) -> None:
    (face,) = detector.detect(portrait)
    brighter = np.clip(portrait.astype(np.int16) + 12, 0, 255).astype(np.uint8)
    again = detector.detect_again(brighter, face)
    assert again is not None
    distance_px = np.linalg.norm((again.points_image - face.points_image)[:, :2], axis=1)
    assert distance_px.mean() < 0.01 * interocular_distance_px(face.points_image)
    assert set(again.blendshapes) == set(face.blendshapes)
    assert detector.detect_again(np.full_like(portrait, 128), face) is None
    beside = Landmarks(face.points_image + np.array([120, 0, 0], np.float32), {})
    assert detector.detect_again(portrait, beside) is None


def test_coordinates_have_pixel_centres_at_one_half(
    detector: MediaPipeDetector, portrait: np.ndarray[Any, np.dtype[np.uint8]]
) -> None:
    """In a mirrored picture x becomes width - x; taking pixel i to lie at i would make that width - 1 - x."""
    head = portrait[:300, 60:380]
    offsets = []
    for n_rows in (60, 66, 72, 80, 90, 100):  # small, so that half a pixel is much against the detector's noise
        small = np.asarray(Image.fromarray(head).resize((n_rows * 320 // 300, n_rows), Image.Resampling.BOX))
        mirrored = points(detector, np.ascontiguousarray(small[:, ::-1]))
        offsets.append(points(detector, small)[:, 0].mean() + mirrored[:, 0].mean() - small.shape[1])
    assert abs(np.mean(offsets)) < 0.2


def test_padding_moves_the_points_by_the_padding(
    detector: MediaPipeDetector, portrait: np.ndarray[Any, np.dtype[np.uint8]]
) -> None:
    moved = points(detector, np.pad(portrait, ((37, 5), (61, 11), (0, 0)), mode="edge"))
    difference = moved[:, :2] - points(detector, portrait)[:, :2]
    inter_ocular = float(np.linalg.norm(moved[LEFT_IRIS_CENTRE, :2] - moved[RIGHT_IRIS_CENTRE, :2]))
    np.testing.assert_allclose(difference.mean(axis=0), [61, 37], atol=0.02 * inter_ocular)


def test_a_face_that_fills_the_frame_and_a_tiny_one_are_found(
    detector: MediaPipeDetector, portrait: np.ndarray[Any, np.dtype[np.uint8]]
) -> None:
    x, y = points(detector, portrait)[:, :2].T
    tight = portrait[int(y.min()) : int(y.max()), int(x.min()) : int(x.max())]
    np.testing.assert_allclose(np.ptp(points(detector, tight), axis=0)[:2], [np.ptp(x), np.ptp(y)], rtol=0.06)
    small = np.asarray(Image.fromarray(portrait[:300, 60:380]).resize((160, 150), Image.Resampling.LANCZOS))
    wide = np.full((1000, 1500, 3), 90, np.uint8)
    wide[700:850, 1200:1360] = small
    found = points(detector, wide)[:, :2].mean(axis=0)
    np.testing.assert_allclose(found, [1200 + (224 - 60) / 2, 700 + 123 / 2], atol=5)


def test_two_faces_come_largest_first_and_the_small_one_on_request(
    detector: MediaPipeDetector, portrait: np.ndarray[Any, np.dtype[np.uint8]]
) -> None:
    head = Image.fromarray(portrait[:300, 60:380])
    scene = np.full((400, 600, 3), 90, np.uint8)
    scene[50:350, 270:590] = np.asarray(head)
    scene[50:290, 10:266] = np.asarray(head.resize((256, 240)))
    large, small = detector.detect(scene)
    assert large.points_image[:, 0].mean() > 270 > small.points_image[:, 0].mean()
    scene[:, :270] = 90
    scene[50:125, 50:130] = np.asarray(head.resize((80, 75)))
    assert len(detector.detect(scene)) == 1
    with MediaPipeDetector(small_faces=True) as thorough:
        large, small = thorough.detect(scene)
    assert large.points_image[:, 0].mean() > 270 > small.points_image[:, 0].mean()


def test_what_is_no_face_gives_none(detector: MediaPipeDetector) -> None:
    import skimage.data

    for image in (skimage.data.chelsea(), skimage.data.colorwheel(), skimage.data.coffee()):
        assert detector.detect(image) == []
    assert detector.detect(np.zeros((1, 1, 3), np.uint8)) == []


def test_the_input_may_be_read_only_and_strided(
    detector: MediaPipeDetector, portrait: np.ndarray[Any, np.dtype[np.uint8]]
) -> None:
    view = portrait[:, :, ::-1][:, :, ::-1][::1, ::1]
    view.flags.writeable = False
    np.testing.assert_array_equal(points(detector, view), points(detector, portrait))


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 4), (0, 8, 3)])
def test_other_shapes_are_refused(detector: MediaPipeDetector, shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"image: expected \(height, width, 3\)"):
        detector.detect(np.zeros(shape, np.uint8))


def test_sixteen_bits_are_rounded_to_eight(
    detector: MediaPipeDetector, portrait: np.ndarray[Any, np.dtype[np.uint8]]
) -> None:
    deep = (np.maximum(portrait * np.int64(257), 100) - 100).astype(np.uint16)  # nearest to the eight bits' values
    np.testing.assert_array_equal(points(detector, deep), points(detector, portrait))


def test_other_types_are_refused(detector: MediaPipeDetector) -> None:
    with pytest.raises(ShapeError, match="expected uint8 or uint16, got float64"):
        detector.detect(np.zeros((8, 8, 3)))  # type: ignore[arg-type]


def test_close_is_idempotent_and_final() -> None:
    detector = MediaPipeDetector()
    detector.close()
    detector.close()
    with pytest.raises(ValueError, match="the detector is closed"):
        detector.detect(np.zeros((8, 8, 3), np.uint8))


def test_the_native_handle_is_freed_on_exceptions_and_by_the_collector() -> None:
    with pytest.raises(KeyError), MediaPipeDetector() as left_by_error:
        raise KeyError
    assert left_by_error._landmarker._handle is None
    forgotten = MediaPipeDetector()
    landmarker = forgotten._landmarker
    del forgotten
    gc.collect()
    assert landmarker._handle is None


def test_a_file_that_mediapipe_cannot_open_is_an_input_error(tmp_path: Path) -> None:
    import zipfile

    path = tmp_path / "other.task"
    with zipfile.ZipFile(path, "w") as other:
        other.writestr("readme.txt", "no networks here")
    with pytest.raises(InputError, match=r"other\.task: not a landmark model that MediaPipe can open") as caught:
        MediaPipeDetector(path)
    assert "\n" not in str(caught.value)


def test_nothing_is_printed_and_no_warning_given_even_when_the_detector_is_never_closed() -> None:
    code = (
        "import skimage.data\n"
        "from synth_affect.fitting.mediapipe_detector import MediaPipeDetector\n"
        "detector, other = MediaPipeDetector(), MediaPipeDetector()\n"
        "print(len(detector.detect(skimage.data.astronaut())), flush=True)\n"
        "raise SystemExit(3)\n"
    )
    ran = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout, ran.stderr) == (3, "1\n", "")


def test_importing_the_adapter_imports_no_mediapipe() -> None:
    code = (
        "import sys, synth_affect.fitting.mediapipe_detector; print('mediapipe' in sys.modules, 'PIL' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "False False\n"
