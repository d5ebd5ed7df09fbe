"""Spherical-harmonics lighting: constants, estimation, comparison."""

from __future__ import annotations

import numpy as np
import pytest

from synth_affect.errors import FitError, ShapeError
from synth_affect.render.spherical_harmonics import (
    BAND,
    DARKEST,
    LAMBERTIAN_BANDS,
    Y00,
    Lighting,
    estimate_lighting,
    sh_basis,
    shading,
    shading_ratio,
)

SKIN = np.array([0.55, 0.36, 0.27])


def directions(n: int, seed: int = 0) -> np.ndarray:
    points = np.random.default_rng(seed).normal(size=(n, 3))
    return points / np.linalg.norm(points, axis=1, keepdims=True)


def quadrature(n: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre in the height, equal steps around: exact for the polynomials in question."""
    height, weight = np.polynomial.legendre.leggauss(n)
    angle = np.arange(2 * n) * np.pi / n
    radius = np.sqrt(1 - height**2)
    points = np.stack(
        [np.outer(radius, np.cos(angle)), np.outer(radius, np.sin(angle)), np.outer(height, np.ones(2 * n))], -1
    )
    return points.reshape(-1, 3), np.repeat(weight, 2 * n) * np.pi / n


def lamp(direction: list[float], ambient: float = 0.3) -> Lighting:
    """Skin under even light and a lamp far away, which adds 1 where the skin faces `direction`."""
    toward = np.array(direction) / np.linalg.norm(direction)
    terms = LAMBERTIAN_BANDS[BAND] * sh_basis(toward)
    terms[0] += ambient / Y00
    return Lighting(terms[:, None] * SKIN)


SIDE = lamp([1.0, 0.5, 1.0])


def test_basis_is_orthonormal() -> None:
    points, weights = quadrature()
    basis = sh_basis(points)
    np.testing.assert_allclose((basis * weights[:, None]).T @ basis, np.eye(9), atol=1e-12)


def test_basis_keeps_shape_and_dtype() -> None:
    normals = directions(12).astype(np.float32).reshape(3, 4, 3)
    basis = sh_basis(normals)
    assert basis.shape == (3, 4, 9)
    assert basis.dtype == np.float32


def test_basis_at_the_worked_normal() -> None:
    expected = [0.282095, 0, 0.488603, 0, 0, 0, 0.630783, 0, 0]
    np.testing.assert_allclose(sh_basis(np.array([0.0, 0.0, 1.0])), expected, atol=1e-6)


@pytest.mark.parametrize(("direction", "row"), [([1, 0, 0], 3), ([0, 1, 0], 1), ([0, 0, 1], 2)])
def test_lamp_on_the_right_above_and_in_front(direction: list[float], row: int) -> None:
    coefficients = lamp(direction).coefficients
    assert (coefficients[row] > 0).all()
    np.testing.assert_allclose(np.delete(coefficients[1:4], row - 1, axis=0), 0, atol=1e-7)
    toward, away = shading(lamp(direction), np.array([direction, -np.array(direction)]))
    assert (toward > 3 * away).all()


def test_lambertian_bands_are_the_cosines_own_terms() -> None:
    """Funk-Hecke: A_l = 2 pi integral of P_l(t) t over t in [0, 1]."""
    t, weight = np.polynomial.legendre.leggauss(16)
    t, weight = (t + 1) / 2, weight / 2
    legendre = [np.ones_like(t), t, (3 * t * t - 1) / 2]
    np.testing.assert_allclose(LAMBERTIAN_BANDS, [2 * np.pi * (weight * p * t).sum() for p in legendre], atol=1e-12)


def test_nine_terms_say_almost_all_of_a_lamps_light() -> None:
    """Ramamoorthi & Hanrahan: the error of a single lamp's irradiance has about 1 % of its energy."""
    points, weights = quadrature()
    toward = np.array([0.6, 0.0, 0.8])
    exact = np.maximum(points @ toward, 0)
    terms = LAMBERTIAN_BANDS[BAND] * sh_basis(toward)
    error = sh_basis(points) @ terms - exact
    assert (weights * error**2).sum() < 0.01 * (weights * exact**2).sum()


def test_shading_is_basis_times_coefficients() -> None:
    normals = directions(200)
    expected = sh_basis(normals) @ SIDE.coefficients
    lit = expected > DARKEST * Y00 * SIDE.coefficients[0]
    assert lit.mean() > 0.8
    result = shading(SIDE, normals)
    assert result.shape == (200, 3)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result[lit], expected[lit], atol=1e-5)


