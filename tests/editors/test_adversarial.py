"""Losses on numbers whose values are worked out by hand."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from synth_affect.editors.adversarial import (
    code_discriminator_loss,
    discriminator_loss,
    taken_for_made,
    taken_for_real,
)

if TYPE_CHECKING:
    from torch import Tensor

torch = pytest.importorskip("torch")


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


def test_codes_are_judged_against_the_prior() -> None:
    seen: list[Tensor] = []

    def discriminator(codes: Tensor) -> Tensor:
        seen.append(codes)
        return codes.mean(dim=1)

    made = torch.full((500, 40), 0.5)
    loss = code_discriminator_loss(discriminator, made)
    drawn, own = seen
    torch.testing.assert_close(own, made)
    assert drawn.shape == made.shape
    assert -1 <= float(drawn.min()) < -0.99 < 0.99 < float(drawn.max()) <= 1
    assert float(drawn.std()) == pytest.approx(1 / math.sqrt(3), rel=0.02)
    assert float(loss) == pytest.approx(float(discriminator_loss(drawn.mean(dim=1), made.mean(dim=1))))
