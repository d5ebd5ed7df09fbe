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
from importlib.resources import files
from typing import Any, cast
from urllib.parse import parse_qs

from PIL import Image

from synth_affect.affect import ValenceArousal
from synth_affect.arrays import as_uint8
from synth_affect.data.pictures import read_picture
from synth_affect.errors import InputError, SynthAffectError
from synth_affect.pipelines.ratings import AnswerLog, RatedPicture, check_rater, order_for
from synth_affect.web.local_server import LOCAL, LocalHandler, LocalServer, content_policy

MAX_BODY = 4096
LONGEST_SIDE_PX = 900
MAX_SECONDS = 24 * 3600.0


class RateServer(LocalServer):
    """Serves one study; answers go to `log`. Raises InputError when the port cannot be had."""

    def __init__(
        self, pictures: Sequence[RatedPicture], log: AnswerLog, *, host: str = LOCAL, port: int = 0, seed: int = 0
    ) -> None:
        """port : 0 for any that is free.  seed : of the raters' orders."""
        self.pictures = {picture.id: picture for picture in pictures}
        self.log, self.seed = log, seed
        super().__init__(_Handler, host, port)


@lru_cache(maxsize=1)
def page() -> bytes:
    """The page, with everything in it."""
    return (files("synth_affect.web") / "rate.html").read_bytes()


@lru_cache(maxsize=1)
def icon() -> bytes:
    """The package's own; browsers ask for it unbidden."""
    return (files("synth_affect.web.serve") / "page" / "icon.svg").read_bytes()


def shown(picture: RatedPicture) -> bytes:
    """JPEG of the pixels alone, at most LONGEST_SIDE_PX high and wide."""
    image = Image.fromarray(as_uint8(read_picture(picture.path).pixels))
    image.thumbnail((LONGEST_SIDE_PX, LONGEST_SIDE_PX), Image.Resampling.LANCZOS)
    encoded = io.BytesIO()
    image.save(encoded, "JPEG", quality=93)
    return encoded.getvalue()


class _Handler(LocalHandler):
    policy = content_policy("img-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'")

    @property
    def _study(self) -> RateServer:
        return cast(RateServer, self.server)

    def get(self, path: str, query: str) -> None:
        """Page, study, or picture."""
        if path == "/":
            self.send(HTTPStatus.OK, page(), "text/html; charset=utf-8")
        elif path == "/study":
            self._answering(lambda: self._order(parse_qs(query).get("rater", [""])[0]))
        elif path == "/favicon.ico":
            self.send(HTTPStatus.OK, icon(), "image/svg+xml")
        elif path.startswith("/picture/"):
            self._picture(path.removeprefix("/picture/"))
        else:
            self.fail(HTTPStatus.NOT_FOUND, "nothing here")

    def post(self, path: str) -> None:
        """An answer."""
        if path != "/answer":
            self.fail(HTTPStatus.NOT_FOUND, "nothing here")
        elif self.headers.get_content_type() != "application/json":  # which no form of a foreign page can send
            self.fail(HTTPStatus.BAD_REQUEST, "no JSON")
        else:
            self._answering(self._take)

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
        try:
            said = json.loads(self.read_body(MAX_BODY, "answer"))
            rater, picture = check_rater(str(said["rater"])), self._study.pictures[str(said["picture"])]
            point = ValenceArousal(float(said["valence"]), float(said["arousal"]))
            seconds = float(said["seconds"])
        except (KeyError, OverflowError, RecursionError, TypeError, ValueError) as error:
            raise InputError("answer", f"cannot be understood ({type(error).__name__})") from error
        if not 0 <= seconds <= MAX_SECONDS:
            raise InputError("answer", "seconds are out of range")
        self._study.log.add(rater, picture, point, seconds)
        return {"ok": True}

    def _picture(self, name: str) -> None:
        picture = self._study.pictures.get(name)
        if picture is None:
            self.fail(HTTPStatus.NOT_FOUND, "no such picture")
            return
        try:
            content = shown(picture)
        except SynthAffectError:
            self.fail(HTTPStatus.GONE, "the picture cannot be read")  # its name would tell the rater what it shows
            return
        self.send(HTTPStatus.OK, content, "image/jpeg")

    def _answering(self, respond: Any) -> None:
        try:
            content = respond()
        except InputError as error:
            self.fail(HTTPStatus.BAD_REQUEST, str(error))
            return
        self.send(HTTPStatus.OK, json.dumps(content).encode(), "application/json")
