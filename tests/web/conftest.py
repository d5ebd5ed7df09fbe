"""A real browser for the pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tools.browser import Browser, BrowserError


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    try:
        with Browser() as opened:
            opened.page()
            yield opened
    except BrowserError as error:
        pytest.skip(f"Chromium does not start here ({error})")
