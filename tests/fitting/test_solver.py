import dataclasses

import numpy as np
import pytest

from synth_affect.errors import FitError, ShapeError
from synth_affect.fitting.fit import FaceFit
from synth_affect.fitting.landmarks import Landmarks
from synth_affect.fitting.markup import FACE_OVAL, INNER, IRISES, N_LANDMARKS
from synth_affect.fitting.perspective import turn
from synth_affect.fitting.solver import LandmarkSolver, SolverSettings
from synth_affect.heads.camera import HEAD_TO_CAMERA_AXES, Camera, ImageSize, project
from synth_affect.heads.model import HeadModel, embed, head_vertices

SIZE = ImageSize(height=600, width=800)


@pytest.fixture(scope="module")
def solver(synthetic_head: HeadModel) -> LandmarkSolver:
    return LandmarkSolver(synthetic_head)


@pytest.fixture(scope="module")
def exact_solver(synthetic_head: HeadModel) -> LandmarkSolver:
    """For points that are exact: told so, the solver trusts them over its priors."""
    return LandmarkSolver(synthetic_head, SolverSettings(noise_mm=0.5))


@dataclasses.dataclass(frozen=True)
class Truth:
    camera: Camera
    identity: np.ndarray
    expression: np.ndarray
    points_image: np.ndarray

    def landmarks(self, noise_px: float = 0.0, readings: dict[str, float] | None = None) -> Landmarks:
        noise = np.random.default_rng(99).normal(size=self.points_image.shape) * noise_px
        points = np.column_stack([self.points_image + noise, np.zeros(N_LANDMARKS)])
        return Landmarks(points, {} if readings is None else readings)


def _truth(
    head: HeadModel,
    seed: int = 0,
    yaw: float = 0.0,
    pitch: float = 0.0,
    roll: float = 0.0,
    units: dict[str, float] | None = None,
    distance_mm: float = 1000.0,
) -> Truth:
    rng = np.random.default_rng(seed)
    identity = np.clip(rng.normal(size=len(head.identity_basis)), -2.5, 2.5)
    expression = np.array([(units or {}).get(name, 0.0) for name in head.unit_names])
    rotation = turn(np.array([0, 0, roll])) @ turn(np.array([0, yaw, 0])) @ turn(np.array([pitch, 0, 0]))
    camera = Camera(rotation, np.array([30.0, -20.0, distance_mm]), 1.2 * distance_mm, np.array([400.0, 300.0]))
    vertices = head_vertices(head, identity, expression).astype(np.float64)
    points = embed(vertices, head.triangles, head.landmarks_478)
    return Truth(camera, identity, expression, project(camera, points)[:, :2])


def _degrees_between(a: Camera, b: Camera) -> float:
    return float(np.degrees(np.arccos(np.clip((np.trace(a.rotation.T @ b.rotation) - 1) / 2, -1, 1))))


def _reprojected(head: HeadModel, fit: FaceFit) -> np.ndarray:
    vertices = head_vertices(head, fit.identity_coefficients, fit.expression_weights).astype(np.float64)
    return project(fit.camera, embed(vertices, head.triangles, head.landmarks_478))[:, :2]


def _inner_error_px(head: HeadModel, fit: FaceFit, truth: Truth) -> float:
    return float(np.linalg.norm(_reprojected(head, fit) - truth.points_image, axis=1)[INNER].mean())


@pytest.mark.parametrize("noise_px", [0.0, 0.5])
@pytest.mark.parametrize("seed", range(3))
def test_a_known_head_is_found_again(
    exact_solver: LandmarkSolver, synthetic_head: HeadModel, seed: int, noise_px: float
) -> None:
    truth = _truth(synthetic_head, seed=seed, yaw=0.2, pitch=-0.1)
    fit = exact_solver(truth.landmarks(noise_px), SIZE)
    assert fit.converged
    assert _degrees_between(fit.camera, truth.camera) < 1.0
    assert _inner_error_px(synthetic_head, fit, truth) < 0.35
    assert np.corrcoef(fit.identity_coefficients, truth.identity)[0, 1] > 0.7
    assert fit.expression_weights.max() < 0.1


@pytest.mark.parametrize("seed", range(3))
def test_by_default_the_priors_bend_a_known_head_only_a_little(
    solver: LandmarkSolver, synthetic_head: HeadModel, seed: int
) -> None:
    truth = _truth(synthetic_head, seed=seed, yaw=0.2, pitch=-0.1)
    fit = solver(truth.landmarks(0.5), SIZE)
    assert _degrees_between(fit.camera, truth.camera) < 1.5
    assert _inner_error_px(synthetic_head, fit, truth) < 0.7
    assert fit.expression_weights.max() < 0.05


