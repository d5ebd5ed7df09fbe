import importlib.util
from typing import Any

import numpy as np
import pytest

from synth_affect.errors import MissingDependencyError, ShapeError
from synth_affect.fitting.face_alignment_detector import FaceAlignmentDetector
from synth_affect.fitting.solver import LandmarkSolver
from synth_affect.heads.camera import Camera, ImageSize, project
from synth_affect.heads.model import HeadModel, embed

PICTURE = np.zeros((600, 800, 3), np.uint8)
SMALL, LARGE = np.random.default_rng(0).uniform(100, 140, (68, 2)), np.random.default_rng(1).uniform(200, 500, (68, 2))


class FakeNetwork:
    """Answers as face-alignment 1.4 does: a list of (68, 2) float32 in the order of its detector, None without any."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.seen: list[np.ndarray] = []

    def get_landmarks_from_image(self, image: np.ndarray) -> Any:
        self.seen.append(image)
        return self.answer


def test_faces_come_largest_first_with_pixel_centres_at_a_half() -> None:
    network = FakeNetwork([SMALL.astype(np.float32), LARGE.astype(np.float32)])
    found = FaceAlignmentDetector(network=network).detect(PICTURE)
    assert [faces.points_image.shape for faces in found] == [(68, 3), (68, 3)]
    np.testing.assert_allclose(found[0].points_image[:, :2], LARGE + 0.5, atol=1e-4)
    assert not found[0].points_image[:, 2].any()
    assert found[0].blendshapes == {}


@pytest.mark.parametrize("answer", [None, []])
def test_no_face_is_no_face(answer: Any) -> None:
    assert FaceAlignmentDetector(network=FakeNetwork(answer)).detect(PICTURE) == []


def test_the_network_gets_eight_bits_of_its_own() -> None:
    network = FakeNetwork(None)
    picture = np.full((4, 5, 3), 65535, np.uint16)
    picture.flags.writeable = False
    FaceAlignmentDetector(network=network).detect(picture)
    assert network.seen[0].dtype == np.uint8
    assert network.seen[0].flags.writeable
    assert network.seen[0].max() == 255


def test_points_that_are_not_finite_are_no_face() -> None:
    assert FaceAlignmentDetector(network=FakeNetwork([np.full((68, 2), np.nan)])).detect(PICTURE) == []


def test_another_count_of_points_and_no_picture_are_refused() -> None:
    with pytest.raises(ShapeError, match="68"):
        FaceAlignmentDetector(network=FakeNetwork([np.zeros((98, 2))])).detect(PICTURE)
    with pytest.raises(ShapeError, match="image"):
        FaceAlignmentDetector(network=FakeNetwork(None)).detect(PICTURE[:, :, 0])


def test_a_closed_detector_says_so() -> None:
    detector = FaceAlignmentDetector(network=FakeNetwork(None))
    detector.close()
    detector.close()
    with pytest.raises(ValueError, match="closed"):
        detector.detect(PICTURE)


@pytest.mark.skipif(importlib.util.find_spec("face_alignment") is not None, reason="face-alignment is installed")
def test_without_the_package_the_extra_is_named() -> None:
    with pytest.raises(MissingDependencyError, match=r"synth-affect\[face-alignment\]"):
        FaceAlignmentDetector()


def test_its_points_drive_the_solver(synthetic_head: HeadModel) -> None:
    camera = Camera(np.eye(3), np.array([10.0, 0.0, 900.0]), 1100.0, np.array([400.0, 300.0]))
    points = embed(synthetic_head.mean.astype(np.float64), synthetic_head.triangles, synthetic_head.landmarks_68)
    network = FakeNetwork([project(camera, points)[:, :2] - 0.5])
    (found,) = FaceAlignmentDetector(network=network).detect(PICTURE)
    fit = LandmarkSolver(synthetic_head)(found, ImageSize(600, 800))
    assert fit.residual_iod < 0.02
    assert np.trace(fit.camera.rotation) > 2.99
