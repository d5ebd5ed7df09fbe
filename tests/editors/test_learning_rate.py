"""A learning rate that falls."""

from __future__ import annotations

import pytest

from synth_affect.editors.learning_rate import set_learning_rate

torch = pytest.importorskip("torch")


@pytest.mark.parametrize(("epoch", "rate"), [(0, 1e-2), (1, 1e-3), (2, 1e-4), (7, 1e-4)])
def test_it_falls_by_the_same_factor_each_epoch(epoch: int, rate: float) -> None:
    optimizer = torch.optim.Adam([{"params": [torch.zeros(1)]}, {"params": [torch.ones(1)]}], 0.5)
    set_learning_rate(optimizer, 1e-2, 1e-4, epoch, 3)
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([rate] * 2)


def test_one_epoch_has_the_first() -> None:
    optimizer = torch.optim.Adam([torch.zeros(1)], 0.5)
    set_learning_rate(optimizer, 1e-2, 1e-4, 0, 1)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(1e-2)
