"""`synth-affect render-faces`: what it says when it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth_affect.cli import main


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--subjects", "1", "--per-subject", "1", "--size", "8"], "--size: 8 is not in [32, 2048]"),
        (["--subjects", "none", "--per-subject", "1"], "'none' is not a whole number"),
        (["--subjects", "1"], "--per-subject: missing"),
        (["--subjects", "1", "--per-subject", "1", "--head", "nowhere.npz"], "nowhere.npz"),
    ],
)
def test_one_line_and_nothing_written(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "faces"
    assert main(["render-faces", "--out", str(out), *arguments]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not out.exists()
