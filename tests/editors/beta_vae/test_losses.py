"""Values of the losses on inputs for which they can be worked out by hand."""

from __future__ import annotations

import math

import pytest

from synth_affect.editors.beta_vae.losses import classification_loss, divergence, reconstruction_loss
from synth_affect.editors.expression_classifier.augmentation import NEUTRAL

torch = pytest.importorskip("torch")


def test_reconstruction_is_a_mean_over_pixels() -> None:
    grey = torch.tensor([[0.25, 1.0]]).view(1, 1, 1, 2)
    logits = torch.tensor([[0.0, 2.0]]).view(1, 1, 1, 2)
    assert float(reconstruction_loss(logits, grey)) == pytest.approx((math.log(2) + math.log1p(math.exp(-2))) / 2)


def test_divergence_of_known_gaussians() -> None:
    assert divergence(torch.zeros(2, 7), torch.zeros(2, 7)) == 0
    found = divergence(torch.tensor([[2.0]]), torch.tensor([[math.log(3)]]))
    assert float(found) == pytest.approx(-(1 + 2 * math.log(3) - 9 - 4) / 2)


def test_neutral_and_unknown_faces_add_nothing() -> None:
    latents = torch.tensor([[1.0, 0, 0, 0, 0, 0, 0], [5.0, 0, 0, 0, 0, 0, 0], [0.0, 3, 0, 0, 0, 0, 0]])
    classes = torch.tensor([0, NEUTRAL, -1])
    assert float(classification_loss(latents, classes)) == pytest.approx((math.log(math.e + 6) - 1) / 3)
