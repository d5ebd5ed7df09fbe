import numpy as np
import pytest
from scipy.optimize import lsq_linear

from synth_affect.errors import FitError
from synth_affect.fitting.box_quadratic import minimise_in_box


def _random_problem(seed: int, n: int = 40) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2 * n, n)) @ np.diag(np.geomspace(1, 30, n)), rng.normal(size=2 * n) * 10
    return a, b, -rng.uniform(0, 0.1, n), rng.uniform(0, 0.1, n)


@pytest.mark.parametrize("seed", range(8))
def test_is_the_minimum_that_a_reference_solver_finds(seed: int) -> None:
    a, b, lower, upper = _random_problem(seed)
    x = minimise_in_box(a.T @ a, a.T @ b, lower, upper)
    reference = lsq_linear(a, -b, bounds=(lower, upper), tol=1e-14).x
    assert ((x == lower) | (x == upper)).any()
    np.testing.assert_allclose(x, reference, atol=1e-7)


def test_without_bounds_it_is_the_newton_step() -> None:
    a, b, lower, _ = _random_problem(3)
    unbounded = np.full(len(lower), np.inf)
    x = minimise_in_box(a.T @ a, a.T @ b, -unbounded, unbounded)
    np.testing.assert_allclose(x, np.linalg.solve(a.T @ a, -a.T @ b), atol=1e-10)


def test_the_bounds_are_met_exactly_and_an_unknown_without_room_stays() -> None:
    a, b, lower, upper = _random_problem(4)
    lower[5] = upper[5] = 0.03
    x = minimise_in_box(a.T @ a, a.T @ b, lower, upper)
    assert (x >= lower).all()
    assert (x <= upper).all()
    assert x[5] == 0.03


def test_stays_where_there_is_nothing_to_gain() -> None:
    np.testing.assert_array_equal(minimise_in_box(np.eye(3), np.zeros(3), -np.ones(3), np.ones(3)), np.zeros(3))


def test_refuses_a_matrix_without_a_minimum() -> None:
    with pytest.raises(FitError, match="not positive definite"):
        minimise_in_box(-np.eye(2), np.ones(2), np.full(2, -np.inf), np.full(2, np.inf))
    with pytest.raises(FitError, match="singular"):
        minimise_in_box(np.zeros((2, 2)), np.ones(2), np.full(2, -np.inf), np.full(2, np.inf))