def test_shading_is_positive_where_the_nine_terms_are_not() -> None:
    dark = lamp([0, 0, 1], ambient=0.0)
    normals = directions(500)
    plain = sh_basis(normals) @ dark.coefficients
    assert plain.min() < 0
    assert shading(dark, normals).min() > 0
    around = np.linspace(0, np.pi, 2001)
    smooth = shading(dark, np.stack([np.sin(around), 0 * around, np.cos(around)], -1))[:, 0]
    assert np.abs(np.diff(smooth, 2)).max() < 5e-5  # no kink where the fade begins


def test_known_lighting_is_recovered_from_noisy_samples() -> None:
    normals = directions(3000)
    noise = 1 + 0.1 * np.random.default_rng(1).normal(size=(3000, 1))
    found = estimate_lighting(shading(SIDE, normals) * noise, normals)
    np.testing.assert_allclose(found.coefficients, SIDE.coefficients, atol=0.01)
    np.testing.assert_allclose(shading(found, normals), shading(SIDE, normals), rtol=0.03)


def test_fifth_of_outliers_does_not_matter() -> None:
    rng = np.random.default_rng(2)
    normals = directions(3000)
    colours = shading(SIDE, normals) * (1 + 0.05 * rng.normal(size=(3000, 1)))
    outlier = rng.random(3000) < 0.2
    spoilt = np.where(outlier[:, None], rng.choice([0.0, 1.0], size=(3000, 1)) * np.ones(3), colours)
    robust = estimate_lighting(spoilt, normals)
    plain = np.linalg.lstsq(sh_basis(normals), spoilt, rcond=None)[0]
    error = np.abs(robust.coefficients - SIDE.coefficients).max()
    assert error < 0.02
    assert np.abs(plain - SIDE.coefficients).max() > 5 * error


def test_front_facing_normals_alone_give_a_sane_answer() -> None:
    """Normals within 50 degrees of the viewer: what is seen is explained, what is not seen stays modest."""
    everywhere = directions(12000, seed=3)
    normals = everywhere[everywhere[:, 2] > np.cos(np.radians(50))]
    noise = 1 + 0.15 * np.random.default_rng(4).normal(size=(len(normals), 1))
    colours = shading(SIDE, normals) * noise
    found = estimate_lighting(colours, normals)
    np.testing.assert_allclose(shading(found, normals), shading(SIDE, normals), rtol=0.1)
    brightest = shading(SIDE, everywhere).max(axis=0)
    guessed = shading(found, everywhere)
    assert (guessed > 0).all()
    assert (guessed < 1.3 * brightest).all()
    plain = np.linalg.lstsq(sh_basis(normals), colours, rcond=None)[0]
    true_second_band = np.linalg.norm(SIDE.coefficients[4:])
    assert np.linalg.norm(found.coefficients[4:]) < 1.2 * true_second_band
    assert np.linalg.norm(plain[4:]) > np.linalg.norm(found.coefficients[4:])


def test_single_normal_gives_its_colour_and_no_direction_it_does_not_show() -> None:
    normals = np.tile([0.0, 0.0, 1.0], (50, 1))
    found = estimate_lighting(np.tile(SKIN, (50, 1)), normals)
    np.testing.assert_allclose(shading(found, normals[:1])[0], SKIN, rtol=1e-3)
    np.testing.assert_allclose(found.coefficients[[1, 3, 4, 5, 7, 8]], 0, atol=1e-6)
    assert (shading(found, directions(100)) > 0).all()


def test_weights_choose_the_samples() -> None:
    normals = directions(2000)
    right, left = lamp([1, 0, 0.5]), lamp([-1, 0, 0.5])
    use = np.arange(2000) % 2 == 0
    colours = np.where(use[:, None], shading(right, normals), shading(left, normals))
    found = estimate_lighting(colours, normals, use.astype(np.float64))
    np.testing.assert_allclose(shading(found, normals), shading(right, normals), rtol=0.01)


def test_estimate_does_not_depend_on_the_order_or_the_exposure() -> None:
    normals = directions(1000)
    colours = shading(SIDE, normals) * (1 + 0.1 * np.random.default_rng(5).normal(size=(1000, 1)))
    found = estimate_lighting(colours, normals).coefficients
    order = np.random.default_rng(6).permutation(1000)
    np.testing.assert_allclose(estimate_lighting(colours[order], normals[order]).coefficients, found, atol=1e-6)
    np.testing.assert_allclose(
        estimate_lighting(0.1 * colours, normals).coefficients, 0.1 * found, rtol=1e-5, atol=1e-6
    )


