import dataclasses
import math

import cv2
import numpy as np
import pytest

from synth_affect.arrays import ImageArray
from synth_affect.fitting.fit import FaceFit
from synth_affect.fitting.landmarks import Landmarks
from synth_affect.fitting.mediapipe_detector import MediaPipeDetector
from synth_affect.fitting.quality import FAULTS, FitQuality, QualityMeter
from synth_affect.fitting.solver import LandmarkSolver
from synth_affect.heads.camera import ImageSize
from synth_affect.heads.cc0 import load_cc0
from synth_affect.heads.model import HeadModel

GOOD = FitQuality(
    held_out_iod=0.01,
    residual_iod=0.01,
    in_picture=1.0,
    visible=0.9,
    unhidden=0.9,
    yaw_deg=5.0,
    identity_sd=0.4,
    size_px=150.0,
    sharpness=0.4,
    expression_mm=0.0,
    neutrality=1.0,
)


@pytest.fixture(scope="module")
def head() -> HeadModel:
    return load_cc0()


@pytest.fixture(scope="module")
def detector() -> MediaPipeDetector:
    return MediaPipeDetector()


@pytest.fixture(scope="module")
def solver(head: HeadModel) -> LandmarkSolver:
    return LandmarkSolver(head)


@pytest.fixture(scope="module")
def portrait_landmarks(detector: MediaPipeDetector, portrait: ImageArray) -> Landmarks:
    return detector.detect(portrait)[0]


def _quality(
    head: HeadModel, solver: LandmarkSolver, picture: ImageArray, landmarks: Landmarks
) -> tuple[FitQuality, FaceFit]:
    fit = solver(landmarks, ImageSize(*picture.shape[:2]))
    return QualityMeter(head, solver)(picture, landmarks, fit), fit


def test_a_good_portrait_scores_well(
    head: HeadModel, solver: LandmarkSolver, portrait: ImageArray, portrait_landmarks: Landmarks
) -> None:
    quality, fit = _quality(head, solver, portrait, portrait_landmarks)
    assert quality.score > 0.8
    assert quality.held_out_iod < 0.03
    assert quality.in_picture == 1
    assert quality.residual_iod == fit.residual_iod


@pytest.mark.parametrize(
    ("spoil", "measure"), [("blur", "sharpness"), ("cover", "unhidden"), ("shrink", "size_px"), ("cut", "in_picture")]
)
def test_what_spoils_a_picture_lowers_the_score_and_is_its_reason(
    head: HeadModel,
    solver: LandmarkSolver,
    portrait: ImageArray,
    portrait_landmarks: Landmarks,
    spoil: str,
    measure: str,
) -> None:
    points = portrait_landmarks.points_image.copy()
    picture = portrait.copy()
    low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    if spoil == "blur":
        picture = cv2.GaussianBlur(picture, (0, 0), 0.05 * float(high[0] - low[0]))
    elif spoil == "cover":
        picture[int(low[1] + 0.5 * (high[1] - low[1])) : int(high[1]) + 9, int(low[0]) : int(high[0])] = 60, 90, 200
    elif spoil == "shrink":
        factor = 20.0 / float(np.linalg.norm(points[33, :2] - points[263, :2]))
        picture = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        points *= factor
    else:
        at = int(low[0] + 0.35 * (high[0] - low[0]))
        picture = picture[:, at:].copy()
        points[:, 0] -= at
    quality, _ = _quality(head, solver, picture, Landmarks(points, portrait_landmarks.blendshapes))
    assert quality.score < 0.7
    assert min(quality.marks(), key=lambda name: quality.marks()[name]) == measure
    assert quality.reason


def test_an_expression_is_no_fault_but_not_neutral(head: HeadModel, solver: LandmarkSolver) -> None:
    picture = np.zeros((600, 800, 3), np.uint8)
    from synth_affect.heads.camera import Camera, project
    from synth_affect.heads.model import embed, head_vertices

    camera = Camera(np.eye(3), np.array([0.0, 0.0, 900.0]), 1200.0, np.array([400.0, 300.0]))
    found = []
    for smile in (0.0, 0.9):
        weights = np.array([smile if name.startswith("mouthSmile") else 0.0 for name in head.unit_names])
        vertices = head_vertices(head, np.zeros(len(head.identity_basis)), weights)
        points = project(camera, embed(vertices, head.triangles, head.landmarks_478))
        points[:, 2] = 0
        readings = dict(zip(head.unit_names, weights.tolist(), strict=True))
        found.append(_quality(head, solver, picture, Landmarks(points, readings))[0])
    assert found[0].neutrality > 0.9
    assert found[1].neutrality < found[0].neutrality - 0.2
    assert found[1].expression_mm > found[0].expression_mm + 0.5


def test_68_points_are_measured_too(
    head: HeadModel, solver: LandmarkSolver, portrait: ImageArray, portrait_landmarks: Landmarks
) -> None:
    fit = solver(portrait_landmarks, ImageSize(*portrait.shape[:2]))
    from synth_affect.heads.camera import project
    from synth_affect.heads.model import embed, head_vertices

    vertices = head_vertices(head, fit.identity_coefficients, fit.expression_weights)
    points = project(fit.camera, embed(vertices, head.triangles, head.landmarks_68))
    points[:, 2] = 0
    quality, _ = _quality(head, solver, portrait, Landmarks(points, {}))
    assert quality.held_out_iod < 0.06
    assert quality.score > 0.4


def test_the_score_is_the_worst_mark() -> None:
    assert GOOD.score == 1
    worse = dataclasses.replace(GOOD, yaw_deg=62.5, size_px=40.0)
    assert worse.score == pytest.approx(0.5)
    assert worse.reason == "turned by 62 degrees"


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.measure)
def test_every_fault_can_be_the_reason(fault: object) -> None:
    spoilt = dataclasses.replace(GOOD, **{fault.measure: fault.bad})  # type: ignore[attr-defined]
    assert spoilt.score == 0
    assert dataclasses.replace(GOOD, **{fault.measure: fault.good}).score == 1  # type: ignore[attr-defined]


def test_what_cannot_be_measured_is_no_good_sign() -> None:
    assert dataclasses.replace(GOOD, sharpness=math.nan).score == 0
