"""`synth-affect evaluate editor`: what it prints, and what it says when it cannot."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from synth_affect.cli import main


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--images", "absent"], "absent: no such folder or picture"),
        (["--editor", "nothing"], "--editor: 'nothing' is none of 3dmm"),
        (["--editor", "caae"], "--weights: missing; caae needs what synth-affect train caae wrote"),
        (["--targets", "square"], "--targets: 'square' is none of ring, labels, corners"),
        (["--radii", "0.5,x"], "--radii: 'x' is not a number"),
        (["--directions", "0"], "--directions: 0 is not in [1, 360]"),
        (["--judge", "emonet=absent.pth"], "absent.pth: no such file"),
        (["--identity", "who=absent"], "--identity: 'who=absent' is not KIND=FILE"),
        (["--readings", "absent.json"], "absent.json: no such file"),
    ],
)
def test_one_line_and_nothing_written(
    arguments: list[str], said: str, tmp_path: Path, portrait_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    images = [] if "--images" in arguments else ["--images", str(portrait_path)]
    assert main(["evaluate", "editor", "--out", str(out), *images, *arguments]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not out.exists()


@pytest.mark.usefixtures("stub_detector")
def test_the_3dmm_way_leaves_the_background_alone(
    tmp_path: Path, portrait_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    arguments = ["evaluate", "editor", "--images", str(portrait_path), "--out", str(out), "--targets", "corners"]
    assert main(arguments) == 0
    said = capsys.readouterr().out
    assert "1 face, 5 pictures" in said
    assert "background: 0 of 5 pictures changed" in said
    assert f"wrote {out / 'report.html'}" in said
    assert {path.name for path in out.iterdir()} == {
        "report.html", "results.json", "results.csv", "manifest.json", "editor.json", ".lock", "pictures"
    }  # fmt: skip
    assert main([*arguments, "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["editor"]["fingerprint"].endswith("head cc0")
    assert summary["background"]["n"] == 5
