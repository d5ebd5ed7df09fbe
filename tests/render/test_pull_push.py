from __future__ import annotations

import numpy as np
import pytest

from synth_affect.render.pull_push import extend

ODD_SIZES = [(1, 1), (1, 2), (1, 7), (7, 1), (2, 2), (3, 3), (5, 9), (17, 31), (64, 48)]


def field(seed: int, size: tuple[int, int], share_known: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(*size, 2)).astype(np.float32), (rng.random(size) < share_known).astype(np.float32)


@pytest.mark.parametrize("size", ODD_SIZES)
def test_what_is_known_stays(size: tuple[int, int]) -> None:
    values, weights = field(0, size, 0.3)
    extended = extend(values, weights)
    assert extended.shape == values.shape
    assert extended.dtype == np.float32
    np.testing.assert_allclose(extended[weights == 1], values[weights == 1], atol=1e-5)


@pytest.mark.parametrize("size", ODD_SIZES)
def test_one_known_pixel_fills_the_field(size: tuple[int, int]) -> None:
    weights = np.zeros(size, dtype=np.float32)
    weights[-1, 0] = 1
    values = np.full((*size, 1), 1e6, dtype=np.float32)  # what is not known has no say
    values[-1, 0] = -2.5
    np.testing.assert_allclose(extend(values, weights), -2.5, rtol=1e-5)


def test_one_known_pixel_fills_a_large_field() -> None:
    weights = np.zeros((700, 1300), dtype=np.float32)
    weights[3, 5] = 1
    np.testing.assert_allclose(extend(np.full((700, 1300, 1), 5, np.float32), weights), 5, rtol=1e-5)


@pytest.mark.parametrize("size", ODD_SIZES)
def test_without_any_weight_the_result_is_zero(size: tuple[int, int]) -> None:
    extended = extend(np.full((*size, 3), 9, np.float32), np.zeros(size, np.float32))
    assert extended.shape == (*size, 3)
    assert not extended.any()


def test_a_constant_field_stays_constant_under_partial_weights() -> None:
    weights = np.random.default_rng(1).uniform(0, 0.97, (40, 51)).astype(np.float32)
    np.testing.assert_allclose(extend(np.full((40, 51, 1), 5, np.float32), weights), 5, rtol=1e-5)


def test_nothing_lies_beyond_what_is_known() -> None:
    values, weights = field(2, (64, 49), 0.05)
    known = values[weights == 1]
    extended = extend(values, weights)
    assert (extended >= known.min(axis=0) - 1e-5).all()
    assert (extended <= known.max(axis=0) + 1e-5).all()


def test_between_two_sides_the_field_climbs_steadily() -> None:
    weights = np.zeros((64, 96), dtype=np.float32)
    weights[:, :30] = weights[:, 66:] = 1
    step = np.broadcast_to((np.arange(96) > 48).astype(np.float32)[None, :, None], (64, 96, 1))
    extended = extend(step, weights)[..., 0]
    assert np.diff(extended, axis=1).min() > -1e-6
    across = np.interp(np.arange(30, 66), [29, 66], [0, 1])
    np.testing.assert_allclose(extended[:, 30:66], np.broadcast_to(across, (64, 36)), atol=0.15)


@pytest.mark.parametrize(("hole", "tolerance_px"), [((1, 1), 0.15), ((16, 20), 2.0)])
def test_a_ramp_continues_across_a_hole(hole: tuple[int, int], tolerance_px: float) -> None:
    y, x = np.mgrid[:64, :96].astype(np.float32)
    ramp = np.stack([x, y], axis=2)
    weights = np.ones((64, 96), dtype=np.float32)
    rows, columns = slice(24, 24 + hole[0]), slice(40, 40 + hole[1])
    weights[rows, columns] = 0
    holed = np.where(weights[..., None] > 0, ramp, 0)
    np.testing.assert_allclose(extend(holed, weights), ramp, atol=tolerance_px)


@pytest.mark.parametrize("size", [(64, 48), (63, 47)])
def test_a_mirrored_field_extends_to_its_mirror_image(size: tuple[int, int]) -> None:
    values, weights = field(3, size, 0.2)
    mirrored = extend(np.ascontiguousarray(values[:, ::-1]), np.ascontiguousarray(weights[:, ::-1]))
    np.testing.assert_allclose(mirrored[:, ::-1], extend(values, weights), atol=1e-5)


def test_channels_do_not_mix_and_inputs_stay() -> None:
    values, weights = field(4, (33, 20), 0.3)
    values.flags.writeable = weights.flags.writeable = False
    both = extend(values, weights)
    for channel in range(2):
        alone = extend(np.ascontiguousarray(values[..., channel : channel + 1]), weights)
        np.testing.assert_allclose(both[..., channel : channel + 1], alone, atol=1e-6)
