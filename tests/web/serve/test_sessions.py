"""Sessions end when their page does, when they fall silent, and when there is no room."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from synth_affect.data.picture import Picture
from synth_affect.web.serve.intake import Upload
from synth_affect.web.serve.limits import BusyError, Limits
from synth_affect.web.serve.sessions import RECENT_S, Session, SessionOverError, SessionStore, SupersededError


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ended() -> list[str]:
    return []


@pytest.fixture
def store(clock: Clock, ended: list[str]) -> SessionStore:
    return SessionStore(Limits(sessions=2, idle_minutes=10), ended.append, clock)


def opened(store: SessionStore) -> Session:
    pixels = np.zeros((4, 4, 3), np.uint8)
    return store.open(Upload(Picture(pixels, None, None, None, "PNG", Path("a.png")), b"", "", "a.png", pixels), ())


def test_keys_are_long_and_lead_to_their_own_session(store: SessionStore) -> None:
    one, other = opened(store), opened(store)
    assert one.key != other.key
    assert min(len(one.key), len(other.key)) >= 32
    assert store.get(one.key) is one
    assert store.get(other.key) is other


def test_a_closed_session_is_over_and_its_cache_is_empty(store: SessionStore, ended: list[str]) -> None:
    session = opened(store)
    session.cached["scene"] = 1
    store.close(session.key)
    store.close(session.key)
    assert not session.cached
    assert ended == [session.key]
    with pytest.raises(SessionOverError):
        store.get(session.key)


def test_a_silent_session_ends(store: SessionStore, clock: Clock) -> None:
    silent, heard = opened(store), opened(store)
    clock.now = 590
    store.get(heard.key)
    clock.now = 601
    store.forget_silent()
    assert len(store) == 1
    with pytest.raises(SessionOverError):
        store.get(silent.key)
    assert store.get(heard.key) is heard


def test_the_one_unused_for_longest_makes_room_but_none_in_use_does(store: SessionStore, clock: Clock) -> None:
    first, second = opened(store), opened(store)
    with pytest.raises(BusyError, match="2 people"):
        opened(store)
    clock.now = RECENT_S + 1
    store.get(first.key)
    third = opened(store)
    assert store.get(first.key) is first
    assert store.get(third.key) is third
    with pytest.raises(SessionOverError):
        store.get(second.key)


def test_of_requests_that_wait_only_the_latest_is_drawn(store: SessionStore) -> None:
    session, drawn, dropped = opened(store), [], []

    def ask(number: int) -> None:
        try:
            with session.turn(number, full=False):
                drawn.append(number)
        except SupersededError:
            dropped.append(number)

    with session.turn(0, full=False):
        threads = [threading.Thread(target=ask, args=(number,)) for number in (1, 2, 3)]
        for number, thread in enumerate(threads, start=1):
            thread.start()
            while session.newest < number:
                pass
    for thread in threads:
        thread.join()
    assert drawn == [3]
    assert sorted(dropped) == [1, 2]


def test_a_preview_does_not_wait_for_a_picture_in_full_size(store: SessionStore) -> None:
    session = opened(store)
    with session.turn(1, full=True), session.turn(2, full=False):
        pass
    with pytest.raises(SupersededError), session.turn(1, full=False):
        pass
