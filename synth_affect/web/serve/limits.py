"""How much one server takes upon itself, and how often."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from synth_affect.errors import InputError

MEGABYTE = 1 << 20
MOST_MEGABYTES = 1024
MOST_ADDRESSES = 10_000
"""Whose rates are remembered."""


class BusyError(InputError):
    """The server has as much to do as it takes upon itself; later it may not."""


@dataclass(frozen=True, slots=True)
class Limits:
    """upload_bytes, megapixels : of a picture; larger ones are refused before they are unpacked.
    sessions : open pages with a picture, whose pictures are in memory.
    idle_minutes : after so long without a sign of its page a session ends.
    uploads_a_minute, requests_a_second : of one address.
    path_frames : of an animation.

    Raises InputError for numbers that are no limits.
    """

    upload_bytes: int = 32 * MEGABYTE
    megapixels: float = 24.0
    sessions: int = 12
    idle_minutes: float = 30.0
    uploads_a_minute: int = 40
    requests_a_second: int = 240
    path_frames: int = 300

    def __post_init__(self) -> None:
        for option, value, least, most in (
            ("--max-megapixels", self.megapixels, 0.01, 134),
            ("--max-sessions", self.sessions, 1, 1000),
            ("--idle-minutes", self.idle_minutes, 0.01, 24 * 60),
        ):
            if not least <= value <= most:  # also false for NaN
                raise InputError(option, f"{value:g} is not in [{least:g}, {most:g}]")


def megabytes(count: float) -> int:
    """So many megabytes in bytes. Raises InputError for what is no number of them."""
    if not 0 < count <= MOST_MEGABYTES:  # also false for NaN
        raise InputError("--max-megabytes", f"{count:g} is not in (0, {MOST_MEGABYTES}]")
    return round(count * MEGABYTE)


class Rate:
    """A bucket an address: it holds `burst` requests and fills again at `per_second`."""

    def __init__(self, burst: int, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst, self._per_second, self._clock = float(burst), per_second, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, address: str) -> bool:
        """Whether one more request of `address` is within the rate; it is counted then."""
        now = self._clock()
        with self._lock:
            left, at = self._left.pop(address, (self._burst, now))
            left = min(self._burst, left + (now - at) * self._per_second)
            self._left[address] = (left - 1 if left >= 1 else left, now)
            while len(self._left) > MOST_ADDRESSES:
                self._left.popitem(last=False)
            return left >= 1
