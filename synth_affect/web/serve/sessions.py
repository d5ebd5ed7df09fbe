"""Sessions: one a page with a picture, in memory alone, forgotten when the page is closed or falls silent."""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from synth_affect.errors import InputError, SynthAffectError
from synth_affect.fitting.landmarks import Landmarks
from synth_affect.web.serve.intake import Upload
from synth_affect.web.serve.limits import BusyError, Limits

KEY_BYTES = 24
RECENT_S = 120.0
"""A session that was used within this time is not ended for a new one."""


class SessionOverError(SynthAffectError):
    """The session is over: its page was closed, fell silent, or never was."""

    def __init__(self) -> None:
        super().__init__("the picture is forgotten by now; give it once more")


class SupersededError(InputError):
    """A newer request of the same page stands in line; this one's answer would be shown to nobody."""

    def __init__(self) -> None:
        super().__init__("request", "a newer one has taken its place")


@dataclass(slots=True, eq=False)
class Session:
    """key : known to its page alone.  faces : landmarks of each face, largest first.
    cached : what has been worked out of the picture, by whoever works it out.
    """

    key: str
    upload: Upload
    faces: tuple[Landmarks, ...]
    cached: OrderedDict[object, object] = field(default_factory=OrderedDict)
    used_at: float = 0.0
    newest: int = -1
    _turns: tuple[threading.Lock, threading.Lock] = field(default_factory=lambda: (threading.Lock(), threading.Lock()))
    _number: threading.Lock = field(default_factory=threading.Lock)

    @contextlib.contextmanager
    def turn(self, number: int, *, full: bool) -> Iterator[None]:
        """The block runs alone among those of this session that are previews, or that are in full size.

        number : of the request, counted by the page.
        Raises SupersededError when a later one has come while this waited.
        """
        with self._number:
            self.newest = max(self.newest, number)
        with self._turns[full]:
            if number < self.newest:
                raise SupersededError
            yield


class SessionStore:
    """All sessions of a server. ended : called with the key of each that ends.  clock : seconds."""

    def __init__(
        self,
        limits: Limits,
        ended: Callable[[str], None] = lambda key: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits, self._ended, self._clock = limits, ended, clock
        self._sessions: OrderedDict[str, Session] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._sessions)

    def open(self, upload: Upload, faces: tuple[Landmarks, ...]) -> Session:
        """A new session. Raises BusyError when there are as many as there may be, all of them in use."""
        now = self._clock()
        with self._lock:
            self._forget_silent(now)
            while len(self._sessions) >= self._limits.sessions:
                oldest = next(iter(self._sessions.values()))
                if now - oldest.used_at < RECENT_S:
                    n_open = len(self._sessions)
                    raise BusyError("picture", f"{n_open} people use this page; try again in some minutes")
                self._end(oldest.key)
            session = Session(secrets.token_urlsafe(KEY_BYTES), upload, faces, used_at=now)
            self._sessions[session.key] = session
        return session

    def get(self, key: str) -> Session:
        """The session, which counts as used now. Raises SessionOverError when there is none."""
        now = self._clock()
        with self._lock:
            self._forget_silent(now)
            session = self._sessions.get(key)
            if session is None:
                raise SessionOverError
            session.used_at = now
            self._sessions.move_to_end(key)
        return session

    def close(self, key: str) -> None:
        """Forget the session, its picture and all that was made of it."""
        with self._lock:
            if key in self._sessions:
                self._end(key)

    def close_all(self) -> None:
        """Forget all of them."""
        with self._lock:
            for key in list(self._sessions):
                self._end(key)

    def forget_silent(self) -> None:
        """End the sessions whose pages have not been heard of for too long."""
        with self._lock:
            self._forget_silent(self._clock())

    def _forget_silent(self, now: float) -> None:
        while self._sessions:
            oldest = next(iter(self._sessions.values()))
            if now - oldest.used_at < 60 * self._limits.idle_minutes:
                return
            self._end(oldest.key)

    def _end(self, key: str) -> None:
        self._sessions.pop(key).cached.clear()
        self._ended(key)
