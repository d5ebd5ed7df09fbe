from __future__ import annotations

import numpy as np
import pytest

from synth_affect.arrays import ImageArray
from synth_affect.fitting.photometric.window import Window, cut, linear_light, look_up, resized, window_around
from synth_affect.render.colour import srgb_to_linear

torch = pytest.importorskip("torch")
LIKE = torch.zeros(1, dtype=torch.float64)


def test_a_window_holds_its_points_with_a_margin() -> None:
    points = np.array([[-10.0, 40.0], [30.0, 60.0]])
    window = window_around(points)
    assert window.left < -10
    assert window.left + window.side > 30
    assert window.top < 40
    assert window.top + window.side > 60
    assert 40 < window.side < 50


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_beyond_the_border_a_window_is_black(dtype: type) -> None:
    image: ImageArray = np.full((6, 5, 3), np.iinfo(dtype).max, dtype=dtype)
    found = cut(image, Window(-2, 3, 7), LIKE)
    expected = np.zeros((3, 7, 7))
    expected[:, :3, 2:] = 1
    np.testing.assert_array_equal(found.numpy(), expected)


def test_linear_light_is_that_of_the_renderer() -> None:
    codes = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    ours = linear_light(cut(codes, Window(0, 0, 16), LIKE)).numpy()[0]
    np.testing.assert_allclose(ours, srgb_to_linear(codes)[..., 0], atol=1e-6)


def test_small_levels_are_means_and_large_ones_interpolate() -> None:
    channels = torch.arange(64, dtype=torch.float64).reshape(1, 8, 8)
    halved = resized(channels, 4)
    np.testing.assert_allclose(halved[0, 1, 2], channels[0, 2:4, 4:6].mean())
    doubled = resized(channels, 16)
    np.testing.assert_allclose(doubled[0, 8, 8], channels[0, 4, 4] - 0.25 * (1 + 8))


def test_look_up_meets_the_pixels_and_has_its_own_derivative() -> None:
    rng = np.random.default_rng(1)
    images = torch.tensor(rng.uniform(size=(2, 9, 9, 3)))
    rows, columns = np.mgrid[:9, :9] + 0.5
    grid = torch.tensor(np.stack([columns.ravel(), rows.ravel()], axis=1)).expand(2, -1, -1)
    values, derivative = look_up(images, grid)
    np.testing.assert_allclose(values.numpy(), images.reshape(2, 81, 3).numpy(), atol=1e-12)
    middle = derivative.reshape(2, 9, 9, 3, 2)[:, 4, 4].numpy()
    np.testing.assert_allclose(middle[..., 0], ((images[:, 4, 5] - images[:, 4, 3]) / 2).numpy(), atol=1e-12)
    np.testing.assert_allclose(middle[..., 1], ((images[:, 5, 4] - images[:, 3, 4]) / 2).numpy(), atol=1e-12)
    places = torch.tensor(rng.uniform(1.6, 7.4, (2, 12, 2))).requires_grad_()
    values, derivative = look_up(images, places)
    for channel in range(3):
        (expected,) = torch.autograd.grad(values[..., channel].sum(), places, retain_graph=True)
        np.testing.assert_allclose(derivative[:, :, channel].detach().numpy(), expected.numpy(), atol=1e-12)


def test_a_ramp_is_looked_up_exactly_and_the_border_goes_on() -> None:
    ramp = (torch.arange(10, dtype=torch.float64) + 0.5).expand(1, 10, 10)[..., None]
    values, derivative = look_up(ramp, torch.tensor([[[3.3, 5.0], [8.1, 2.2], [-4.0, 5.0], [40.0, 5.0]]]).double())
    np.testing.assert_allclose(values[0, :, 0], [3.3, 8.1, 0.5, 9.5])
    np.testing.assert_allclose(derivative[0, :2, 0], [[1, 0], [1, 0]], atol=1e-12)
