"""The page and its requests.

    GET  /, /page.css, /page.js ...          the page: PAGE
    GET  /setting                            the plane, heads, limits: everything that does not depend on a picture
    POST /picture      bytes; X-Name         {"session", "name", "width", "height", "faces": [box, ...]}
    POST /example                            the same, of the packaged portrait
    GET  /picture                            JPEG of the picture
    POST /draw         {...asked, "full"}    JPEG of what changes; X-Window: left,top,right,bottom in the picture, px
    POST /read         {...asked}            {"verification", "command"}
    POST /make/KIND    {...asked}            lines {"done", "of"}, then one {"name", "type", "size"} and so many bytes
    POST /alive                              keeps the session
    POST /close        its key               ends it

A session's key goes in the header X-Session, which a foreign page cannot send. What cannot be used is 400 with
{"error"}, a session that is over 410, a request whose place a newer one has taken 409, too many of them 429. A box is
left, top, right, bottom, px.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import threading
from collections.abc import Sequence
from functools import lru_cache
from http import HTTPStatus
from importlib.resources import files
from types import TracebackType
from typing import Any, cast
from urllib.parse import unquote

import synth_affect
from synth_affect.data.provenance import Provenance
from synth_affect.errors import InputError, SynthAffectError
from synth_affect.pipelines.demo_picture import find_demo_picture
from synth_affect.web.local_server import LOCAL, LocalHandler, LocalServer, content_policy
from synth_affect.web.serve.asked import Asked, command_line, read_asked, read_json, read_path, sentence
from synth_affect.web.serve.intake import as_jpeg, on_white, take_in
from synth_affect.web.serve.limits import BusyError, Limits, Rate
from synth_affect.web.serve.plane import describe_plane, describe_units
from synth_affect.web.serve.products import PRODUCTS, Order, make
from synth_affect.web.serve.sessions import Session, SessionOverError, SessionStore, SupersededError
from synth_affect.web.serve.studio import Studio

MOST_JSON_BYTES = 16_384
SWEEP_S = 20.0
PAGE = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    **{
        f"/{name}.js": (f"{name}.js", "text/javascript; charset=utf-8") for name in ("page", "plane", "server", "stage")
    },
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}


class ServeServer(LocalServer):
    """Serves one studio. A context manager. Raises InputError when the address cannot be had."""

    def __init__(
        self,
        studio: Studio,
        *,
        host: str = LOCAL,
        port: int = 0,
        names: Sequence[str] = (),
        limits: Limits | None = None,
    ) -> None:
        """port : 0 for any that is free.  names : see `LocalServer`."""
        self.studio, self.limits = studio, limits or Limits()
        self.sessions = SessionStore(self.limits, ended=studio.forget)
        self.uploads = Rate(self.limits.uploads_a_minute, self.limits.uploads_a_minute / 60)
        self.requests = Rate(2 * self.limits.requests_a_second, self.limits.requests_a_second)
        self._over = threading.Event()
        super().__init__(ServeHandler, host, port, names)
        threading.Thread(target=self._sweep, daemon=True).start()

    def server_close(self) -> None:
        """End all sessions, and the address."""
        self._over.set()
        self.sessions.close_all()
        super().server_close()

    def __exit__(self, *error: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.server_close()

    def _sweep(self) -> None:
        while not self._over.wait(SWEEP_S):
            self.sessions.forget_silent()

    @lru_cache(maxsize=1)  # noqa: B019  # one server a process
    def setting(self) -> bytes:
        """JSON of what pages must know before they have a picture."""
        return json.dumps(
            {
                "version": synth_affect.__version__,
                "plane": describe_plane(),
                "units": describe_units(),
                "heads": list(self.studio.heads),
                "mp4": importlib.util.find_spec("av") is not None,
                "megabytes": self.limits.upload_bytes / (1 << 20),
                "megapixels": self.limits.megapixels,
                "path_frames": self.limits.path_frames,
                "idle_minutes": self.limits.idle_minutes,
            }
        ).encode()


@lru_cache(maxsize=len(PAGE))
def page_file(name: str) -> bytes:
    """A file of the page."""
    return (files("synth_affect.web.serve") / "page" / name).read_bytes()


class ServeHandler(LocalHandler):
    """One connection of a page."""

    policy = content_policy(
        "script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self'"
    )

    @property
    def _app(self) -> ServeServer:
        return cast(ServeServer, self.server)

    def get(self, path: str, query: str) -> None:
        """The page, the setting, the picture."""
        if path in PAGE:
            name, kind = PAGE[path]
            self.send(HTTPStatus.OK, page_file(name), kind)
        elif path == "/setting":
            self.send(HTTPStatus.OK, self._app.setting(), "application/json")
        elif path == "/picture":
            self._answering(self._show)
        else:
            self.fail(HTTPStatus.NOT_FOUND, "nothing here")

    def post(self, path: str) -> None:
        """Everything that a page does."""
        answers = {
            "/picture": self._take,
            "/example": self._example,
            "/draw": self._draw,
            "/read": self._read,
            "/alive": self._stay,
            "/close": self._close,
        }
        if path in answers:
            self._answering(answers[path])
        elif path.startswith("/make/") and path.removeprefix("/make/") in PRODUCTS:
            self._answering(lambda: self._make(path.removeprefix("/make/")))
        else:
            self.fail(HTTPStatus.NOT_FOUND, "nothing here")

    def _answering(self, respond: Any) -> None:
        try:
            if not self._app.requests.take(self.client_address[0]):
                raise BusyError("request", "there are too many at a time; wait a moment")
            respond()
        except SessionOverError as error:
            self.fail(HTTPStatus.GONE, sentence(error))
        except SupersededError as error:
            self.fail(HTTPStatus.CONFLICT, sentence(error))
        except BusyError as error:
            self.fail(HTTPStatus.TOO_MANY_REQUESTS, sentence(error))
        except SynthAffectError as error:
            self.fail(HTTPStatus.BAD_REQUEST, sentence(error))
        except MemoryError:
            self.fail(HTTPStatus.INSUFFICIENT_STORAGE, "There is not enough memory for this picture.")

    def _take(self) -> None:
        self._check_upload_rate()
        name = unquote(self.headers.get("X-Name", ""), errors="replace")
        limit = self._app.limits.upload_bytes
        length = self.headers.get("Content-Length", "")
        if length.isascii() and length.isdigit() and int(length[:15]) > limit:
            raise InputError("picture", f"is larger than the {limit / (1 << 20):g} MB that this page takes")
        self._open(self.read_body(limit, "picture"), name)

    def _example(self) -> None:
        self._body()
        self._check_upload_rate()
        path = find_demo_picture()
        self._open(path.read_bytes(), path.name)

    def _check_upload_rate(self) -> None:
        if not self._app.uploads.take(self.client_address[0]):
            raise BusyError("picture", "there were too many in a minute; wait a little")

    def _open(self, content: bytes, name: str) -> None:
        upload = take_in(content, name, self._app.limits)
        faces = self._app.studio.find_faces(upload.picture.pixels)
        if not faces:
            raise InputError(upload.name, "no face was found in it")
        session = self._app.sessions.open(upload, faces)
        height, width = upload.picture.pixels.shape[:2]
        boxes = [[*face.points_image[:, :2].min(axis=0), *face.points_image[:, :2].max(axis=0)] for face in faces]
        self._json(
            {
                "session": session.key,
                "name": upload.name,
                "width": width,
                "height": height,
                "faces": [[round(float(edge), 1) for edge in box] for box in boxes],
            }
        )

    def _show(self) -> None:
        session = self._session()
        picture = session.upload.picture
        pixels = on_white(session.upload.shown, picture.alpha)
        about = Provenance({"shows": "input"}, synth_affect.__version__, "", session.upload.sha256)
        self.send(HTTPStatus.OK, as_jpeg(pixels, picture, about), "image/jpeg")

    def _draw(self) -> None:
        session, asked, said = self._asked()
        full = said.get("full") is True
        with session.turn(asked.number, full=full):
            drawn = self._app.studio.draw(session, asked, full=full)
        window, picture = drawn.window, session.upload.picture
        alpha = None if picture.alpha is None else picture.alpha[window.top : window.bottom, window.left : window.right]
        content = as_jpeg(
            on_white(drawn.pixels, alpha), picture, self._app.studio.provenance(session, asked, "preview")
        )
        place = f"{window.left},{window.top},{window.right},{window.bottom}"
        self.send(HTTPStatus.OK, content, "image/jpeg", {"X-Window": place})
        self._forget_if_over(session)

    def _read(self) -> None:
        session, asked, _ = self._asked()
        with session.turn(asked.number, full=True):
            found = self._app.studio.read(session, asked)
        self._json({"verification": found, "command": command_line(asked, session.upload.name)})
        self._forget_if_over(session)

    def _make(self, kind: str) -> None:
        session, asked, said = self._asked()
        path = read_path(said, self._app.limits) if kind in ("gif", "mp4") else None
        if kind == "mp4":
            _check_mp4()
        self.close_connection = True  # the answer's length is not known before its end
        self.start(HTTPStatus.OK, "application/octet-stream", {})

        def say(line: dict[str, Any]) -> None:
            self.wfile.write(json.dumps(line).encode() + b"\n")

        def tell(done: int, of: int) -> None:
            self._app.sessions.get(session.key)  # a path takes long, and nobody clicks meanwhile
            say({"done": done, "of": of})

        try:
            say({"done": 0, "of": 0})
            product = make(kind, Order(self._app.studio, session, asked, path, tell))
        except SynthAffectError as error:
            say({"error": sentence(error)})
            return
        say({"name": product.name, "type": product.media_type, "size": len(product.content)})
        self.wfile.write(product.content)
        self._forget_if_over(session)

    def _stay(self) -> None:
        self._body()
        self._session()
        self._json({"ok": True})

    def _close(self) -> None:
        key = self.read_body(MOST_JSON_BYTES, "request").decode(errors="replace")
        self._app.sessions.close(key)
        self._json({"ok": True})

    def _asked(self) -> tuple[Session, Asked, dict[str, Any]]:
        said = read_json(self._body())
        session = self._session()
        return session, read_asked(said, self._app.studio.heads, len(session.faces)), said

    def _session(self) -> Session:
        return self._app.sessions.get(self.headers.get("X-Session", ""))

    def _forget_if_over(self, session: Session) -> None:
        """What was drawn while the page was being closed."""
        with contextlib.suppress(SessionOverError):
            self._app.sessions.get(session.key)
            return
        self._app.studio.forget(session.key)

    def _body(self) -> bytes:
        return self.read_body(MOST_JSON_BYTES, "request")

    def _json(self, content: dict[str, Any]) -> None:
        self.send(HTTPStatus.OK, json.dumps(content).encode(), "application/json")


def _check_mp4() -> None:
    """Raises MissingDependencyError before anything is drawn for it."""
    from synth_affect.optional import import_optional

    import_optional("av", "web")
