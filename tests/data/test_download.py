"""Against a server on this machine that breaks off, goes on, or lies."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from synth_affect.data.download import download
from synth_affect.errors import InputError

CONTENT = bytes(range(256)) * 1200
SUM = hashlib.sha256(CONTENT).hexdigest()


class Server:
    """url : of a file with CONTENT.  sends : so many bytes of an answer before it breaks off; None for all.
    ranges : whether it goes on where it is asked to.  asked : the Range of each request, "" for none.
    """

    def __init__(self) -> None:
        self.sends: int | None = None
        self.ranges, self.status, self.content = True, 200, CONTENT
        self.asked: list[str] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                wanted = self.headers.get("Range", "")
                server.asked.append(wanted)
                start = int(wanted[len("bytes=") :].rstrip("-")) if wanted and server.ranges else 0
                body = server.content[start:]
                status = server.status if not wanted or not server.ranges else 206 if body else 416
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: server.sends])

            def log_message(self, format: str, *arguments: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_port}/model.npz"
        self._thread = threading.Thread(target=self._http.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    running = Server()
    yield running
    running.close()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "models" / "model.npz"


def test_a_whole_file_arrives_and_its_pieces_are_shown(server: Server, target: Path) -> None:
    shown: list[bytes] = []

    def progress(pieces: Iterable[bytes], count: int) -> Iterator[bytes]:
        for piece in pieces:
            shown.append(piece)
            yield piece
        assert len(shown) == count

    download(server.url, target, SUM, progress=progress)
    assert target.read_bytes() == b"".join(shown) == CONTENT
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def test_what_broke_off_goes_on_where_it_was(server: Server, target: Path) -> None:
    server.sends = 100_000
    with pytest.raises(InputError, match=r"failed .*try again, or put the file there by hand"):
        download(server.url, target, SUM)
    assert not target.exists()
    server.sends = None
    download(server.url, target, SUM)
    assert target.read_bytes() == CONTENT
    first, second = server.asked
    assert first == ""
    assert second.startswith("bytes=")
    assert 0 < int(second[6:-1]) <= 100_000


def test_a_server_that_cannot_go_on_begins_anew(server: Server, target: Path) -> None:
    server.sends = 50_000
    with pytest.raises(InputError):
        download(server.url, target, SUM)
    server.sends, server.ranges = None, False
    download(server.url, target, SUM)
    assert target.read_bytes() == CONTENT


def test_all_had_arrived_before_the_command_was_stopped(server: Server, target: Path) -> None:
    target.parent.mkdir()
    target.with_name("model.npz.part").write_bytes(CONTENT)
    download(server.url, target, SUM)
    assert target.read_bytes() == CONTENT


def test_a_wrong_sum_leaves_nothing_and_is_fetched_anew(server: Server, target: Path) -> None:
    server.content = CONTENT[::-1]
    with pytest.raises(InputError, match=f"expected {SUM[:16]}"):
        download(server.url, target, SUM)
    assert list(target.parent.iterdir()) == []
    server.content = CONTENT
    download(server.url, target, SUM)
    assert server.asked == ["", ""]


def test_an_answer_without_a_file_and_no_server(server: Server, target: Path) -> None:
    server.status = 404
    with pytest.raises(InputError, match="HTTPError"):
        download(server.url, target, SUM)
    with pytest.raises(InputError, match=r"ConnectionError.*; try again, or ask a friend"):
        download("http://127.0.0.1:9/model.npz", target, SUM, otherwise="ask a friend")
    assert not target.exists()
