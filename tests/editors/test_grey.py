"""Grey of colours, and changes carried to a photograph."""

from __future__ import annotations

import pytest

from synth_affect.editors.grey import carry_change, grey_of

torch = pytest.importorskip("torch")


def test_grey_of_known_colours() -> None:
    colours = torch.tensor([[-1.0, -1, -1], [1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]).view(5, 3, 1, 1)
    found = grey_of(colours)
    assert found.shape == (5, 1, 1, 1)
    torch.testing.assert_close(found.flatten(), torch.tensor([0.0, 1.0, 0.299, 0.587, 0.114]))


def test_no_change_leaves_the_photograph() -> None:
    photograph, drawn = torch.rand(2, 3, 4, 4) * 2 - 1, torch.rand(2, 1, 4, 4)
    assert torch.equal(carry_change(photograph, drawn, drawn), photograph)


def test_a_change_is_carried_into_each_channel_and_cut() -> None:
    photograph = torch.tensor([-0.5, 0.0, 0.9]).view(1, 3, 1, 1)
    changed = carry_change(photograph, torch.full((1, 1, 1, 1), 0.3), torch.full((1, 1, 1, 1), 0.5))
    torch.testing.assert_close(changed.flatten(), torch.tensor([-0.1, 0.4, 1.0]))
