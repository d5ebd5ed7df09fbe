"""The page in a real browser: pictures given, points dragged, faces chosen, paths drawn, files taken home."""

from __future__ import annotations

import base64
import io
import json
import math
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageSequence

from synth_affect.web.serve.server import ServeServer
from synth_affect.web.serve.studio import Studio
from tools.browser import Browser, Page, find_chromium

pytestmark = pytest.mark.skipif(find_chromium() is None, reason="no Chromium is installed")

READY = "document.body.dataset.state === 'ready'"
DRAWN = "!document.querySelector('#read').hidden && document.querySelector('#working').hidden"
EDITED = "document.querySelector('#after').toDataURL()"


@pytest.fixture
def page(browser: Browser, server: ServeServer) -> Iterator[Page]:
    page = browser.page()
    page.resize(1280, 800)
    page.open(server.url)
    page.until("document.body.dataset.loaded")
    yield page
    page.open("about:blank#over")
    assert page.complaints == []


def drag(page: Page, valence: float, arousal: float) -> None:
    """From where the point is; ends when the result is drawn and read."""
    page.run("document.querySelector('#read').hidden = true")
    x, y = page.run(
        "[Number(document.querySelector('#valence').value), Number(document.querySelector('#arousal').value)]"
    )
    steps = [page.place("#plane", *at(x + k / 8 * (valence - x), y + k / 8 * (arousal - y))) for k in range(9)]
    page.drag(steps)
    page.until(DRAWN)


def at(valence: float, arousal: float) -> tuple[float, float]:
    """As shares of the plane's width and height."""
    return (30 + 190 * (valence + 1)) / 440, (30 + 190 * (1 - arousal)) / 440


def test_a_picture_is_given_and_its_face_follows_four_points(page: Page, face: bytes, tmp_path: Path) -> None:
    (tmp_path / "anna.png").write_bytes(face)
    page.give_files("#file", tmp_path / "anna.png")
    page.until(READY)
    assert page.run("document.querySelector('#after').hidden"), "the photograph, until something is asked for"
    seen = []
    for valence, arousal in ((0.7, 0.4), (-0.6, -0.4), (-0.5, 0.6), (0.4, -0.7)):
        drag(page, valence, arousal)
        assert abs(page.run("Number(document.querySelector('#valence').value)") - valence) < 0.02
        assert abs(page.run("Number(document.querySelector('#arousal').value)") - arousal) < 0.02
        seen.append(page.run(EDITED))
    assert len(set(seen)) == 4
    assert page.run("document.querySelectorAll('#readings tr').length") >= 7
    assert "--valence 0.4" in page.run("document.querySelector('#command').textContent")


def test_the_second_of_two_faces_is_chosen_by_a_click(page: Page, two_faces: Path) -> None:
    page.give_files("#file", two_faces)
    page.until(READY)
    assert page.run("document.querySelectorAll('#faces button').length") == 2
    left = "parseFloat(document.querySelector('#after').style.left)"
    drag(page, 0.6, 0.5)
    assert page.run(left) < 30
    page.click("#faces button:nth-child(2)")
    page.until(f"{DRAWN} && {left} > 45")
    assert page.run("[...document.querySelectorAll('#faces button')].map(b => b.ariaPressed).join()") == "false,true"


def test_a_path_is_drawn_played_and_taken_home(page: Page, browser: Browser, tmp_path: Path) -> None:
    page.save_downloads(tmp_path)
    page.click("#example")
    page.until(READY)
    page.click("#draw")
    page.run("document.querySelector('#seconds').value = 0.5; document.querySelector('#fps').value = 8")
    page.drag([page.place("#plane", *at(0.8 * math.cos(k / 5), 0.8 * math.sin(k / 5))) for k in range(16)])
    corners = int(page.run("document.querySelector('#way').textContent").split()[0])
    assert 3 <= corners < 12, "a trail has few corners"
    page.until(DRAWN)
    page.run("document.querySelector('[data-make=gif]').click()")
    film = arrived(tmp_path, "astronaut_path.gif")
    assert len(list(ImageSequence.Iterator(Image.open(io.BytesIO(film))))) >= 3
    page.run("document.querySelector('[data-make=picture]').click()")
    picture = arrived(tmp_path, "astronaut_v*.png")
    assert Image.open(io.BytesIO(picture)).size == (512, 512)
    assert b"compositeSynthetic" in picture


