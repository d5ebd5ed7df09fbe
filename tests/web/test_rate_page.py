"""The page of raters in a real browser: pictures one by one, on a desk and on a phone."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from synth_affect.pipelines.ratings import AnswerLog, open_study, read_answers
from synth_affect.web import rate
from tools.browser import Browser, Page, find_chromium

pytestmark = pytest.mark.skipif(find_chromium() is None, reason="no Chromium is installed")

SEEN = "document.querySelector('#picture').style.visibility === 'visible'"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[rate.RateServer]:
    for k in range(3):
        Image.fromarray(np.full((400, 300, 3), 60 * k, np.uint8)).save(tmp_path / f"{k}.png")
    with AnswerLog(tmp_path / "answers.csv") as log, rate.RateServer(open_study(tmp_path), log) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def begin(page: Page, server: rate.RateServer) -> None:
    page.open(server.url)
    page.run("document.querySelector('#rater').value = 'anna'; document.querySelector('#start button').click()")
    page.until("!document.querySelector('#rating').hidden")


def test_pictures_are_rated_by_keys_and_clicks(browser: Browser, server: rate.RateServer, tmp_path: Path) -> None:
    page = browser.page()
    begin(page, server)
    page.until(SEEN)
    for key in ("ArrowRight", "ArrowRight", "ArrowUp", "Enter"):
        page.key(key)
    page.until(f"document.querySelector('#count').textContent === '2 of 3' && {SEEN}")
    page.click("#plane")
    page.click("#next")
    page.until(f"document.querySelector('#count').textContent === '3 of 3' && {SEEN}")
    page.key("0")
    page.key("Enter")
    page.until("!document.querySelector('#end').hidden")
    answers = read_answers(tmp_path / "answers.csv")
    assert [(answer.valence, answer.arousal) for answer in answers] == [(0.2, 0.1), (0, 0), (0, 0)]
    assert page.complaints == []


def test_a_picture_is_not_rated_before_it_is_seen(
    browser: Browser, server: rate.RateServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrives, shown = threading.Event(), rate.shown

    def late(picture: object) -> bytes:
        assert arrives.wait(20)
        return shown(picture)  # type: ignore[arg-type]

    monkeypatch.setattr(rate, "shown", late)
    page = browser.page()
    begin(page, server)
    page.key("ArrowUp")
    page.click("#plane")
    assert page.run("document.querySelector('#next').disabled")
    assert page.run("document.querySelector('#picture').style.visibility") == "hidden"
    time.sleep(0.3)
    arrives.set()
    page.until(SEEN)
    page.key("ArrowUp")
    assert not page.run("document.querySelector('#next').disabled")


def test_a_phone_shows_picture_plane_and_buttons_at_once(browser: Browser, server: rate.RateServer) -> None:
    page = browser.page()
    page.resize(375, 740, phone=True, scale=2)
    begin(page, server)
    page.until(SEEN)
    assert page.run("document.documentElement.scrollWidth") <= 375
    assert page.run("document.querySelector('#next').getBoundingClientRect().bottom") <= 740
    assert page.run("document.querySelector('#plane').getBoundingClientRect().width") > 240
    assert page.run("document.querySelector('#picture').getBoundingClientRect().height") > 200
