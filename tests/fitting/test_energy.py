import numpy as np
import pytest

from synth_affect.fitting.energy import (
    HeadState,
    LandmarkEnergy,
    LandmarkRows,
    energy_at,
    energy_quadratic,
    landmark_points,
    projected_landmarks,
)
from synth_affect.fitting.perspective import N_VIEW, HeadView, moved, turn
from synth_affect.heads.camera import HEAD_TO_CAMERA_AXES

N_POINTS, N_COEFFICIENTS = 25, 9


@pytest.fixture
def energy() -> LandmarkEnergy:
    rng = np.random.default_rng(3)
    root = rng.normal(size=(N_COEFFICIENTS, N_COEFFICIENTS))
    return LandmarkEnergy(
        rows=LandmarkRows(rng.normal(size=(N_POINTS, 3)) * 60.0, rng.normal(size=(N_POINTS, 3, N_COEFFICIENTS)) * 3.0),
        detected=rng.normal(size=(N_POINTS, 2)) * 90.0,
        mm_per_px=0.6,
        weights=rng.uniform(0.1, 1.0, N_POINTS),
        noise_mm=2.0,
        robust_mm=30.0,
        curvature=root @ root.T,
        slope=rng.normal(size=N_COEFFICIENTS),
        log_distance=np.log(800.0),
        log_distance_sd=0.2,
    )


@pytest.fixture
def state() -> HeadState:
    view = HeadView(HEAD_TO_CAMERA_AXES @ turn(np.array([0.1, 0.4, -0.2])), np.array([5.0, -8.0]), 0.4, 6.5)
    return HeadState(view, np.random.default_rng(4).normal(size=N_COEFFICIENTS))


def _stepped(state: HeadState, step: np.ndarray) -> HeadState:
    return HeadState(moved(state.view, step[:N_VIEW]), state.coefficients + step[N_VIEW:])


def test_the_gradient_is_that_of_central_differences(energy: LandmarkEnergy, state: HeadState) -> None:
    quadratic = energy_quadratic(energy, state)
    n, h = N_VIEW + N_COEFFICIENTS, 1e-5
    steps = np.eye(n) * h
    numeric = [
        (energy_at(energy, _stepped(state, step)) - energy_at(energy, _stepped(state, -step))) / (2 * h)
        for step in steps
    ]
    np.testing.assert_allclose(quadratic.gradient, numeric, rtol=1e-5, atol=1e-4)
    assert quadratic.value == pytest.approx(energy_at(energy, state), rel=1e-12)


def test_the_value_is_the_formula_written_as_a_loop(energy: LandmarkEnergy, state: HeadState) -> None:
    total = 0.0
    for point, detected, weight in zip(
        projected_landmarks(energy.rows, state), energy.detected, energy.weights, strict=True
    ):
        r2 = float(((point - detected) ** 2).sum()) * energy.mm_per_px**2
        total += 0.5 * weight * r2 * 30.0**2 / (r2 + 30.0**2) / 2.0**2
    c = state.coefficients
    total += float(0.5 * c @ energy.curvature @ c + energy.slope @ c)
    total += 0.5 * ((6.5 - np.log(800.0)) / 0.2) ** 2
    assert energy_at(energy, state) == pytest.approx(total, rel=1e-12)


def test_the_curvature_is_symmetric_and_of_the_plain_least_squares_where_all_points_fit(
    energy: LandmarkEnergy, state: HeadState
) -> None:
    quadratic = energy_quadratic(energy, state)
    np.testing.assert_allclose(quadratic.hessian, quadratic.hessian.T, rtol=1e-12)
    assert np.linalg.eigvalsh(quadratic.hessian).min() > 0

    exact = LandmarkEnergy(
        energy.rows,
        projected_landmarks(energy.rows, state),
        *(getattr(energy, name) for name in energy.__slots__[2:]),
    )
    at_rest = energy_quadratic(exact, state)
    h = 1e-5
    gradients = [
        energy_quadratic(exact, _stepped(state, np.eye(N_VIEW + N_COEFFICIENTS)[k] * h)).gradient
        for k in range(N_VIEW, N_VIEW + N_COEFFICIENTS)
    ]
    numeric = (np.array(gradients) - at_rest.gradient) / h
    np.testing.assert_allclose(at_rest.hessian[N_VIEW:], numeric, rtol=1e-3, atol=1e-2)


def test_points_are_mean_plus_coefficients_times_basis(energy: LandmarkEnergy, state: HeadState) -> None:
    expected = energy.rows.points.copy()
    for k, c in enumerate(state.coefficients):
        expected += c * energy.rows.basis[:, :, k]
    np.testing.assert_allclose(landmark_points(energy.rows, state.coefficients), expected)
    assert projected_landmarks(energy.rows, state).shape == (N_POINTS, 2)


def test_a_head_that_reaches_behind_the_camera_costs_without_end(energy: LandmarkEnergy, state: HeadState) -> None:
    near = moved(state.view, np.array([0, 0, 0, 0, 0, 0, -4.0]))
    assert energy_at(energy, HeadState(near, state.coefficients)) == np.inf
