"""The page on which people rate pictures, served from this machine to its own browser by default.

Raters see pictures one by one, in an order of their own, without names, labels or metadata: pictures are encoded anew.

    GET  /                      the page
    GET  /study?rater=NAME      {"rater", "order": [id, ...], "answers": {id: [valence, arousal]}}
    GET  /picture/ID            JPEG
    POST /answer                {"rater", "picture", "valence", "arousal", "seconds"} -> {"ok": true}

Everything else is 404; what cannot be used is 400 with {"error"}. Requests for another host's name are refused, so that
a foreign page cannot reach in through a name of its own.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from functools import lru_cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from PIL import Image

from synth_affect.affect import ValenceArousal
from synth_affect.arrays import as_uint8
from synth_affect.data.pictures import read_picture
from synth_affect.errors import InputError, SynthAffectError
from synth_affect.pipelines.ratings import AnswerLog, RatedPicture, check_rater, order_for

LOCAL = "127.0.0.1"
MAX_BODY = 4096
LONGEST_SIDE_PX = 900
MAX_SECONDS = 24 * 3600.0
SECURITY = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class RateServer(ThreadingHTTPServer):
    """Serves one study; answers go to `log`. Raises InputError when the port cannot be had."""

    daemon_threads = True

    def __init__(
        self, pictures: Sequence[RatedPicture], log: AnswerLog, *, host: str = LOCAL, port: int = 0, seed: int = 0
    ) -> None:
        """port : 0 for any that is free.  seed : of the raters' orders."""
        self.pictures = {picture.id: picture for picture in pictures}
        self.log, self.seed = log, seed
        try:
            super().__init__((host, port), _Handler)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise InputError("--port", f"{host}:{port} cannot be served ({reason})") from error

    @property
    def url(self) -> str:
        """Of the page."""
        host = str(self.server_address[0])
        return f"http://{host}:{self.server_address[1]}/"

    def allows(self, host: str) -> bool:
        """Whether a request for `host` is meant for us; any is where the server was opened to the network."""
        own, port = self.server_address[0], self.server_address[1]
        return own != LOCAL or host in (f"{LOCAL}:{port}", f"localhost:{port}")


@lru_cache(maxsize=1)
def page() -> bytes:
    """The page, with everything in it."""
    return (files("synth_affect.web") / "rate.html").read_bytes()


def shown(picture: RatedPicture) -> bytes:
    """JPEG of the pixels alone, at most LONGEST_SIDE_PX high and wide."""
    image = Image.fromarray(as_uint8(read_picture(picture.path).pixels))
    image.thumbnail((LONGEST_SIDE_PX, LONGEST_SIDE_PX), Image.Resampling.LANCZOS)
    encoded = io.BytesIO()
    image.save(encoded, "JPEG", quality=93)
    return encoded.getvalue()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    @property
    def _study(self) -> RateServer:
        return cast(RateServer, self.server)

    def do_GET(self) -> None:
        """Page, study, or picture."""
        asked = urlsplit(self.path)
        if not self._study.allows(self.headers.get("Host", "")):
            self._fail(HTTPStatus.FORBIDDEN, "another host's name")
        elif asked.path == "/":
            self._send(HTTPStatus.OK, page(), "text/html; charset=utf-8")
        elif asked.path == "/study":
            self._answering(lambda: self._order(parse_qs(asked.query).get("rater", [""])[0]))
        elif asked.path.startswith("/picture/"):
            self._picture(asked.path.removeprefix("/picture/"))
        else:
            self._fail(HTTPStatus.NOT_FOUND, "nothing here")

    def do_POST(self) -> None:
        """An answer."""
        if not self._study.allows(self.headers.get("Host", "")):
            self._fail(HTTPStatus.FORBIDDEN, "another host's name")
        elif urlsplit(self.path).path != "/answer":
            self._fail(HTTPStatus.NOT_FOUND, "nothing here")
        elif self.headers.get_content_type() != "application/json":  # which no form of a foreign page can send
            self._fail(HTTPStatus.BAD_REQUEST, "no JSON")
        else:
            self._answering(self._take)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the terminal is the command's."""

    def _order(self, name: str) -> dict[str, Any]:
        rater = check_rater(name)
        given = self._study.log.of(rater)
        order = order_for(rater, list(self._study.pictures.values()), self._study.seed)
        return {
            "rater": rater,
            "order": [picture.id for picture in order],
            "answers": {name: [answer.valence, answer.arousal] for name, answer in given.items()},
        }

    def _take(self) -> dict[str, Any]:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or int(length) > MAX_BODY:
            self.close_connection = True  # what follows on this connection is not known
            raise InputError("answer", f"of 1 to {MAX_BODY} bytes is needed")
        try:
            said = json.loads(self.rfile.read(int(length)))
            rater, picture = check_rater(str(said["rater"])), self._study.pictures[str(said["picture"])]
            point = ValenceArousal(float(said["valence"]), float(said["arousal"]))
            seconds = float(said["seconds"])
        except (KeyError, TypeError, ValueError) as error:
            raise InputError("answer", f"cannot be understood ({type(error).__name__})") from error
        if not 0 <= seconds <= MAX_SECONDS:
            raise InputError("answer", "seconds are out of range")
        self._study.log.add(rater, picture, point, seconds)
        return {"ok": True}

    def _picture(self, name: str) -> None:
        picture = self._study.pictures.get(name)
        if picture is None:
            self._fail(HTTPStatus.NOT_FOUND, "no such picture")
            return
        try:
            content = shown(picture)
        except SynthAffectError:
            self._fail(HTTPStatus.GONE, "the picture cannot be read")  # its name would tell the rater what it shows
            return
        self._send(HTTPStatus.OK, content, "image/jpeg")

    def _answering(self, respond: Any) -> None:
        try:
            content = respond()
        except InputError as error:
            self._fail(HTTPStatus.BAD_REQUEST, str(error))
            return
        self._send(HTTPStatus.OK, json.dumps(content).encode(), "application/json")

    def _fail(self, status: HTTPStatus, reason: str) -> None:
        if self.command == "POST" and status != HTTPStatus.BAD_REQUEST:
            self.close_connection = True  # its body was not read
        self._send(status, json.dumps({"error": reason}).encode(), "application/json")

    def _send(self, status: HTTPStatus, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        for name, value in SECURITY.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)