@pytest.mark.parametrize("roll", np.radians([-180, -120, -60, 45, 90, 150]))
def test_a_face_may_lie_at_any_angle(solver: LandmarkSolver, synthetic_head: HeadModel, roll: float) -> None:
    truth = _truth(synthetic_head, yaw=0.3, roll=roll)
    fit = solver(truth.landmarks(), SIZE)
    assert _degrees_between(fit.camera, truth.camera) < 1.0
    assert _inner_error_px(synthetic_head, fit, truth) < 0.7


@pytest.mark.parametrize("yaw_degrees", [-60, -40, 40, 60])
def test_a_turned_face_whose_far_outline_is_its_silhouette(
    solver: LandmarkSolver, synthetic_head: HeadModel, yaw_degrees: float
) -> None:
    truth = _truth(synthetic_head, seed=1, yaw=np.radians(yaw_degrees))
    points = _with_silhouette(synthetic_head, truth)
    moved_px = np.linalg.norm(points - truth.points_image, axis=1)[FACE_OVAL]
    assert moved_px.max() > 8  # the test would show nothing if the silhouette were the outline
    fit = solver(Landmarks(np.column_stack([points, np.zeros(N_LANDMARKS)]), {}), SIZE)
    assert fit.converged
    assert _degrees_between(fit.camera, truth.camera) < 1.5
    assert _inner_error_px(synthetic_head, fit, truth) < 1.2


def test_sliding_is_what_makes_the_silhouette_harmless(solver: LandmarkSolver, synthetic_head: HeadModel) -> None:
    truth = _truth(synthetic_head, seed=1, yaw=np.radians(50))
    points = _with_silhouette(synthetic_head, truth)
    landmarks = Landmarks(np.column_stack([points, np.zeros(N_LANDMARKS)]), {})
    fit = solver(landmarks, SIZE)
    own_place_px = np.linalg.norm(_reprojected(synthetic_head, fit) - points, axis=1)[FACE_OVAL].mean()
    iod_px = np.linalg.norm(points[33] - points[263])
    # residual_iod is measured with the outline where it slid to; at its own place it is far from the detected one.
    assert fit.residual_iod * iod_px < 0.25 * own_place_px


def _with_silhouette(head: HeadModel, truth: Truth) -> np.ndarray:
    """The landmarks with the outline pushed out to the edge of the head in the picture, as a detector sees it.

    By brute force, not by the solver's strips: every far outline point goes to the vertex that lies farthest out among
    those at its own height in the head.
    """
    vertices = head_vertices(head, truth.identity, truth.expression).astype(np.float64)
    seen = project(truth.camera, vertices)[:, :2]
    points = truth.points_image.copy()
    points_head = embed(vertices, head.triangles, head.landmarks_478)
    side = np.sign(truth.camera.rotation[0, 2])  # the far side is the one towards which the face is turned
    for landmark in FACE_OVAL:
        if side * points_head[landmark, 0] <= 0:
            continue
        level = np.abs(vertices[:, 1] - points_head[landmark, 1]) < 4.0
        farthest = side * (side * seen[level, 0]).max()
        if side * (farthest - points[landmark, 0]) > 0:
            points[landmark, 0] = farthest
    return points


def test_what_the_detector_guesses_on_the_hidden_side_matters_little(synthetic_head: HeadModel) -> None:
    truth = _truth(synthetic_head, seed=1, yaw=np.radians(55))
    vertices = head_vertices(synthetic_head, truth.identity, truth.expression).astype(np.float64)
    points_head = embed(vertices, synthetic_head.triangles, synthetic_head.landmarks_478)
    # On an ellipsoid a point hides where its x turns past the silhouette; 45 mm at 55 degrees is well behind it.
    hidden = INNER[points_head[INNER, 0] > 45]
    seen = np.setdiff1d(INNER, hidden)
    assert len(hidden) > 20
    points = np.column_stack([truth.points_image, np.zeros(N_LANDMARKS)])
    points[hidden, 0] += 5.0

    def error_px(hidden_weight: float) -> float:
        fit = LandmarkSolver(synthetic_head, SolverSettings(hidden_weight=hidden_weight))(Landmarks(points, {}), SIZE)
        return float(np.linalg.norm(_reprojected(synthetic_head, fit) - truth.points_image, axis=1)[seen].mean())

    default = SolverSettings().hidden_weight
    assert error_px(default) < 0.6
    assert error_px(default) < 0.8 * error_px(1.0)


