"""Losses on numbers whose values are worked out by hand."""

from __future__ import annotations

import math

import pytest

from synth_affect.editors.exprgan.losses import (
    controller_loss,
    identity_loss,
    pixel_loss,
    variation_loss,
)

torch = pytest.importorskip("torch")


def test_pixels_are_compared_by_their_mean_absolute_difference() -> None:
    made = torch.tensor([[[[0.5, -1.0]]], [[[1.0, 0.0]]]])
    pictures = torch.tensor([[[[0.0, 1.0]]], [[[1.0, 0.5]]]])
    assert float(pixel_loss(made, pictures)) == pytest.approx((0.5 + 2 + 0 + 0.5) / 4)


def test_identity_counts_layers_alike() -> None:
    first, second = torch.zeros(2, 8, 4, 4), torch.zeros(2, 2, 1, 1)
    assert float(identity_loss([first + 3, second - 1], [first, second])) == pytest.approx((3 + 1) / 2)


def test_q_is_a_gaussian_of_variance_half_its_numbers() -> None:
    """-log N(c; read, v I) is sum (c - read)^2 / 2 v + constant, and v = 2 for four numbers."""
    controllers = torch.tensor([[1.0, -1.0, 0.5, -0.5], [0.0, 0.0, 0.0, 0.0]])
    read = torch.tensor([[0.0, -1.0, 0.5, 0.5], [2.0, 0.0, 0.0, 0.0]])
    assert float(controller_loss(read, controllers)) == pytest.approx(((1 + 1) / 4 + 4 / 4) / 2)
    gaussian = torch.distributions.Normal(read, math.sqrt(2.0))
    by_torch = -gaussian.log_prob(controllers).sum(dim=1).mean()
    constant = 4 * math.log(math.sqrt(2.0) * math.sqrt(2 * math.pi))
    assert float(controller_loss(read, controllers)) == pytest.approx(float(by_torch) - constant, rel=1e-5)


def test_variation_of_a_ramp_is_its_slopes() -> None:
    rows, columns = torch.arange(5.0)[:, None], torch.arange(4.0)[None, :]
    ramp = (0.1 * rows + 0.02 * columns).expand(2, 3, 5, 4)
    assert float(variation_loss(ramp)) == pytest.approx(0.12, rel=1e-5)
    assert float(variation_loss(torch.ones(1, 3, 4, 4))) == 0
