from __future__ import annotations

import json

import pytest

from synth_affect.cli import main


def test_doctor_finds_this_installation_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {line[:3] for line in lines} <= {"ok ", " - "}
    for subject in ("libraries", "OpenCV wheels", "mediapipe", "landmark model", "head model", "packaged files"):
        assert [line[:3] for line in lines if line[4:].startswith(f"{subject}: ")] == ["ok "], subject
    for subject in ("extra train", "GPU", "head ict", "cache", "compiled functions"):
        assert sum(line[4:].startswith(f"{subject}: ") for line in lines) == 1, subject


def test_doctor_tells_the_same_to_programs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    import importlib.metadata

    real = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "4.0" if name == "opencv-python" else real(name))
    assert main(["doctor", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["healthy"] is False
    bad = {finding["subject"]: finding for finding in found["findings"] if finding["state"] == "bad"}
    assert set(bad) == {"OpenCV wheels", "libraries"}
    assert bad["OpenCV wheels"]["versions"]["opencv-python"] == "4.0"
    assert bad["libraries"]["text"].startswith("opencv-python 4.0 is not ==")
