"""Losses on numbers whose values are worked out by hand."""

from __future__ import annotations

import pytest

from synth_affect.editors.caae.losses import identity_loss, reconstruction_loss

torch = pytest.importorskip("torch")


def test_reconstruction_is_the_mean_absolute_difference() -> None:
    made = torch.tensor([[[[0.5, -1.0]]], [[[1.0, 0.0]]]])
    pictures = torch.tensor([[[[0.0, 1.0]]], [[[1.0, 0.5]]]])
    assert float(reconstruction_loss(made, pictures)) == pytest.approx((0.5 + 2 + 0 + 0.5) / 4)


def test_identity_divides_each_layer_by_its_places() -> None:
    first, second = torch.zeros(2, 8, 4, 4), torch.zeros(2, 2, 1, 2)
    assert float(identity_loss([first + 3, second - 1], [first, second])) == pytest.approx(3 / 16 + 1 / 2)