def arrived(folder: Path, pattern: str) -> bytes:
    """A file that is downloaded, once it is whole."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        for path in folder.glob(pattern):
            if not list(folder.glob("*.crdownload")) and path.stat().st_size:
                return path.read_bytes()
        time.sleep(0.05)
    raise AssertionError(f"no {pattern} among {sorted(path.name for path in folder.iterdir())}")


def test_it_can_be_used_without_a_mouse(page: Page) -> None:
    page.run("document.querySelector('#example').focus()")
    page.key("Enter")
    page.until(READY)
    page.run("document.querySelector('#plane').focus()")
    for name in ("ArrowRight", "ArrowRight", "ArrowUp"):
        page.key(name)
    page.until(DRAWN)
    assert (
        page.run("document.querySelector('#valence').value + ' ' + document.querySelector('#arousal').value")
        == "0.20 0.10"
    )
    first = page.run(EDITED)
    page.run("document.querySelector('#intensity').focus()")
    for _ in range(10):
        page.key("ArrowRight")
    page.until(f"{EDITED} !== {first!r}")
    page.run("document.querySelector('#compare').focus()")
    page.key("ArrowRight")
    assert page.run("document.querySelector('#line').style.left") != "0%"
    nameless = page.run(
        "[...document.querySelectorAll('button, input, select, a')].filter(e => e.offsetParent &&"
        " !(e.textContent.trim() || e.ariaLabel || e.labels?.length)).map(e => e.outerHTML)"
    )
    assert nameless == []


def test_a_phone_has_room_for_it(page: Page) -> None:
    page.resize(375, 740, phone=True, scale=2)
    page.click("#example")
    page.until(READY)
    page.run("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    page.click("#draw")
    assert page.run("document.documentElement.scrollWidth") <= 375
    page.click("#draw")
    page.run("scrollTo(0, 0)")
    assert page.run("document.querySelector('#plane').getBoundingClientRect().width") > 300
    drag(page, 0.7, 0.4)
    assert page.run("document.querySelector('#frame').getBoundingClientRect().bottom") < 400, (
        "the picture stays in sight"
    )
    small = page.run(
        "[...document.querySelectorAll('button, select, input[type=number]')].filter(e => e.offsetParent"
        " && e.getBoundingClientRect().height < 34 && !e.closest('#problem')).map(e => e.outerHTML)"
    )
    assert small == []


GIVE = """
(kind => fetch('/icon.svg').then(() => {
  const bytes = Uint8Array.from(atob(CONTENT), letter => letter.charCodeAt(0)), all = new DataTransfer();
  all.items.add(new File([bytes], 'given.png', { type: 'image/png' }));
  dispatchEvent(kind === 'drop' ? new DragEvent('drop', { dataTransfer: all, cancelable: true })
    : new ClipboardEvent('paste', { clipboardData: all, cancelable: true }));
}))
"""


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_a_picture_is_dropped_or_pasted(page: Page, face: bytes, kind: str) -> None:
    content = json.dumps(base64.b64encode(face).decode())
    page.run(f"{GIVE.replace('CONTENT', content)}({kind!r})")
    page.until(READY)
    assert page.run("document.querySelector('#before').naturalWidth") == 256


def test_the_camera_is_asked(page: Page) -> None:
    """The browser's own false camera shows a pattern, in which there is no face."""
    page.click("#camera")
    page.until("document.querySelector('#webcam').open && document.querySelector('#webcam video').videoWidth > 0")
    page.click("#webcam button[value=take]")
    page.until("!document.querySelector('#problem').hidden")
    assert page.run("document.querySelector('#problem span').textContent") == "camera.jpg: no face was found in it."
    assert not page.run("document.querySelector('#webcam').open")
    page.complaints.clear()  # the browser itself notes the refusal in its console


