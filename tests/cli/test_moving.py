"""The commands of faces that move, up to where the pipelines begin."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth_affect.cli import main


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = main(arguments)
    return code, capsys.readouterr().err.strip()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["path", "--output", "a.mp4", "--through", "0,0", "1,0"], "--image: missing"),
        (["path", "--image", "a.png", "--through", "0,0", "1,0"], "--output: missing"),
        (["path", "--image", "a.png", "--output", "a.mp4", "--through", "0,0"], "--through: needs two points"),
        (["path", "--image", "a.png", "--output", "a.mp4", "--through", "0,0", "1"], "--through: '1' is not a point"),
        (["path", "--image", "a.png", "--output", "a.mp4", "0,0", "--fsp", "3"], "--through: '--fsp' is not a point"),
        (["path", "--image", "a.png", "--output", "a.mp4", "--through", "0,0", "-0.5,2"], "--arousal: 2 is not in"),
        (["path", "--image", "a.png", "--output", "a.mp4", "--seconds", "0", "0,0", "1,0"], "--seconds: 0 is not"),
        (["video", "--output", "a.mp4", "--valence", "1", "--arousal", "0"], "--input: missing"),
        (["video", "--input", "a.mp4", "--valence", "1", "--arousal", "0"], "--output: missing"),
        (["video", "--input", "a.mp4", "--output", "b.mp4", "--valence", "1"], "--arousal: missing"),
        (["video", "--input", "no.mp4", "--output", "b.mp4", "--category", "anger"], "no.mp4: "),
    ],
)
def test_bad_requests_are_refused_in_one_line(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, error = run(capsys, *arguments)
    assert code == 2
    assert error.startswith(f"synth-affect: {message}")
    assert "\n" not in error
    assert list(tmp_path.iterdir()) == []
