import numpy as np
import pytest

from synth_affect.errors import ShapeError
from synth_affect.fitting.fit import FaceFit
from synth_affect.fitting.perspective import turn
from synth_affect.fitting.temporal import smooth_channels, smooth_fits
from synth_affect.heads.camera import Camera, ImageSize, project

N = 100
TIMES = np.arange(N) / 25.0


def _roughness(values: np.ndarray) -> float:
    return float(np.std(np.diff(values, 2)))


def _fit(camera: Camera, weights: np.ndarray) -> FaceFit:
    return FaceFit(
        head="h",
        topology="t",
        image_size=ImageSize(600, 800),
        camera=camera,
        identity_coefficients=np.zeros(3),
        expression_weights=np.clip(weights, 0, 1),
        landmarks_image=np.zeros((68, 2)),
        residual_iod=0.0,
        converged=True,
        iterations=3,
    )


def test_noise_goes_and_the_motion_stays_without_lag() -> None:
    motion = np.sin(2 * np.pi * 0.5 * TIMES)
    noisy = motion + np.random.default_rng(0).normal(size=N) * 0.1
    smooth = smooth_channels(noisy[:, None], TIMES)[:, 0]
    assert np.std(smooth - motion) < 0.5 * np.std(noisy - motion)
    shifts = range(-3, 4)
    errors = [np.std(np.roll(smooth, shift)[10:-10] - motion[10:-10]) for shift in shifts]
    assert shifts[int(np.argmin(errors))] == 0


def test_a_still_channel_in_noise_comes_to_rest() -> None:
    noisy = 5 + np.random.default_rng(1).normal(size=(N, 1))
    assert np.std(smooth_channels(noisy, TIMES)) < 0.35


def test_a_blink_stays() -> None:
    blink = np.exp(-0.5 * ((TIMES - 2.0) / 0.05) ** 2)  # 0.15 s long
    noisy = blink + np.random.default_rng(2).normal(size=N) * 0.01
    assert smooth_channels(noisy[:, None], TIMES).max() > 0.9


def test_a_channel_that_does_not_move_is_not_touched() -> None:
    values = np.column_stack([np.zeros(N), np.full(N, 0.3)])
    np.testing.assert_array_equal(smooth_channels(values, TIMES), values)


def test_channels_are_smoothed_each_on_its_own() -> None:
    rng = np.random.default_rng(3)
    values = np.column_stack([np.sin(3 * TIMES), np.sin(9 * TIMES)]) + rng.normal(size=(N, 2)) * 0.1
    together = smooth_channels(values, TIMES)
    np.testing.assert_allclose(together[:, :1], smooth_channels(values[:, :1], TIMES), atol=1e-9)


def test_missing_frames_are_bridged() -> None:
    keep = np.r_[0:40, 55:N]
    motion = np.sin(2 * np.pi * 0.5 * TIMES)
    noisy = motion + np.random.default_rng(4).normal(size=N) * 0.05
    smooth = smooth_channels(noisy[keep, None], TIMES[keep])[:, 0]
    assert np.std(smooth - motion[keep]) < 0.8 * np.std((noisy - motion)[keep])


def test_a_trembling_head_in_a_video_holds_still() -> None:
    rng = np.random.default_rng(5)
    fits = []
    for k in range(N):
        rotation = turn(np.array([0.0, 0.3 * np.sin(TIMES[k]), 0.0]) + rng.normal(size=3) * 0.01)
        z = 900 * np.exp(rng.normal() * 0.02)
        camera = Camera(rotation, np.array([20.0, 5.0, 900.0]) * z / 900, 1100.0 * z / 900, np.array([400.0, 300.0]))
        fits.append(_fit(camera, np.array([0.4 + rng.normal() * 0.03, max(rng.normal() * 0.01, 0)])))
    smooth = smooth_fits(fits, TIMES)
    weights = np.array([[f.expression_weights for f in s] for s in (fits, smooth)])
    assert _roughness(weights[1, :, 0]) < 0.3 * _roughness(weights[0, :, 0])
    assert weights.min() >= 0
    nose = np.array([[0.0, 0.0, 100.0]])
    places = np.array([[project(f.camera, nose)[0, :2] for f in s] for s in (fits, smooth)])
    assert _roughness(places[1, :, 0]) < 0.3 * _roughness(places[0, :, 0])
    for fit in smooth:
        np.testing.assert_allclose(fit.camera.rotation @ fit.camera.rotation.T, np.eye(3), atol=1e-9)


def test_few_frames_are_left_as_they_are() -> None:
    camera = Camera(np.eye(3), np.array([0.0, 0.0, 900.0]), 1100.0, np.array([400.0, 300.0]))
    fits = [_fit(camera, np.array([0.1 * k])) for k in range(4)]
    assert smooth_fits(fits, TIMES[:4]) == fits


def test_times_must_rise() -> None:
    camera = Camera(np.eye(3), np.array([0.0, 0.0, 900.0]), 1100.0, np.array([400.0, 300.0]))
    with pytest.raises(ShapeError, match="rising"):
        smooth_fits([_fit(camera, np.zeros(1))] * 2, np.array([0.0, 0.0]))
