from __future__ import annotations

import pytest

from synth_affect.editors.gradient_step import take_step

torch = pytest.importorskip("torch")


def test_a_step_follows_this_loss_alone() -> None:
    weight = torch.nn.Parameter(torch.tensor([2.0, -1.0]))
    (weight * 100).sum().backward()  # what was left by another loss
    optimizer = torch.optim.SGD([weight], lr=0.1)
    loss = take_step(optimizer, (weight**2).sum())
    assert float(loss.detach()) == 5.0
    torch.testing.assert_close(weight.detach(), torch.tensor([2.0 - 0.4, -1.0 + 0.2]))
