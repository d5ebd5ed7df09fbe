"""The command: it says where the page is, ends on Ctrl-C, and turns down what it cannot serve."""

from __future__ import annotations

import os
import signal
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest

from synth_affect.cli import main, serve
from synth_affect.web.serve.server import ServeServer
from synth_affect.web.serve.studio import Studio


@pytest.fixture(autouse=True)
def _process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What the command changes of its process."""
    for variable in serve.BLAS_THREADS:
        monkeypatch.setenv(variable, os.environ.get(variable, "1"))
    before, threads = signal.getsignal(signal.SIGTERM), cv2.getNumThreads()
    yield
    signal.signal(signal.SIGTERM, before)
    cv2.setNumThreads(threads)


def test_it_serves_until_it_is_interrupted(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    opened: list[ServeServer] = []

    def one_request(server: ServeServer) -> None:
        opened.append(server)
        raise KeyboardInterrupt

    monkeypatch.setattr(ServeServer, "serve_forever", one_request)
    monkeypatch.setattr(Studio, "warm_up", lambda studio: None)
    arguments = ["--port", "0", "--max-megapixels", "7", "--max-megabytes", "2", "--name", "a.example"]
    assert main(["serve", *arguments]) == 0
    (server,) = opened
    assert (server.limits.megapixels, server.limits.upload_bytes) == (7, 2 << 20)
    assert server.allows("a.example")
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.strip() == f"open {server.url} (Ctrl-C ends)"
    with pytest.raises(OSError, match=r"."):
        urllib.request.urlopen(server.url, timeout=2)


def test_a_server_that_is_open_to_others_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ServeServer, "serve_forever", lambda server: None)
    monkeypatch.setattr(Studio, "warm_up", lambda studio: None)
    assert main(["serve", "--port", "0", "--host", "0.0.0.0"]) == 0
    assert "everybody who can reach this machine" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--port", "x"], "--port: 'x' is not a whole number"),
        (["--max-megapixels", "0"], "--max-megapixels: 0 is not in"),
        (["--max-megabytes", "nan"], "--max-megabytes: nan is not in"),
        (["--max-sessions", "0"], "--max-sessions: 0 is not in"),
        (["--judge", "oracle"], "--judge: 'oracle' is not KIND=FILE"),
        (["--head", "none.npz"], "none.npz: "),
        (["--host", "256.0.0.1", "--port", "0"], "--port: 256.0.0.1:0 cannot be served"),
    ],
)
def test_what_cannot_be_served_is_one_line(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["serve", *arguments]) == 2
    said = capsys.readouterr()
    assert said.err.startswith(f"synth-affect: {complaint}")
    assert said.err.count("\n") == 1
