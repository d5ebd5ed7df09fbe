import numpy as np
import pytest

from synth_affect.errors import ShapeError
from synth_affect.fitting.landmarks import Landmarks
from synth_affect.fitting.perspective import camera_of_view, turn, view_of_camera
from synth_affect.fitting.same_person import SeenFace, fit_batch
from synth_affect.fitting.solver import LandmarkSolver
from synth_affect.heads.camera import Camera, ImageSize, project
from synth_affect.heads.model import HeadModel, embed, head_vertices

SIZE = ImageSize(600, 800)


@pytest.fixture(scope="module")
def solver(synthetic_head: HeadModel) -> LandmarkSolver:
    return LandmarkSolver(synthetic_head)


def _seen(head: HeadModel, identity: np.ndarray, n: int, seed: int = 0) -> list[SeenFace]:
    rng = np.random.default_rng(seed)
    faces = []
    for _ in range(n):
        weights = rng.uniform(0, 0.5, len(head.unit_names)) * (rng.random(len(head.unit_names)) < 0.2)
        points = embed(head_vertices(head, identity, weights).astype(np.float64), head.triangles, head.landmarks_478)
        rotation = turn(rng.normal(size=3) * [0.1, 0.35, 0.1])
        camera = Camera(rotation, np.array([20.0, -10.0, 900.0]), 1100.0, np.array([400.0, 300.0]))
        seen = project(camera, points)
        seen[:, :2] += rng.normal(size=(len(seen), 2)) * 1.5
        seen[:, 2] = 0
        readings = dict(zip(head.unit_names, weights.tolist(), strict=True))
        faces.append(SeenFace(Landmarks(seen, readings), SIZE))
    return faces


def _identity(head: HeadModel, seed: int) -> np.ndarray:
    return np.clip(np.random.default_rng(seed).normal(size=len(head.identity_basis)), -2, 2)


def _shape_error_mm(head: HeadModel, found: np.ndarray, identity: np.ndarray) -> float:
    difference = np.tensordot(found - identity, head.identity_basis, 1)[head.mean[:, 2] > 0]
    return float(np.linalg.norm(difference, axis=1).mean())


def test_a_person_seen_often_is_known_better_than_from_any_one_picture(
    solver: LandmarkSolver, synthetic_head: HeadModel
) -> None:
    identity = _identity(synthetic_head, 3)
    faces = _seen(synthetic_head, identity, 8)
    alone = [_shape_error_mm(synthetic_head, f.identity_coefficients, identity) for f in fit_batch(solver, faces)]
    together = fit_batch(solver, faces, people=[0] * 8)
    assert all(np.array_equal(f.identity_coefficients, together[0].identity_coefficients) for f in together)
    assert _shape_error_mm(synthetic_head, together[0].identity_coefficients, identity) < 0.8 * np.mean(alone)


def test_people_keep_their_own_identities_in_the_order_of_their_faces(
    solver: LandmarkSolver, synthetic_head: HeadModel
) -> None:
    first, second = (_seen(synthetic_head, _identity(synthetic_head, k), 3, seed=k) for k in (1, 2))
    mixed = [first[0], second[0], first[1], second[1], first[2], second[2]]
    fits = fit_batch(solver, mixed, people=[7, 4, 7, 4, 7, 4])
    own = fit_batch(solver, first, people=[0, 0, 0])
    assert all(np.array_equal(a.expression_weights, b.expression_weights) for a, b in zip(fits[::2], own, strict=True))
    assert not np.array_equal(fits[0].identity_coefficients, fits[1].identity_coefficients)


def test_strangers_and_those_seen_once_are_fitted_as_if_alone(
    solver: LandmarkSolver, synthetic_head: HeadModel
) -> None:
    faces = _seen(synthetic_head, _identity(synthetic_head, 5), 2)
    fits = fit_batch(solver, faces, people=[None, 3])
    for face, fit in zip(faces, fits, strict=True):
        single = solver(face.landmarks, face.image_size)
        np.testing.assert_array_equal(fit.identity_coefficients, single.identity_coefficients)
        np.testing.assert_array_equal(fit.expression_weights, single.expression_weights)


def test_evidence_is_the_slope_of_what_the_other_unknowns_cannot_take_up(
    solver: LandmarkSolver, synthetic_head: HeadModel
) -> None:
    """Where the solver came to rest, only the prior pulls at the identity against the evidence."""
    (face,) = _seen(synthetic_head, 0.5 * _identity(synthetic_head, 6), 1)
    fit = solver(face.landmarks, SIZE)
    evidence = solver.identity_evidence(face.landmarks, fit)
    free = np.abs(fit.identity_coefficients) < 2.9
    pull = evidence.gradient + fit.identity_coefficients
    assert np.abs(pull[free]).max() < 0.05 * np.abs(fit.identity_coefficients).max()
    np.testing.assert_allclose(solver.likeliest_identity([evidence]), fit.identity_coefficients, atol=0.05)


def test_a_start_near_the_answer_leads_there(solver: LandmarkSolver, synthetic_head: HeadModel) -> None:
    (face,) = _seen(synthetic_head, _identity(synthetic_head, 8), 1)
    cold = solver(face.landmarks, SIZE)
    warm = solver(face.landmarks, SIZE, start=cold)
    assert warm.iterations < cold.iterations
    assert solver.residual_iod(warm) == pytest.approx(cold.residual_iod, rel=0.02)


def test_the_residual_of_a_fit_is_told_again_from_the_fit(solver: LandmarkSolver, synthetic_head: HeadModel) -> None:
    (face,) = _seen(synthetic_head, _identity(synthetic_head, 9), 1)
    fit = solver(face.landmarks, SIZE)
    assert solver.residual_iod(fit) == pytest.approx(fit.residual_iod, rel=1e-2)


def test_a_view_is_found_again_in_its_camera() -> None:
    centre = np.array([1.0, 20.0, 60.0])
    camera = Camera(turn(np.array([0.1, 0.4, -0.2])), np.array([30.0, -10.0, 800.0]), 900.0, np.array([1.0, 2.0]))
    again = camera_of_view(view_of_camera(camera, centre), centre, camera.principal_point)
    np.testing.assert_allclose(again.rotation, camera.rotation, atol=1e-12)
    np.testing.assert_allclose(again.translation, camera.translation, rtol=1e-12)
    assert again.focal_px == pytest.approx(camera.focal_px)


def test_wrong_counts_are_refused(solver: LandmarkSolver, synthetic_head: HeadModel) -> None:
    faces = _seen(synthetic_head, np.zeros(len(synthetic_head.identity_basis)), 2)
    with pytest.raises(ShapeError, match="people"):
        fit_batch(solver, faces, people=[0])
    with pytest.raises(ShapeError, match="alone"):
        fit_batch(solver, faces, alone=[])
    with pytest.raises(ShapeError, match="identity"):
        solver(faces[0].landmarks, SIZE, identity=np.zeros(3))


def test_fits_that_are_there_already_are_not_made_again(solver: LandmarkSolver, synthetic_head: HeadModel) -> None:
    faces = _seen(synthetic_head, _identity(synthetic_head, 4), 3)
    alone = fit_batch(solver, faces)
    strangers = fit_batch(solver, faces, alone=alone)
    assert all(a is b for a, b in zip(strangers, alone, strict=True))
    given, made = (fit_batch(solver, faces, people=[0] * 3, alone=fits) for fits in (alone, None))
    np.testing.assert_array_equal(given[2].identity_coefficients, made[2].identity_coefficients)
