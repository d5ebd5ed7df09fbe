"""All editors, one after the other; on two that learn in a moment."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from synth_affect.editors import recipes
from synth_affect.editors.recipes import Recipe
from synth_affect.pipelines.open_identity import IdentityChoice
from synth_affect.pipelines.training.people_choice import PeopleChoice
from synth_affect.pipelines.training.train_editor import TrainEditorRequest
from synth_affect.pipelines.training.train_zoo import REPORT, train_zoo
from tests.pipelines.training.test_train_editor import ask  # noqa: F401 (a fixture)

pytest.importorskip("torch")
pytest.importorskip("lightning")


def test_all_are_trained_and_reported_and_a_second_time_read(
    ask: Any,  # noqa: F811
    shade: Recipe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def first() -> Recipe:
        """The first."""
        return replace(shade, small=lambda: replace(shade.settings(), epochs=1))  # type: ignore[type-var]

    def second() -> Recipe:
        """The second."""
        return replace(first(), name="second", score=lambda settings, weights, faces: {"accuracy": 0.75})

    monkeypatch.setattr(recipes, "RECIPES", {"shade": first, "second": second})
    monkeypatch.setattr("synth_affect.pipelines.training.train_zoo.RECIPES", recipes.RECIPES)
    request: TrainEditorRequest = ask()
    begun: list[str] = []

    def run() -> dict[str, Any]:
        return train_zoo(
            request.sources, tmp_path / "zoo", small=True, people=PeopleChoice(test="5", validation="4"),
            identity=IdentityChoice(), device="cpu", begin=begun.append,
        )  # fmt: skip

    cards = run()
    text = (tmp_path / "zoo" / REPORT).read_text("utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| s")]
    assert [row.split(" | ")[0] for row in rows] == ["| shade", "| second"]
    assert rows[1].endswith("| faces told rightly 0.75 |")
    assert f"| {cards['shade']['training']['steps']} |" in rows[0]
    for name in ("shade", "second"):
        sheet = f"{name}/samples/epoch_000.png"
        assert f"![]({sheet})" in text
        assert (tmp_path / "zoo" / sheet).is_file()
    assert run() == cards
    assert begun == ["shade", "second"] * 2
