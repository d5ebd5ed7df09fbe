"""One table of several evaluations."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from synth_affect.errors import InputError
from synth_affect.pipelines.evaluate_editor.comparison import compare_editors
from synth_affect.pipelines.evaluate_editor.run import EvaluationRequest, evaluate_editor
from synth_affect.pipelines.evaluate_editor.targets import TargetChoice
from synth_affect.pipelines.open_editor import EditorChoice


@pytest.fixture
def runs(photographs: Path, tmp_path: Path, stubs: Any) -> list[Path]:
    """Two finished runs, the second one before one judge more."""
    choice = TargetChoice(("ring",), 4, (1.0,))
    request = EvaluationRequest(EditorChoice(), photographs, tmp_path / "one", choice, ("reader",), ("colour",))
    evaluate_editor(request)
    stubs.version = "2"
    evaluate_editor(replace(request, out=tmp_path / "two", judges=("reader", "other"), identities=()))
    return [tmp_path / "one", tmp_path / "two"]


def test_a_row_an_editor_and_a_column_a_measure(runs: list[Path], tmp_path: Path) -> None:
    table = compare_editors(runs)
    lines = table.splitlines()
    assert len(lines) == 4
    assert len({line.count("|") for line in lines}) == 1
    compare_editors(runs, tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(newline="") as file:
        first, second = csv.DictReader(file)
    assert first["editor"] == "writing"
    assert first["faces"] == "2"
    assert first["reader: valence CCC (share of ceiling)"] == "1.00 (100%)"
    assert first["other: valence CCC (share of ceiling)"] == "-"
    assert second["other: arousal CCC (share of ceiling)"] == "1.00 (100%)"
    assert first["colour: distance"].endswith("same person)")
    assert second["colour: distance"] == "-"
    assert first["background changed"] == "0 of 10"
    assert first["training"] == "2 min, a CPU"
    assert first["data"] == "9 pictures of 3 people, rendered"
    assert float(first["s a picture"]) >= 0
    compare_editors(runs[::-1], tmp_path / "t.md", targets="ring")
    assert (tmp_path / "t.md").read_text().startswith("| editor | faces |")


def test_runs_that_cannot_be_compared_are_told(runs: list[Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is it a finished run of evaluate editor"):
        compare_editors([*runs, tmp_path])
    with pytest.raises(InputError, match="was not judged on the targets 'labels'"):
        compare_editors(runs, targets="labels")
    with pytest.raises(InputError, match=r"a table is written as \.md or \.csv"):
        compare_editors(runs, tmp_path / "t.txt")
    results = runs[1] / "results.json"
    summary = json.loads(results.read_text())
    results.write_text(json.dumps({**summary, "targets": {**summary["targets"], "directions": 5}}))
    with pytest.raises(InputError, match="was judged on other targets of 'ring' than"):
        compare_editors(runs)
    for text, message in (("[]", "holds no results"), ("{", "is no JSON")):
        results.write_text(text)
        with pytest.raises(InputError, match=message):
            compare_editors(runs)
