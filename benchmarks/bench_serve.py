"""From a drag to the preview: `synth-affect serve` asked over sockets and in Chromium, by one user and by three.

    python -m benchmarks.bench_serve

The bars: one user sees the preview of a 512 px picture after 150 ms (median) and 300 ms (95th percentile), three users
at once after less than twice that. Wall time is what a user waits; beside it stands the processor time that the server
took for one preview, which does not depend on what else the machine does.
"""

from __future__ import annotations

import io
import json
import os
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from benchmarks._timing import arguments, surroundings
from synth_affect.pipelines.demo_picture import find_demo_picture
from tools.browser import Browser, Page, find_chromium

MEDIAN_MS, P95_MS, USERS = 150.0, 300.0, 3
POINTS = [(0.8, 0.4), (0.5, 0.7), (0.0, 0.8), (-0.5, 0.7), (-0.7, 0.2), (-0.6, -0.4), (0.0, -0.7), (0.6, -0.4)]
WATCH = """
window.seen = []; window.asked = null;
addEventListener('pointermove', event => {
  if (event.buttons && window.asked === null) window.asked = performance.now();
}, true);
const draw = CanvasRenderingContext2D.prototype.drawImage;
CanvasRenderingContext2D.prototype.drawImage = function (...all) {
  draw.apply(this, all);
  if (window.asked !== null) { window.seen.push(performance.now() - window.asked); window.asked = null; }
};
"""


@dataclass(frozen=True, slots=True)
class Waits:
    """What users waited for previews, ms, and what the server's processor did for one, ms."""

    name: str
    wall_ms: tuple[float, ...]
    cpu_ms: float

    @property
    def median(self) -> float:
        return statistics.median(self.wall_ms)

    @property
    def p95(self) -> float:
        return sorted(self.wall_ms)[round(0.95 * (len(self.wall_ms) - 1))]


@dataclass(frozen=True, slots=True)
class Served:
    """A server of its own process."""

    process: subprocess.Popen[str]
    port: int

    def cpu_ms(self) -> float:
        """That it has taken up to now."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return 1e3 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def served() -> Iterator[Served]:
    """The command, on any port that is free."""
    command = [sys.executable, "-m", "synth_affect", "serve", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            line = process.stderr.readline()
            yield Served(process, int(line.split("127.0.0.1:")[1].split("/")[0]))
        finally:
            process.send_signal(signal.SIGINT)


class User:
    """A page of its own, without a browser; one connection for all."""

    def __init__(self, port: int, picture: bytes) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=60)
        self._key = json.loads(self._ask("/picture", picture))["session"]
        self._number = 0

    def _ask(self, path: str, body: bytes, **headers: str) -> bytes:
        self._connection.request("POST", path, body, headers)
        reply = self._connection.getresponse()
        content = reply.read()
        assert reply.status == 200, content
        return content

    def drag(self, count: int) -> list[float]:
        """Waits for previews, ms, one after the other."""
        waits = []
        for k in range(count):
            (a, b), (c, d) = POINTS[k // 4 % len(POINTS)], POINTS[(k // 4 + 1) % len(POINTS)]
            share = k % 4 / 4
            self._number += 1
            asked = {"number": self._number, "valence": a + share * (c - a), "arousal": b + share * (d - b)}
            body = json.dumps(asked).encode()
            start = time.perf_counter()
            self._ask("/draw", body, **{"X-Session": self._key})
            waits.append(1e3 * (time.perf_counter() - start))
        return waits

    def leave(self) -> None:
        self._ask("/close", self._key.encode())
        self._connection.close()


def over_sockets(server: Served, name: str, picture: bytes, users: int, count: int) -> Waits:
    """`users` at once, each dragging without a pause."""
    pages = [User(server.port, picture) for _ in range(users)]
    for page in pages:
        page.drag(4)
    waits: list[float] = []
    threads = [threading.Thread(target=lambda page=page: waits.extend(page.drag(count))) for page in pages]
    before = server.cpu_ms()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cpu = (server.cpu_ms() - before) / (users * count)
    for page in pages:
        page.leave()
    return Waits(name, tuple(waits), cpu)


def in_browsers(server: Served, name: str, picture: bytes, users: int, count: int) -> Waits:
    """The same in Chromium: from the movement of the mouse to pixels on the canvas; a tab a user."""
    with Browser() as browser, TemporaryDirectory() as folder:
        file = Path(folder) / "face.png"
        file.write_bytes(picture)
        pages = [browser.page() for _ in range(users)]
        for page in pages:
            page.open(f"http://127.0.0.1:{server.port}/")
            page.until("document.body.dataset.loaded")
            page.give_files("#file", file)
            page.until("document.body.dataset.state === 'ready'")
            page.run(WATCH)
            page.mouse("pressed", page.place("#plane"))
        _move(pages, 4)
        for page in pages:
            page.run("window.seen = []")
        before = server.cpu_ms()
        _move(pages, count)
        cpu = server.cpu_ms() - before
        waits = [wait for page in pages for wait in page.run("window.seen")]
    return Waits(name, tuple(waits), cpu / max(len(waits), 1))


def _move(pages: Sequence[Page], count: int) -> None:
    for k in range(count):
        valence, arousal = POINTS[k % len(POINTS)]
        across, down = (30 + 190 * (valence + 1)) / 440, (30 + 190 * (1 - arousal)) / 440
        for page in pages:
            page.mouse("moved", page.place("#plane", across, down), held=True)
        for page in pages:
            page.until("window.asked === null")


def pictures() -> dict[str, bytes]:
    """Encoded as PNG: the demo as it is, and a face that fills a large picture, whose window is reduced to 512 px."""
    portrait = Image.open(find_demo_picture()).convert("RGB")
    close = portrait.crop((140, 20, 310, 230)).resize((1360, 1680), Image.Resampling.LANCZOS)
    encoded = {}
    for name, image in (("portrait of 512 x 512", portrait), ("face that fills 1360 x 1680", close)):
        file = io.BytesIO()
        image.save(file, "PNG")
        encoded[name] = file.getvalue()
    return encoded


WAYS = {over_sockets: "over sockets", in_browsers: "in Chromium"}
WIDTH = 44


def main() -> None:
    """Measure and print."""
    options = arguments(__doc__, repeats=60).parse_args()
    context = surroundings(["opencv-contrib-python", "numba"])
    print(f"{context['processor']}, {context['cores']} cores, load before: {context['load_1_min']}")
    print(f"{'':{WIDTH}}  {'median':>8}  {'p95':>8}  {'server CPU':>11}  ms")
    rows = []
    with served() as server:
        for name, picture in pictures().items():
            for measure, where in WAYS.items():
                if measure is in_browsers and find_chromium() is None:
                    continue
                for users in (1, USERS):
                    row = measure(server, f"{name}, {users} {where}", picture, users, options.repeats)
                    bar = 1 if users == 1 else 2
                    within = row.median <= bar * MEDIAN_MS and row.p95 <= bar * P95_MS
                    figures = f"{row.median:8.1f}  {row.p95:8.1f}  {row.cpu_ms:11.1f}"
                    print(f"{row.name:{WIDTH}}  {figures}  {'within' if within else 'BEYOND'} the bar", flush=True)
                    rows.append(row)
    if options.json is not None:
        found = [{"name": row.name, "median_ms": row.median, "p95_ms": row.p95, "cpu_ms": row.cpu_ms} for row in rows]
        options.json.write_text(json.dumps({"surroundings": context, "rows": found}, indent=2) + "\n")


if __name__ == "__main__":
    main()