def test_many_samples_say_the_same_as_a_part_of_them() -> None:
    normals = directions(30_000)
    found = estimate_lighting(shading(SIDE, normals), normals)
    np.testing.assert_allclose(found.coefficients, SIDE.coefficients, atol=1e-3)


def test_black_samples_give_faint_light() -> None:
    found = estimate_lighting(np.zeros((20, 3)), directions(20))
    assert (shading(found, directions(50)) > 0).all()
    assert shading(found, directions(50)).max() < 1e-3


def test_estimate_refuses_what_it_cannot_use() -> None:
    normals = directions(10)
    with pytest.raises(ShapeError, match="normals"):
        estimate_lighting(np.ones((10, 3)), normals[:9])
    with pytest.raises(ShapeError, match="weights: expected numbers from 0"):
        estimate_lighting(np.ones((10, 3)), normals, -np.ones(10))
    for colours, weights in ((np.ones((10, 3)), np.zeros(10)), (np.ones((0, 3)), np.ones(0))):
        with pytest.raises(FitError, match="no sample with a positive weight"):
            estimate_lighting(colours, normals[: len(colours)], weights)


def test_lighting_refuses_a_dark_mean() -> None:
    with pytest.raises(ShapeError, match="positive mean"):
        Lighting(np.zeros((9, 3)))


def test_ratio_of_equal_normals_is_exactly_one() -> None:
    normals = directions(35_037).astype(np.float32)
    ratio = shading_ratio(SIDE, normals, normals.copy())
    assert ratio.dtype == np.float32
    assert (ratio == 1).all()
    assert (shading_ratio(SIDE, np.zeros((4, 5, 3)), np.zeros((4, 5, 3))) == np.ones((4, 5))).all()


def test_ratio_is_that_of_the_luminances_where_it_is_near_one() -> None:
    before = directions(500)
    after = before + 0.02 * directions(500, seed=1)
    after /= np.linalg.norm(after, axis=1, keepdims=True)
    grey = np.array([0.2126, 0.7152, 0.0722])
    expected = (shading(SIDE, after) @ grey) / (shading(SIDE, before) @ grey)
    near = np.abs(np.log(expected)) < 0.05
    assert near.mean() > 0.7
    np.testing.assert_allclose(shading_ratio(SIDE, before, after)[near], expected[near], atol=2e-4)


def test_ratio_stays_inside_its_limits_and_keeps_its_order() -> None:
    """From the dark side of a lamp towards it, and back."""
    front = lamp([0, 0, 1], ambient=0.0)
    angle = np.linspace(0, np.pi, 100)
    ring = np.stack([np.sin(angle), 0 * angle, np.cos(angle)], -1)
    dark = np.tile(ring[shading(front, ring)[:, 0].argmin()], (100, 1))
    for limit in ((0.6, 1.6), (0.8, 1.1)):
        up, down = shading_ratio(front, dark, ring, limit=limit), shading_ratio(front, ring, dark, limit=limit)
        assert up.min() >= 1.0
        assert 0.99 * limit[1] < up.max() <= limit[1] + 1e-6
        assert limit[0] - 1e-6 <= down.min() < 1.01 * limit[0]
        assert down.max() <= 1.0
    before, after = directions(1000), directions(1000, seed=8)
    gentle = shading_ratio(SIDE, before, after)
    wide = shading_ratio(SIDE, before, after, limit=(1e-6, 1e6))
    assert (np.diff(gentle[np.argsort(wide)]) > -1e-6).all()


@pytest.mark.parametrize("limit", [(0.0, 2.0), (1.0, 2.0), (0.5, 1.0), (2.0, 0.5)])
def test_ratio_refuses_limits_that_are_none(limit: tuple[float, float]) -> None:
    with pytest.raises(ShapeError, match="limit"):
        shading_ratio(SIDE, directions(2), directions(2), limit=limit)


def test_inputs_may_be_read_only() -> None:
    normals = directions(40)
    normals.flags.writeable = False
    colours = shading(SIDE, normals)
    colours.flags.writeable = False
    estimate_lighting(colours, normals)
    shading_ratio(SIDE, normals, normals)
