"""The fit on real frontal photographs: does it explain points that it did not see, and stay a plausible person."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks._fit_scores import FRONTAL, score_fit
from synth_affect.data.pictures import read_picture
from synth_affect.fitting.landmarks import Landmarks
from synth_affect.fitting.markup import INNER
from synth_affect.fitting.mediapipe_detector import MediaPipeDetector
from synth_affect.fitting.solver import LandmarkSolver
from synth_affect.heads.camera import ImageSize, yaw_pitch_roll
from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.model import HeadModel

FACES = Path(__file__).parents[3] / "shared" / "faces"
pytestmark = pytest.mark.skipif(not FACES.is_dir(), reason="../shared/faces is not here")

NEUTRAL = ("man_front_b", "man_beard", "man_stern", "man_stubble", "woman_portrait", "einstein_grey")
SMILING = ("man_bald", "man_glasses_smile")

Faces = dict[str, tuple[Landmarks, ImageSize]]


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return load_cc0()


@pytest.fixture(scope="module")
def solver(head: HeadModel) -> LandmarkSolver:
    return LandmarkSolver(head)


@pytest.fixture(scope="module")
def faces() -> Faces:
    found = {}
    with MediaPipeDetector() as detector:
        for name in (*FRONTAL, "pearl_earring"):
            image = read_picture(FACES / f"{name}.jpg").pixels
            found[name] = detector.detect(image)[0], ImageSize(*image.shape[:2])
    return found


def test_points_that_were_not_fitted_are_explained(solver: LandmarkSolver, head: HeadModel, faces: Faces) -> None:
    scores = {name: score_fit(solver, head, *faces[name]) for name in FRONTAL}
    assert np.mean([score.held_out for score in scores.values()]) < 0.015
    assert max(score.held_out for score in scores.values()) < 0.025
    assert max(score.largest_coefficient for score in scores.values()) < 3.0


def test_neutral_faces_are_explained_by_identity(solver: LandmarkSolver, head: HeadModel, faces: Faces) -> None:
    # Gaze is not an expression of the face: eyes may look anywhere.
    of_the_face = [i for i, name in enumerate(head.unit_names) if not name.startswith("eyeLook")]
    for name in NEUTRAL:
        weights = solver(*faces[name]).expression_weights[of_the_face]
        assert weights.max() < 0.45, name
        assert weights.sum() < 1.0, name


def test_smiles_are_explained_by_expression(solver: LandmarkSolver, head: HeadModel, faces: Faces) -> None:
    for name in SMILING:
        fit = solver(*faces[name])
        for side in ("Left", "Right"):
            assert fit.expression_weights[head.unit_names.index(f"mouthSmile{side}")] > 0.45, name


def test_a_mirrored_picture_gives_the_mirrored_fit(solver: LandmarkSolver, head: HeadModel, faces: Faces) -> None:
    for name in ("man_beard", "pearl_earring"):
        landmarks, size = faces[name]
        yaw, pitch, roll = yaw_pitch_roll(solver(landmarks, size).camera)
        mirrored_yaw, mirrored_pitch, mirrored_roll = yaw_pitch_roll(
            solver(_mirrored(landmarks, head, size), size).camera
        )
        np.testing.assert_allclose(
            np.degrees([mirrored_yaw, mirrored_pitch, mirrored_roll]), np.degrees([-yaw, pitch, -roll]), atol=2.5
        )


def _mirrored(landmarks: Landmarks, head: HeadModel, size: ImageSize) -> Landmarks:
    """The face in the mirror: points flipped, and each given to its counterpart on the other side of the head."""
    corners = head.mean[head.triangles[head.landmarks_478.triangles]]
    points = np.einsum("lk,lkd->ld", head.landmarks_478.barycentric, corners)
    flipped = points * [-1, 1, 1]
    distance = np.linalg.norm(flipped[:, None] - points[None], axis=2)
    # Among the inner points one by one; a few lie so close together that the nearest is not the counterpart: no matter.
    counterpart = distance.argmin(axis=1)
    assert (counterpart[counterpart] == np.arange(len(points)))[INNER].mean() > 0.8
    image = landmarks.points_image[counterpart].copy()
    image[:, 0] = size.width - image[:, 0]
    swap = {"Left": "Right", "Right": "Left"}
    readings = {}
    for unit, reading in landmarks.blendshapes.items():
        side = next((s for s in swap if unit.endswith(s)), "")
        readings[unit.removesuffix(side) + swap.get(side, "")] = reading
    return Landmarks(image, readings)