SMILE = {"mouthSmileLeft": 0.8, "mouthSmileRight": 0.8}


def test_a_smile_that_was_read_is_expression(solver: LandmarkSolver, synthetic_head: HeadModel) -> None:
    readings = dict.fromkeys(synthetic_head.unit_names, 0.0) | {name: 0.85 for name in SMILE}
    truth = _truth(synthetic_head, units=SMILE)
    fit = solver(truth.landmarks(readings=readings), SIZE)
    weights = dict(zip(synthetic_head.unit_names, fit.expression_weights.tolist(), strict=True))
    assert weights["mouthSmileLeft"] == pytest.approx(0.8, abs=0.12)
    assert weights["mouthSmileRight"] == pytest.approx(0.8, abs=0.12)
    assert sum(weights.values()) - sum(weights[name] for name in SMILE) < 0.25


def test_a_reading_that_the_points_contradict_does_not_pass_unchecked(
    solver: LandmarkSolver, synthetic_head: HeadModel
) -> None:
    readings = dict.fromkeys(synthetic_head.unit_names, 0.0) | {"jawOpen": 0.6}
    fit = solver(_truth(synthetic_head).landmarks(readings=readings), SIZE)
    assert fit.expression_weights[synthetic_head.unit_names.index("jawOpen")] < 0.35


def test_the_irises_turn_the_eyes(solver: LandmarkSolver, synthetic_head: HeadModel) -> None:
    truth = _truth(synthetic_head, units={"eyeLookInLeft": 0.8, "eyeLookOutRight": 0.8})
    weights = dict(zip(synthetic_head.unit_names, solver(truth.landmarks(), SIZE).expression_weights, strict=True))
    assert weights["eyeLookInLeft"] > 0.4
    assert weights["eyeLookOutRight"] > 0.4
    assert weights["eyeLookOutLeft"] < 0.02
    assert weights["eyeLookInRight"] < 0.02


def test_irises_that_no_unit_moves_do_not_pull_at_the_head(synthetic_head: HeadModel) -> None:
    keep = [i for i, name in enumerate(synthetic_head.unit_names) if not name.startswith("eyeLook")]
    units = synthetic_head.expression_units[keep].copy()
    corners = synthetic_head.triangles[synthetic_head.landmarks_478.triangles[IRISES]]
    units[:, np.unique(corners)] = 0
    blind = dataclasses.replace(
        synthetic_head, expression_units=units, unit_names=tuple(synthetic_head.unit_names[i] for i in keep)
    )
    truth = _truth(blind)
    aside = truth.points_image.copy()
    aside[IRISES] += [6.0, 0.0]
    looking, straight = (
        LandmarkSolver(blind)(Landmarks(np.column_stack([points, np.zeros(N_LANDMARKS)]), {}), SIZE)
        for points in (aside, truth.points_image)
    )
    np.testing.assert_array_equal(looking.camera.rotation, straight.camera.rotation)


