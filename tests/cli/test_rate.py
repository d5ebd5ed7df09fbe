"""`synth-affect rate`: what it prints, and what it says when it cannot."""

from __future__ import annotations

import json
import signal
import socket
from pathlib import Path

import pytest

from synth_affect.affect import ValenceArousal
from synth_affect.cli import main
from synth_affect.pipelines.ratings import AnswerLog, RatedPicture
from synth_affect.web.rate import RateServer


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["serve", "absent", "--out", "a.csv"], "absent: no such folder or manifest"),
        (["serve", "."], "--out: missing"),
        (["serve", ".", "--out", "a.csv", "--host", ""], "--host: missing; 127.0.0.1 is this machine alone"),
        (["serve", ".", "--out", "a.csv", "--port", "65536"], "--port: 65536 is not in [0, 65535]"),
        (["serve", ".", "--out", "a.csv", "--port", "-1"], "--port: -1 is not in [0, 65535]"),
        (["report", "absent.csv"], "absent.csv: cannot be read"),
    ],
)
def test_one_line_when_it_cannot(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["rate", *arguments]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_a_port_that_cannot_be_had_leaves_the_answers_free(
    tmp_path: Path, portrait_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "p.png").write_bytes(portrait_path.read_bytes())
    out = tmp_path / "a.csv"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["rate", "serve", str(tmp_path), "--out", str(out), "--port", str(port)]) == 2
    assert f"--port: 127.0.0.1:{port} cannot be served" in capsys.readouterr().err
    with AnswerLog(out) as log:
        assert log.of("anna") == {}


def test_pictures_that_cannot_be_shown_are_left_out(
    tmp_path: Path, portrait_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    served: list[str] = []

    def stop(server: RateServer) -> None:
        served.extend(picture.path.name for picture in server.pictures.values())
        raise KeyboardInterrupt

    monkeypatch.setattr(RateServer, "serve_forever", stop)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    (pictures / "notes.png").write_bytes(b"no picture")
    (pictures / "cut.png").write_bytes(portrait_path.read_bytes()[:-2000])
    arguments = ["rate", "serve", str(pictures), "--out", str(tmp_path / "a.csv"), "--port", "0"]
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert "pictures: holds no picture that can be shown;" in error
    assert error.count("\n") == 1
    assert not (tmp_path / "a.csv").exists()
    (pictures / "good.png").write_bytes(portrait_path.read_bytes())
    assert main(arguments) == 0
    said = capsys.readouterr().err
    assert served == ["good.png"]
    assert [line.split(":")[0] for line in said.splitlines()[:2]] == ["left out", "left out"]
    assert "pictures: 1; answers go to" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "pictures"], "no lock is left"


def test_the_report_is_text_or_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "a.csv"
    with AnswerLog(out) as log:
        for number, valence in enumerate((-0.5, 0.0, 0.5)):
            point = ValenceArousal(valence, -valence)
            log.add("anna", RatedPicture(f"p{number}", Path("p.png"), point), point, 3)
    assert main(["rate", "report", str(out)]) == 0
    said = capsys.readouterr().out
    assert "3 answers of 1 raters to 3 pictures, 3.0 s each" in said
    assert "anna" in said
    assert main(["rate", "report", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["pooled"]["valence"]["ccc"]["value"] == pytest.approx(1)
