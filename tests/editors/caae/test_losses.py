"""Losses on numbers whose values are worked out by hand."""

from __future__ import annotations

import math

import pytest

from synth_affect.editors.caae.losses import (
    discriminator_loss,
    identity_loss,
    reconstruction_loss,
    taken_for_made,
    taken_for_real,
)

torch = pytest.importorskip("torch")


def test_reconstruction_is_the_mean_absolute_difference() -> None:
    made = torch.tensor([[[[0.5, -1.0]]], [[[1.0, 0.0]]]])
    pictures = torch.tensor([[[[0.0, 1.0]]], [[[1.0, 0.5]]]])
    assert float(reconstruction_loss(made, pictures)) == pytest.approx((0.5 + 2 + 0 + 0.5) / 4)


def test_identity_divides_each_layer_by_its_places() -> None:
    first, second = torch.zeros(2, 8, 4, 4), torch.zeros(2, 2, 1, 2)
    assert float(identity_loss([first + 3, second - 1], [first, second])) == pytest.approx(3 / 16 + 1 / 2)


def test_discriminators_are_judged_by_cross_entropy() -> None:
    """Of sigmoids 0.8 and 0.25: -log 0.8, -log 0.75."""
    real, made = torch.tensor([math.log(0.8 / 0.2)] * 3), torch.tensor([math.log(0.25 / 0.75)])
    assert float(taken_for_real(real)) == pytest.approx(-math.log(0.8))
    assert float(taken_for_made(made)) == pytest.approx(-math.log(0.75))
    assert float(discriminator_loss(real, made)) == pytest.approx(-math.log(0.8) - math.log(0.75))
    # One that knows nothing: 2 log 2.
    assert float(discriminator_loss(torch.zeros(5), torch.zeros(5))) == pytest.approx(2 * math.log(2))


def test_a_sure_discriminator_leaves_a_gradient() -> None:
    """log(sigmoid) in two steps would be -inf here."""
    logits = torch.tensor([-200.0], requires_grad=True)
    loss = taken_for_real(logits)
    (gradient,) = torch.autograd.grad(loss, logits)
    assert (float(loss.detach()), float(gradient)) == (200.0, -1.0)
