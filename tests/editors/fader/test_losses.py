"""Values of the losses on inputs for which they can be worked out by hand."""

from __future__ import annotations

import math

import pytest

from synth_affect.editors.expression_classifier.augmentation import NEUTRAL
from synth_affect.editors.fader.losses import adversarial_loss, class_loss, reconstruction_loss

torch = pytest.importorskip("torch")


def test_reconstruction_is_a_mean_square() -> None:
    assert float(reconstruction_loss(torch.tensor([0.5, 1.0]), torch.tensor([0.0, 1.0]))) == pytest.approx(0.125)


def test_classes_pass_over_what_is_none() -> None:
    logits = torch.tensor([[2.0, 0, 0, 0, 0, 0, 0], [9.0, 0, 0, 0, 0, 0, 0]])
    assert float(class_loss(logits, torch.tensor([0, -1]))) == pytest.approx(math.log(math.e**2 + 6) - 2)
    assert float(class_loss(logits, torch.tensor([-1, -1]))) == 0


def test_adversary_sees_none_when_it_sees_neutral() -> None:
    layer = torch.nn.Linear(1, 7)
    torch.nn.init.zeros_(layer.weight)
    torch.nn.init.zeros_(layer.bias)
    latents = torch.ones(3, 1, requires_grad=True)
    assert float(adversarial_loss(latents, layer).detach()) == pytest.approx(math.log(7))  # P(emotion) = 6/7
    with torch.no_grad():
        layer.bias[NEUTRAL] = 3.0
        layer.weight[NEUTRAL, 0] = 1.0
    loss = adversarial_loss(latents, layer)
    assert float(loss.detach()) == pytest.approx(math.log(math.e**4 + 6) - 4)
    loss.backward()  # type: ignore[no-untyped-call]
    assert layer.weight.grad is None  # the layer is asked, and does not learn
    assert (latents.grad < 0).all()  # more of what neutral's axis sees
