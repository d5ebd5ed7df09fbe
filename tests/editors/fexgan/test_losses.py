"""Values of the losses on inputs for which they can be worked out by hand."""

from __future__ import annotations

import math

import pytest

from synth_affect.editors.fexgan.losses import divergence, judged

torch = pytest.importorskip("torch")


def test_divergence_of_known_gaussians() -> None:
    assert divergence(torch.zeros(3, 5), torch.zeros(3, 5)) == 0
    # KL(N(m, s^2) || N(0, 1)) = (m^2 + s^2 - 1)/2 - ln s, for m = 2, s = 3 and for m = 0, s = 1; two numbers a code
    means = torch.tensor([[2.0, 2.0], [0.0, 0.0]])
    log_variances = torch.tensor([[math.log(9), math.log(9)], [0.0, 0.0]])
    assert float(divergence(means, log_variances)) == pytest.approx(2 * ((4 + 9 - 1) / 2 - math.log(3)) / 2)


def test_judgement_of_known_logits() -> None:
    logits, classes = torch.tensor([1.5, -0.5]), torch.tensor([0, 2])
    categories = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 2.0]])
    of_class = (math.log(math.e + 2) - 1 + math.log(math.e**2 + 2) - 2) / 2
    as_real = (math.log1p(math.exp(-1.5)) + math.log1p(math.exp(0.5))) / 2
    as_made = (math.log1p(math.exp(1.5)) + math.log1p(math.exp(-0.5))) / 2
    assert float(judged((logits, categories), classes, real=True)) == pytest.approx(as_real + of_class)
    assert float(judged((logits, categories), classes, real=False)) == pytest.approx(as_made + of_class)
