"""The picture of the page in the documentation: Chromium opens it, takes the demo's astronaut and drags the point.

python -m tools.draw_serve_page docs/serve.jpg
"""

from __future__ import annotations

import io
import sys
import threading
from pathlib import Path

from PIL import Image

from synth_affect.web.serve.server import ServeServer
from synth_affect.web.serve.studio import Studio
from tools.browser import Browser, Page

SIZE = (1320, 900)
POINT = (-0.64, -0.38)
COMPARED = 42
QUALITY = 84


def draw(page: Page, url: str) -> Image.Image:
    """The page with the astronaut, close, half before and half after."""
    page.resize(*SIZE)
    page.open(url)
    page.until("document.body.dataset.loaded")
    page.click("#example")
    page.until("document.body.dataset.state === 'ready'")
    page.click("#closer")
    valence, arousal = POINT
    end = page.place("#plane", (30 + 190 * (valence + 1)) / 440, (30 + 190 * (1 - arousal)) / 440)
    page.drag([page.place("#plane"), end])
    page.until("!document.querySelector('#read').hidden && document.querySelector('#working').hidden")
    page.run(f"const c = document.querySelector('#compare'); c.value = {COMPARED}; c.dispatchEvent(new Event('input'))")
    page.run("scrollTo(0, 0)")
    page.run("new Promise(done => setTimeout(done, 400))")  # until the picture has come closer
    return Image.open(io.BytesIO(page.picture())).convert("RGB")


def main(output: Path) -> None:
    """Serve, look, write."""
    with Studio() as studio, ServeServer(studio) as server, Browser() as browser:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            draw(browser.page(), server.url).save(output, quality=QUALITY)
        finally:
            server.shutdown()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
