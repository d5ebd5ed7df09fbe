"""Chromium without a window, for tests and pictures of our own pages: its debugging protocol over a pipe, nothing else.

Source: the Chrome DevTools Protocol, version 1.3; over --remote-debugging-pipe messages are JSON that end with a NUL.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import selectors
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--mute-audio",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
)
PATIENCE_S = 60.0


def find_chromium() -> str | None:
    """The program, or None where there is none."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class BrowserError(RuntimeError):
    """The browser is not there, does not answer, or refused."""


@dataclass(eq=False)
class Page:
    """One tab. complaints : what its console and its scripts complained of."""

    browser: Browser
    session: str
    context: str
    complaints: list[str] = field(default_factory=list)

    def send(self, method: str, **parameters: Any) -> Any:
        """A command of the protocol; returns its result."""
        return self.browser.send(method, self.session, **parameters)

    def open(self, url: str) -> None:
        """Go there, and wait until it is loaded."""
        self.send("Page.navigate", url=url)
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    def run(self, script: str) -> Any:
        """The value of an expression, awaited where it is a promise."""
        answer = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise BrowserError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def until(self, condition: str, seconds: float = PATIENCE_S) -> None:
        """Wait until the expression is true."""
        end = time.monotonic() + seconds
        while not self.run(f"Boolean({condition})"):
            if time.monotonic() > end:
                raise BrowserError(f"not within {seconds:g} s: {condition}")
            time.sleep(0.02)

    def place(self, selector: str, across: float = 0.5, down: float = 0.5) -> tuple[float, float]:
        """A point of an element, which is scrolled into view: shares of its width and height."""
        box = self.run(
            f"(e => {{ e.scrollIntoView({{block: 'nearest'}}); const b = e.getBoundingClientRect();"
            f" return [b.left, b.top, b.width, b.height]; }})(document.querySelector({json.dumps(selector)}))"
        )
        return box[0] + across * box[2], box[1] + down * box[3]

    def mouse(self, kind: str, at: tuple[float, float], held: bool = False) -> None:
        """One of pressed, moved, released."""
        button = "none" if kind == "moved" and not held else "left"
        self.send(
            "Input.dispatchMouseEvent",
            type={"pressed": "mousePressed", "moved": "mouseMoved", "released": "mouseReleased"}[kind],
            x=at[0],
            y=at[1],
            button=button,
            buttons=1 if held or kind == "pressed" else 0,
            clickCount=0 if kind == "moved" else 1,
        )

    def click(self, selector: str) -> None:
        """The middle of an element."""
        at = self.place(selector)
        for kind in ("moved", "pressed", "released"):
            self.mouse(kind, at)

    def drag(self, points: Sequence[tuple[float, float]], pause_s: float = 0.01) -> None:
        """Press at the first point, go through the others, release at the last."""
        self.mouse("moved", points[0])
        self.mouse("pressed", points[0])
        for point in points[1:]:
            self.mouse("moved", point, held=True)
            time.sleep(pause_s)
        self.mouse("released", points[-1])

    def key(self, name: str) -> None:
        """Press and release a key, such as ArrowUp or Enter."""
        text = {"text": "\r"} if name == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=name, code=name, **text)

    def give_files(self, selector: str, *files: Path) -> None:
        """Choose files in an <input type=file>."""
        root = self.send("DOM.getDocument")["root"]["nodeId"]
        node = self.send("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.send("DOM.setFileInputFiles", nodeId=node, files=[str(file) for file in files])

    def resize(self, width: int, height: int, *, phone: bool = False, dark: bool = False, scale: float = 1) -> None:
        """The size of the page in CSS pixels; as a phone has it, in the dark."""
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=phone
        )
        self.send("Emulation.setTouchEmulationEnabled", enabled=phone)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])

    def picture(self, *, whole: bool = False) -> bytes:
        """PNG of what is seen, or of the whole page."""
        return base64.b64decode(self.send("Page.captureScreenshot", captureBeyondViewport=whole)["data"])

    def save_downloads(self, folder: Path) -> None:
        """Without asking."""
        self.browser.send(
            "Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder), browserContextId=self.context
        )


class Browser:
    """A browser of its own, with a profile that is gone afterwards. A context manager.

    Raises BrowserError when there is no Chromium, or it does not start.
    """

    def __init__(self, flags: Sequence[str] = ()) -> None:
        program = find_chromium()
        if program is None:
            raise BrowserError(f"none of {', '.join(NAMES)} is installed")
        self._profile = TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True)
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        as_root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []

        def as_three_and_four() -> None:  # where the browser looks for its pipe
            os.dup2(os.dup(theirs_in), 3)
            os.dup2(os.dup(theirs_out), 4)

        self._process = subprocess.Popen(
            [program, *FLAGS, *as_root, *flags, f"--user-data-dir={self._profile.name}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(3, 4),
            preexec_fn=as_three_and_four,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._in, self._out = ours_in, ours_out
        self._pending, self._number = b"", 0
        self._pages: dict[str, Page] = {}
        self._ready = selectors.DefaultSelector()
        self._ready.register(self._in, selectors.EVENT_READ)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End it."""
        with contextlib.suppress(BrowserError, OSError):
            self.send("Browser.close")
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._ready.close()
        os.close(self._in)
        os.close(self._out)
        self._profile.cleanup()

    def page(self) -> Page:
        """A new tab."""
        context = self.send("Target.createBrowserContext")["browserContextId"]
        target = self.send("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = self._pages[session] = Page(self, session, context)
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.send(f"{domain}.enable")
        return page

    def send(self, method: str, session: str | None = None, **parameters: Any) -> Any:
        """A command, to the browser or to one of its pages; returns its result."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        content = json.dumps(message).encode() + b"\0"
        while content:
            content = content[os.write(self._out, content) :]
        for answer in self._messages(method):
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error'].get('message')}")
                return answer.get("result", {})
        raise BrowserError(f"{method}: the browser has gone away")

    def _messages(self, method: str) -> Iterator[dict[str, Any]]:
        end = time.monotonic() + PATIENCE_S
        while True:
            while b"\0" in self._pending:
                first, _, self._pending = self._pending.partition(b"\0")
                message = json.loads(first)
                self._hear(message)
                yield message
            if not self._ready.select(max(0.0, end - time.monotonic())):
                raise BrowserError(f"{method}: no answer within {PATIENCE_S:g} s")
            read = os.read(self._in, 1 << 20)
            if not read:
                return
            self._pending += read

    def _hear(self, message: dict[str, Any]) -> None:
        page, said = self._pages.get(message.get("sessionId", "")), message.get("params", {})
        if page is None:
            return
        match message.get("method"):
            case "Runtime.exceptionThrown":
                details = said["exceptionDetails"]
                page.complaints.append(str(details.get("exception", {}).get("description") or details.get("text")))
            case "Runtime.consoleAPICalled" if said["type"] in ("error", "warning", "assert"):
                page.complaints.append(f"console.{said['type']}: {[each.get('value') for each in said['args']]}")
            case "Log.entryAdded" if said["entry"]["level"] in ("error", "warning"):
                page.complaints.append(f"{said['entry']['text']} {said['entry'].get('url', '')}")
