"""A server of the page, with real detectors and the packaged head, asked over sockets of this machine."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from synth_affect.web.serve.limits import MEGABYTE, Limits
from synth_affect.web.serve.server import ServeServer
from synth_affect.web.serve.studio import Studio

LIMITS = Limits(upload_bytes=4 * MEGABYTE, megapixels=4, uploads_a_minute=600, requests_a_second=500)


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    content: bytes

    def json(self) -> Any:
        return json.loads(self.content)


class Client:
    """Asks a server as its page does."""

    def __init__(self, server: ServeServer) -> None:
        self.server, self.key = server, ""
        self.port = int(server.server_address[1])

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.key:
            named.setdefault("X-Session", self.key)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, named)
            reply = connection.getresponse()
            return Reply(reply.status, dict(reply.getheaders()), reply.read())
        finally:
            connection.close()

    def post(self, path: str, said: Any, **headers: str) -> Reply:
        return self.ask("POST", path, json.dumps(said).encode(), **headers)

    def give(self, content: bytes, name: str = "face.png") -> Reply:
        reply = self.ask("POST", "/picture", content, X_Name=name)
        if reply.status == 200:
            self.key = reply.json()["session"]
        return reply

    def make(self, kind: str, said: Any) -> tuple[list[dict[str, Any]], bytes]:
        """The lines of the answer, and what follows them."""
        rest = self.post(f"/make/{kind}", said).content
        lines: list[dict[str, Any]] = []
        while rest and not (lines and ("name" in lines[-1] or "error" in lines[-1])):
            first, _, rest = rest.partition(b"\n")
            lines.append(json.loads(first))
        return lines, rest


@pytest.fixture(scope="session")
def studio() -> Iterator[Studio]:
    with Studio() as opened:
        yield opened


@pytest.fixture(scope="session")
def server(studio: Studio) -> Iterator[ServeServer]:
    with ServeServer(studio, limits=LIMITS) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def client(server: ServeServer) -> Iterator[Client]:
    client = Client(server)
    yield client
    server.sessions.close(client.key)


@pytest.fixture(scope="session")
def face(portrait_path: Path) -> bytes:
    """256 x 256 PNG of one face."""
    import io

    encoded = io.BytesIO()
    Image.open(portrait_path).convert("RGB").crop((96, 0, 352, 256)).save(encoded, "PNG")
    return encoded.getvalue()


@pytest.fixture(scope="session")
def two_faces(portrait_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same face twice: a larger one on the left, a smaller one on the right, mirrored."""
    pixels = np.asarray(Image.open(portrait_path).convert("RGB").crop((96, 0, 352, 256)))
    small = Image.fromarray(np.ascontiguousarray(pixels[:, ::-1])).resize((200, 200), Image.Resampling.LANCZOS)
    sheet = Image.new("RGB", (480, 256), (128, 128, 128))
    sheet.paste(Image.fromarray(pixels), (0, 0))
    sheet.paste(small, (268, 40))
    path = tmp_path_factory.mktemp("two") / "two.png"
    sheet.save(path)
    return path
