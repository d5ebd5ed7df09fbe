"""The page and its requests, over a real socket of this machine."""

from __future__ import annotations

import http.client
import io
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from synth_affect.errors import InputError
from synth_affect.pipelines.ratings import AnswerLog, open_study, read_answers
from synth_affect.web.rate import LONGEST_SIDE_PX, RateServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RateServer]:
    """Three pictures, one of them large, with their request in a text chunk."""
    entries = []
    for k, side in enumerate((20, 30, LONGEST_SIDE_PX + 50)):
        secret = PngImagePlugin.PngInfo()
        secret.add_text("Request", "valence 0.77")
        name = f"v+0.{k}00.png"
        Image.fromarray(np.full((side, 10, 3), 40 * k, np.uint8)).save(tmp_path / name, pnginfo=secret)
        entries.append({"output": name, "valence": k / 10, "arousal": -k / 10})
    (tmp_path / "manifest.json").write_text(json.dumps(entries))
    with AnswerLog(tmp_path / "answers.csv") as log, RateServer(open_study(tmp_path), log) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(server: RateServer, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
    try:
        if body is None:
            connection.request("GET", path, headers=headers)
        else:
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            connection.request("POST", path, content, {"Content-Type": "application/json", **headers})
        reply = connection.getresponse()
        return reply.status, dict(reply.getheaders()), reply.read()
    finally:
        connection.close()


def answer(server: RateServer, **changes: Any) -> dict[str, Any]:
    picture = next(iter(server.pictures))
    return {"rater": "anna", "picture": picture, "valence": 0.5, "arousal": -0.25, "seconds": 1.5, **changes}


def test_the_page_brings_everything_it_needs(server: RateServer) -> None:
    status, headers, content = ask(server, "/")
    assert status == 200
    assert headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert not re.search(rb"https?://|//[a-z]+\.|<link|@import|src=\"[^\"]", content)


def test_an_answer_is_kept_and_the_rater_goes_on(server: RateServer, tmp_path: Path) -> None:
    status, _, content = ask(server, "/study?rater=anna")
    study = json.loads(content)
    assert (status, study["answers"], len(study["order"])) == (200, {}, 3)
    first = study["order"][0]
    assert ask(server, "/answer", answer(server, picture=first))[0] == 200
    (kept,) = read_answers(tmp_path / "answers.csv")
    assert (kept.rater, kept.picture, kept.valence, kept.arousal, kept.seconds) == ("anna", first, 0.5, -0.25, 1.5)
    assert kept.asked_valence == server.pictures[first].asked.valence  # type: ignore[union-attr]
    again = json.loads(ask(server, "/study?rater=%20anna")[2])
    assert again == {**study, "answers": {first: [0.5, -0.25]}}
    assert json.loads(ask(server, "/study?rater=ben")[2])["answers"] == {}


def test_a_picture_tells_nothing_but_its_pixels(server: RateServer) -> None:
    sizes = set()
    for name in server.pictures:
        status, headers, content = ask(server, f"/picture/{name}")
        assert (status, headers["Content-Type"]) == (200, "image/jpeg")
        assert b"0.77" not in content
        assert not any("+0." in value for value in headers.values())
        sizes.add(max(Image.open(io.BytesIO(content)).size))
    assert sizes == {20, 30, LONGEST_SIDE_PX}
    assert b"+0." not in ask(server, "/study?rater=anna")[2]


def test_a_picture_that_is_gone_is_not_named(server: RateServer) -> None:
    name, picture = next(iter(server.pictures.items()))
    picture.path.unlink()
    status, _, content = ask(server, f"/picture/{name}")
    assert status == 410
    assert picture.path.name.encode() not in content


@pytest.mark.parametrize(
    "changes",
    [
        {"valence": 1.5},
        {"arousal": "high"},
        {"valence": float("nan")},
        {"picture": "../../etc/passwd"},
        {"rater": ""},
        {"rater": "x" * 500},
        {"seconds": -1},
        {"seconds": None},
    ],
)
def test_answers_that_cannot_be_are_turned_down(server: RateServer, tmp_path: Path, changes: dict[str, Any]) -> None:
    status, _, content = ask(server, "/answer", answer(server, **changes))
    assert status == 400
    assert "error" in json.loads(content)
    assert read_answers(tmp_path / "answers.csv") == []


@pytest.mark.parametrize("body", [b"", b"no json", b"[]", b"1", b"{}", b"x" * 5000])
def test_bodies_that_are_no_answers_are_turned_down(server: RateServer, body: bytes) -> None:
    assert ask(server, "/answer", body)[0] == 400
    assert ask(server, "/answer", answer(server))[0] == 200, "and the server goes on"


def test_a_foreign_page_cannot_reach_in(server: RateServer) -> None:
    assert ask(server, "/", Host="evil.example")[0] == 403
    assert ask(server, "/answer", answer(server), Host="evil.example")[0] == 403
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert ask(server, "/answer", answer(server), **form)[0] == 400


@pytest.mark.parametrize("path", ["/x", "/picture/", "/picture/../manifest.json", "/manifest.json", "/study/"])
def test_nothing_else_is_served(server: RateServer, path: str) -> None:
    assert ask(server, path)[0] == 404


def test_a_port_that_is_taken_is_said(server: RateServer) -> None:
    with pytest.raises(InputError, match="cannot be served"):
        RateServer((), server.log, port=server.server_address[1])
    with pytest.raises(InputError, match="cannot be served"):
        RateServer((), server.log, port=70000)