def test_a_tenth_of_wrong_points_changes_little(exact_solver: LandmarkSolver, synthetic_head: HeadModel) -> None:
    truth = _truth(synthetic_head, seed=2, yaw=-0.3)
    rng = np.random.default_rng(5)
    wrong = rng.choice(N_LANDMARKS, size=N_LANDMARKS // 10, replace=False)
    points = truth.points_image.copy()
    points[wrong] += rng.uniform(-150, 150, size=(len(wrong), 2))
    fit = exact_solver(Landmarks(np.column_stack([points, np.zeros(N_LANDMARKS)]), {}), SIZE)
    assert _degrees_between(fit.camera, truth.camera) < 1.0
    assert _inner_error_px(synthetic_head, fit, truth) < 0.5


def test_points_without_weight_do_not_count(solver: LandmarkSolver, synthetic_head: HeadModel) -> None:
    truth = _truth(synthetic_head, seed=2)
    weights = np.zeros(N_LANDMARKS)
    weights[INNER[::2]] = 1.0
    points = truth.points_image.copy()
    points[weights == 0] = np.random.default_rng(1).uniform(0, 600, size=((weights == 0).sum(), 2))
    points[[33, 263]] = truth.points_image[[33, 263]]
    fit = solver(Landmarks(np.column_stack([points, np.zeros(N_LANDMARKS)]), {}), SIZE, weights=weights)
    assert _inner_error_px(synthetic_head, fit, truth) < 0.7
    assert fit.residual_iod < 0.01


def test_the_box_is_kept_even_where_the_truth_lies_outside(solver: LandmarkSolver, synthetic_head: HeadModel) -> None:
    truth = _truth(synthetic_head, units=dict.fromkeys(synthetic_head.unit_names, 1.6))
    points = truth.points_image * [1.25, 0.9]
    fit = solver(Landmarks(np.column_stack([points, np.zeros(N_LANDMARKS)]), {}), SIZE)
    assert np.abs(fit.identity_coefficients).max() <= 3.0
    assert fit.expression_weights.min() >= 0.0
    assert fit.expression_weights.max() <= 1.0
    assert fit.expression_weights.max() > 0.5


def test_a_picture_twice_as_large_gives_the_same_head(solver: LandmarkSolver, synthetic_head: HeadModel) -> None:
    landmarks = _truth(synthetic_head, yaw=0.4, units=SMILE).landmarks(0.5)
    once = solver(landmarks, SIZE)
    twice = solver(Landmarks(landmarks.points_image * 2, {}), ImageSize(SIZE.height * 2, SIZE.width * 2))
    np.testing.assert_allclose(twice.identity_coefficients, once.identity_coefficients, atol=1e-4)
    np.testing.assert_allclose(twice.expression_weights, once.expression_weights, atol=1e-4)
    np.testing.assert_allclose(twice.camera.rotation, once.camera.rotation, atol=1e-5)
    assert twice.camera.focal_px == pytest.approx(2 * once.camera.focal_px, rel=1e-4)
    assert twice.residual_iod == pytest.approx(once.residual_iod, rel=1e-3)


def test_the_same_input_gives_the_same_bytes_and_is_left_alone(
    solver: LandmarkSolver, synthetic_head: HeadModel
) -> None:
    landmarks = _truth(synthetic_head, yaw=0.4, units=SMILE).landmarks(0.5, readings=dict(SMILE))
    before = landmarks.points_image.tobytes()
    first = solver(landmarks, SIZE)
    solver(_truth(synthetic_head, seed=9).landmarks(), SIZE)  # another face in between leaves nothing behind
    again = solver(landmarks, SIZE)
    fresh = LandmarkSolver(synthetic_head)(landmarks, SIZE)
    for other in (again, fresh):
        assert other.identity_coefficients.tobytes() == first.identity_coefficients.tobytes()
        assert other.expression_weights.tobytes() == first.expression_weights.tobytes()
        assert other.camera.rotation.tobytes() == first.camera.rotation.tobytes()
    assert landmarks.points_image.tobytes() == before


def test_the_fit_says_what_it_is_of(solver: LandmarkSolver, synthetic_head: HeadModel) -> None:
    landmarks = _truth(synthetic_head).landmarks(0.5)
    fit = solver(landmarks, SIZE)
    assert (fit.head, fit.topology, fit.image_size) == ("ellipsoid", "ellipsoid-48x72", SIZE)
    assert fit.identity_coefficients.shape == (len(synthetic_head.identity_basis),)
    assert fit.expression_weights.shape == (len(synthetic_head.unit_names),)
    np.testing.assert_array_equal(fit.landmarks_image, landmarks.points_image[:, :2])
    np.testing.assert_allclose(fit.camera.principal_point, [400, 300])
    np.testing.assert_allclose(fit.camera.rotation @ fit.camera.rotation.T, np.eye(3), atol=1e-12)
    # In front of the camera, the face towards it.
    assert fit.camera.translation[2] > 0
    assert (HEAD_TO_CAMERA_AXES @ fit.camera.rotation)[2, 2] < 0


def test_a_cap_on_iterations_is_reported(synthetic_head: HeadModel) -> None:
    fit = LandmarkSolver(synthetic_head, SolverSettings(max_iterations=1))(_truth(synthetic_head).landmarks(), SIZE)
    assert (fit.converged, fit.iterations) == (False, 1)


def test_refuses_another_count_of_points(solver: LandmarkSolver) -> None:
    with pytest.raises(ShapeError, match="landmarks: expected 478 points, or ibug's 68, got 66"):
        solver(Landmarks(np.ones((66, 3)), {}), SIZE)


def test_not_a_number_does_not_reach_the_solver() -> None:
    points = np.ones((N_LANDMARKS, 3))
    points[7, 0] = np.nan
    with pytest.raises(ShapeError, match="points_image: expected finite numbers"):
        Landmarks(points, {})


def test_refuses_points_on_one_line(solver: LandmarkSolver) -> None:
    along = np.arange(N_LANDMARKS, dtype=float)
    with pytest.raises(FitError, match="on one line"):
        solver(Landmarks(np.column_stack([along, 2 * along + 5, along]), {}), SIZE)


def test_refuses_eyes_without_a_distance(solver: LandmarkSolver, synthetic_head: HeadModel) -> None:
    points = np.column_stack([_truth(synthetic_head).points_image, np.zeros(N_LANDMARKS)])
    points[33] = points[263]
    with pytest.raises(FitError, match="outer corners of both eyes"):
        solver(Landmarks(points, {}), SIZE)


def test_refuses_weights_that_are_none(solver: LandmarkSolver, synthetic_head: HeadModel) -> None:
    landmarks = _truth(synthetic_head).landmarks()
    with pytest.raises(ShapeError, match="weights: expected numbers of at least 0, got -1"):
        solver(landmarks, SIZE, weights=-np.ones(N_LANDMARKS))
    with pytest.raises(ShapeError, match=r"weights: expected \(478\)"):
        solver(landmarks, SIZE, weights=np.ones(3))
    with pytest.raises(FitError, match="0 landmarks are too few"):
        solver(landmarks, SIZE, weights=np.zeros(N_LANDMARKS))


def test_refuses_a_head_without_the_points(synthetic_head: HeadModel) -> None:
    with pytest.raises(ShapeError, match="landmarks_478"):
        LandmarkSolver(dataclasses.replace(synthetic_head, landmarks_478=synthetic_head.landmarks_68))
    with pytest.raises(ShapeError, match="landmarks_68"):
        LandmarkSolver(dataclasses.replace(synthetic_head, landmarks_68=synthetic_head.landmarks_478))


# --- ibug's 68 points


def _truth_68(head: HeadModel, truth: Truth) -> Landmarks:
    vertices = head_vertices(head, truth.identity, truth.expression).astype(np.float64)
    points = project(truth.camera, embed(vertices, head.triangles, head.landmarks_68))[:, :2]
    return Landmarks(np.column_stack([points, np.zeros(68)]), {})


@pytest.mark.parametrize("seed", range(3))
def test_a_known_head_is_found_again_from_68_points(
    exact_solver: LandmarkSolver, synthetic_head: HeadModel, seed: int
) -> None:
    truth = _truth(synthetic_head, seed, yaw=0.3, pitch=0.1, roll=0.2, units={"jawOpen": 0.7})
    landmarks = _truth_68(synthetic_head, truth)
    fit = exact_solver(landmarks, SIZE)
    assert fit.converged
    assert fit.landmarks_image.shape == (68, 2)
    assert _degrees_between(fit.camera, truth.camera) < 1.5
    iod_px = float(np.linalg.norm(landmarks.points_image[36] - landmarks.points_image[45]))
    # The 478 points, most of which it never saw.
    assert _inner_error_px(synthetic_head, fit, truth) < 0.02 * iod_px
    assert fit.residual_iod < 0.005


@pytest.mark.parametrize("roll", np.radians([-120, 90, 180]))
def test_68_points_may_lie_at_any_angle(solver: LandmarkSolver, synthetic_head: HeadModel, roll: float) -> None:
    truth = _truth(synthetic_head, roll=roll)
    fit = solver(_truth_68(synthetic_head, truth), SIZE)
    assert fit.converged
    assert _degrees_between(fit.camera, truth.camera) < 4


@pytest.mark.parametrize("yaw", np.radians([-45, 45]))
def test_the_jaw_of_68_points_slides_to_the_silhouette(
    solver: LandmarkSolver, synthetic_head: HeadModel, yaw: float
) -> None:
    """The far half of the jaw lies where the cheek ends in the picture, as annotators and detectors put it."""
    truth = _truth(synthetic_head, yaw=yaw)
    points = _truth_68(synthetic_head, truth).points_image.copy()
    vertices = head_vertices(synthetic_head, truth.identity, truth.expression).astype(np.float64)
    outline = project(truth.camera, vertices)[:, :2]
    far = range(9, 17) if points[8, 0] < points[30, 0] else range(8)
    sign = 1 if points[8, 0] < points[30, 0] else -1
    for row in far:
        level = np.abs(outline[:, 1] - points[row, 1]) < 12
        points[row, 0] = sign * (sign * outline[level, 0]).max()
    fit = solver(Landmarks(points, {}), SIZE)
    assert _degrees_between(fit.camera, truth.camera) < 6
