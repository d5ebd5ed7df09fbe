from __future__ import annotations

import pytest

from synth_affect.editors.class_centres import CENTRE_MEMORY, note_centres

torch = pytest.importorskip("torch")


def test_centres_of_classes_that_are_seen_move_to_their_mean() -> None:
    centres = torch.ones(3, 2)
    latents = torch.tensor([[3.0, 1.0], [5.0, 1.0], [9.0, 9.0]])
    note_centres(centres, latents, torch.tensor([1, 1, -1]))
    expected = torch.ones(3, 2)
    expected[1, 0] += (1 - CENTRE_MEMORY) * (4 - 1)
    torch.testing.assert_close(centres, expected)
