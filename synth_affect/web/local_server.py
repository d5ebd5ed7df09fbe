"""What the pages of this package share: a small server for this machine's own browser.

A request is answered when it names this server as its host and comes from one of its own pages: a foreign page that is
open in the same browser can neither read nor send anything, not even through a name of its own that leads here.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
import socket
import threading
from collections.abc import Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from synth_affect.errors import InputError

LOCAL = "127.0.0.1"
MOST_CONNECTIONS = 128
"""At a time, each with a thread of its own; those beyond are closed unheard."""
DRAINED_BYTES, DRAINED_S = 256 << 20, 10.0
"""Of a body that was turned down: a browser that is still sending reads no answer."""
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def content_policy(own: str) -> str:
    """The Content-Security-Policy of a page that loads nothing but `own` directives allow, and stands in no frame."""
    return f"default-src 'none'; {own}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


class LocalServer(ThreadingHTTPServer):
    """Raises InputError naming `--port` when the address cannot be had."""

    daemon_threads = True
    request_queue_size = 32

    def __init__(
        self, handler: type[LocalHandler], host: str = LOCAL, port: int = 0, names: Sequence[str] = ()
    ) -> None:
        """port : 0 for any that is free.  names : under which browsers reach it through another server in front."""
        self._free = threading.BoundedSemaphore(MOST_CONNECTIONS)
        try:
            super().__init__((host, port), handler)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise InputError("--port", f"{host}:{port} cannot be served ({reason})") from error
        self._names_in_front = {name.lower() for name in names}
        own = {"localhost", socket.gethostname(), socket.getfqdn()} if self.is_open else {"localhost"}
        self._own_names = {name.lower() for name in own}

    @property
    def url(self) -> str:
        """Of the page."""
        host = str(self.server_address[0])
        return f"http://{LOCAL if host == '0.0.0.0' else host}:{self.server_address[1]}/"

    @property
    def is_open(self) -> bool:
        """Whether other machines are served too."""
        return not str(self.server_address[0]).startswith("127.")

    def allows(self, host: str) -> bool:
        """Whether a request for `host` (a Host header) is meant for us.

        Where the server is opened to the network: any address, because a foreign page that leads here by its own name
        server comes with a name, and the names of this machine.
        """
        if host.lower() in self._names_in_front:
            return True
        name, _, port = host.rpartition(":")
        if port != str(self.server_address[1]):
            return False
        if not self.is_open:
            return name in (LOCAL, "localhost")
        return name.lower() in self._own_names or _is_address(name.strip("[]"))

    def process_request(self, request: Any, client_address: Any) -> None:
        """In a thread, as long as there are not too many."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Until the connection ends."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that went away in the middle of an answer is no error; anything else is told on stderr."""
        import sys

        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


class LocalHandler(BaseHTTPRequestHandler):
    """One connection. `policy` is the page's Content-Security-Policy; `get` and `post` answer paths."""

    protocol_version = "HTTP/1.1"
    timeout = 60
    # Head and body of an answer are two writes; without this the second waits for the first one's receipt.
    disable_nagle_algorithm = True
    server_version, sys_version = "synth-affect", ""
    policy = content_policy("img-src 'self'")
    _body_is_read = False

    def get(self, path: str, query: str) -> None:
        """Answer a GET. A page's handler overrides it."""
        self.fail(HTTPStatus.NOT_FOUND, "nothing here")

    def post(self, path: str) -> None:
        """Answer a POST. A page's handler overrides it."""
        self.fail(HTTPStatus.NOT_FOUND, "nothing here")

    def do_GET(self) -> None:
        """See `get`."""
        if self._is_ours():
            asked = urlsplit(self.path)
            self.get(asked.path, asked.query)

    def do_POST(self) -> None:
        """See `post`."""
        self._body_is_read = False
        if self._is_ours():
            self.post(urlsplit(self.path).path)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the terminal is the command's."""

    def _is_ours(self) -> bool:
        server = self.server
        assert isinstance(server, LocalServer)
        host, origin = self.headers.get("Host", ""), self.headers.get("Origin")
        site = self.headers.get("Sec-Fetch-Site", "same-origin")
        if not server.allows(host):
            self.fail(HTTPStatus.FORBIDDEN, "another host's name")
            return False
        foreign_origin = origin is not None and urlsplit(origin).netloc != host
        if foreign_origin or (self.command == "POST" and site != "same-origin"):
            self.fail(HTTPStatus.FORBIDDEN, "another page's request")
            return False
        return True

    def read_body(self, most_bytes: int, name: str) -> bytes:
        """The body of a request. Raises InputError when its length is not given or too large; it is not read then."""
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or len(length) > 15 or int(length) > most_bytes:
            raise InputError(name, f"of 1 to {most_bytes} bytes is needed")
        body = self.rfile.read(int(length))
        self._body_is_read = True
        if len(body) < int(length):
            self.close_connection = True
            raise InputError(name, "did not arrive whole")
        return body

    def fail(self, status: HTTPStatus, reason: str) -> None:
        """Answer with {"error": reason}."""
        if self.command == "POST" and not self._body_is_read:
            self.close_connection = True  # what follows on this connection is not a request
        self.send(status, json.dumps({"error": reason}).encode(), "application/json")
        if self.close_connection:
            self._drain()

    def send(self, status: HTTPStatus, content: bytes, kind: str, further: dict[str, str] | None = None) -> None:
        """Answer with `content` of the media type `kind`."""
        self.start(status, kind, {"Content-Length": str(len(content)), **(further or {})})
        self.wfile.write(content)

    def start(self, status: HTTPStatus, kind: str, further: dict[str, str]) -> None:
        """The head of an answer; its body is up to the caller."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in {**HEADERS, "Content-Security-Policy": self.policy, **further}.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def _drain(self) -> None:
        """Take what is still being sent, within reason, so that the answer is not lost in a reset connection."""
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(DRAINED_S)
            left = DRAINED_BYTES
            while left > 0 and (chunk := self.connection.recv(1 << 16)):
                left -= len(chunk)
