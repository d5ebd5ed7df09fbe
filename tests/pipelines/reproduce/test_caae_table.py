"""Tables III and IV with an editor and judges that are known, and judges that are trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from synth_affect.affect import ValenceArousal
from synth_affect.arrays import FloatArray
from synth_affect.editors.faces import EditorFaces
from synth_affect.pipelines.reproduce import caae_table
from synth_affect.pipelines.reproduce.caae_table import judge_edits, train_judges
from synth_affect.regressors.networks import NetworkSettings
from synth_affect.regressors.weight_file import StoredNetwork

torch = pytest.importorskip("torch")
SETTINGS = NetworkSettings("va-cnn", size=32, width=4)


class Painter:
    """Paints half of the valence into green, and arousal's opposite into red."""

    size, device = 32, "cpu"

    def edit_crops(self, crop: FloatArray, targets: Sequence[ValenceArousal]) -> FloatArray:
        made = np.repeat(crop[np.newaxis], len(targets), axis=0)
        made[..., 1] = np.array([t.valence / 2 for t in targets])[:, None, None]
        made[..., 0] = np.array([-t.arousal for t in targets])[:, None, None]
        return made

    def draw_unedited(self, crop: FloatArray) -> None:
        return None


class Colours(torch.nn.Module):  # type: ignore[misc, name-defined]
    """Reads green as valence and red as arousal."""

    def __init__(self) -> None:
        super().__init__()
        self.nothing = torch.nn.Parameter(torch.zeros(1))

    def forward(self, pictures: Any) -> Any:
        return pictures.mean(dim=(2, 3))[:, [1, 0]]


def faces(n: int = 12, size: int = 32) -> EditorFaces:
    """Of people whose pictures are as green as they are pleased, and as red as they are aroused."""
    affect = np.random.default_rng(0).uniform(-0.9, 0.9, (n, 2)).astype(np.float32)
    pictures = np.full((n, size, size, 3), 128, dtype=np.uint8)
    pictures[..., [1, 0]] = np.rint((affect + 1) * 127.5)[:, None, None]
    people = np.array([f"p{i // 3}" for i in range(n)])
    return EditorFaces(pictures, affect, np.full(n, -1), people, np.arange(n).astype(str))


def test_tables_are_of_what_was_asked_and_read() -> None:
    judges = StoredNetwork(Colours(), SETTINGS, {})
    found = judge_edits(Painter(), judges, faces(), lambda items, _, __: items)
    assert {name: own["pictures"] for name, own in found.items()} == {"real": 12, "all": 12 * 49, "extreme": 12 * 4}
    assert found["real"]["ccc"] == pytest.approx([1, 1], abs=1e-3)
    # Half of what was asked for, and its opposite: CCC 2 (1/2) / (1 + 1/4) = 0.8, and -1.
    for name in ("all", "extreme"):
        assert found[name]["ccc"] == pytest.approx([0.8, -1], abs=2e-3)
    assert found["extreme"]["rmse"] == pytest.approx([0.5, 2], abs=5e-3)
    assert found["extreme"]["sagr"] == [1, 0]


def test_judges_learn_from_crops(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("lightning")
    monkeypatch.setattr(caae_table, "JUDGE_EPOCHS", 2)
    judges = train_judges(faces(), faces(6), width=4, seed=0, device="cpu")
    assert (judges.settings.kind, judges.settings.size, judges.settings.width) == ("va-cnn", 32, 4)
    assert not judges.network.training
    with torch.inference_mode():
        assert judges.network(torch.zeros(2, 3, 32, 32)).shape == (2, 2)