def test_what_is_wrong_is_said_in_the_page(page: Page, tmp_path: Path) -> None:
    (tmp_path / "notes.png").write_bytes(b"no picture at all")
    page.give_files("#file", tmp_path / "notes.png")
    page.until("!document.querySelector('#problem').hidden")
    said = page.run("document.querySelector('#problem span').textContent")
    assert said.startswith("notes.png: not a picture")
    assert page.run("document.body.dataset.state") == "empty"
    page.complaints.clear()  # the browser itself notes the refusal in its console


def test_what_stands_still_is_what_was_asked_last(page: Page, browser: Browser) -> None:
    page.click("#example")
    page.until(READY)
    page.run("(c => { c.value = 'fear'; c.dispatchEvent(new Event('change')); })(document.querySelector('#category'))")
    page.until(DRAWN)
    page.click("#draw")
    page.run("document.querySelector('#seconds').value = 0.5")
    page.drag([page.place("#plane", *at(valence, 0.4)) for valence in (-0.4, 0, 0.4, 0.7)])
    page.until("document.querySelector('#play').textContent === 'Play'")
    page.until(f"{DRAWN} && !document.querySelector('#read').classList.contains('old')")
    assert page.run("document.querySelector('#category').value") == "", "on a path the place alone counts"
    assert page.run("document.querySelector('#asked').textContent") == "Asked: valence +0.70, arousal +0.40."
    assert "--category" not in page.run("document.querySelector('#command').textContent")
    on_path = page.run(EDITED)
    page.run(
        "for (const id of ['valence', 'arousal']) document.querySelector('#' + id).dispatchEvent(new Event('change'))"
    )
    page.until(DRAWN)
    assert page.run(EDITED) == on_path
    # A picture that is being drawn when all is reset does not come after.
    page.run(
        "document.querySelector('#intensity').dispatchEvent(new Event('change'));"
        " document.querySelector('#reset').click()"
    )
    page.run("new Promise(done => setTimeout(done, 1500))")
    assert page.run("document.querySelector('#after').hidden && document.querySelector('#read').hidden")
    page.run("document.querySelector('#again').click()")
    page.click("#example")
    page.until(READY)
    assert page.run("document.querySelector('#path').hidden"), "a new picture begins without a path"


def test_a_seed_is_a_whole_number_or_none(page: Page) -> None:
    page.click("#example")
    page.until(READY)
    said = page.run(
        "['7', '-3', '2.7', '1e30'].map(text => { const seed = document.querySelector('#sample'); seed.value = text;"
        " document.querySelector('#grid').value = 'default'; seed.dispatchEvent(new Event('change'));"
        " return seed.value; }).join()"
    )
    assert said == "7,,2,"
    page.until(DRAWN)
    assert page.run("document.querySelector('#problem').hidden")


def test_what_is_dropped_and_no_file_is_said(page: Page) -> None:
    page.run("dispatchEvent(new DragEvent('drop', { dataTransfer: new DataTransfer(), cancelable: true }))")
    assert page.run("document.querySelector('#problem span').textContent").startswith("That is no file.")


def test_a_server_that_is_gone_is_said(browser: Browser, studio: Studio) -> None:
    page = browser.page()
    with ServeServer(studio) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        page.open(server.url)
        page.until("document.body.dataset.loaded")
        page.click("#example")
        page.until(READY)
        server.shutdown()
        thread.join()
        server.sessions.close_all()
    page.run("document.querySelector('#intensity').dispatchEvent(new Event('change'))")
    page.until("!document.querySelector('#problem').hidden")
    said = page.run("document.querySelector('#problem span').textContent")
    # A connection that was kept open is still answered; a new one is not.
    assert said in (
        "The server does not answer. Is it still running?",
        "The picture is forgotten by now; give it once more.",
    )


def test_the_page_forgets_when_it_is_left(page: Page, server: ServeServer) -> None:
    before = len(server.sessions)
    page.click("#example")
    page.until(READY)
    assert len(server.sessions) == before + 1
    page.open("about:blank#left")
    end = time.monotonic() + 20
    while len(server.sessions) > before and time.monotonic() < end:
        time.sleep(0.02)
    assert len(server.sessions) == before
