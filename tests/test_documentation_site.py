"""The site of the documentation, without building it: all pages in the navigation, all links and pictures there."""

from __future__ import annotations

import importlib
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.main

from synth_affect.cli import app
from tests.documented import ROOT
from tools import draw_concepts

yaml = pytest.importorskip("yaml", reason="mkdocs.yml is YAML")

DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
REFERENCE = re.compile(r"^::: (\S+)$", flags=re.MULTILINE)


@cache
def site() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))
    return found


def in_navigation(entry: Any) -> Iterator[str]:
    if isinstance(entry, str):
        yield entry
    else:
        for part in entry.values() if isinstance(entry, dict) else entry:
            yield from in_navigation(part)


def prose(page: Path) -> str:
    """The page without fenced blocks and code."""
    text = re.sub(r"^ *```.*?^ *```", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`]*`", "", text)


def links(page: Path) -> list[str]:
    # The text of a link may be code, so its brackets are looked for before code is taken out.
    text = re.sub(r"^ *```.*?^ *```", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    return [link for link in LINK.findall(text) if not re.match(r"[a-z]+:", link)]


def anchors(page: Path) -> set[str]:
    """What a link may have behind its `#`: headings as Markdown names them, and objects of the API."""
    text = re.sub(r"^ *```.*?^ *```", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower()) for heading in headings}


def documented(page: Path, name: str) -> bool:
    """Whether `name` is an object of a module of the page."""
    for module in REFERENCE.findall(page.read_text("utf-8")):
        if name.startswith(f"{module}."):
            return hasattr(importlib.import_module(module), name.removeprefix(f"{module}.").split(".")[0])
    return False


def test_the_navigation_names_every_page_once() -> None:
    assert sorted(in_navigation(site()["nav"])) == [page.relative_to(DOCS).as_posix() for page in PAGES]


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_and_pictures_are_there(page: Path) -> None:
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if page.parent != ROOT:
            assert target.is_relative_to(DOCS), f"{link} leaves the site"
        if anchor:
            assert anchor in anchors(target) or documented(target, anchor), link


@pytest.mark.parametrize("page", sorted((DOCS / "api").glob("*.md")), ids=lambda page: page.stem)
def test_modules_of_the_reference_exist(page: Path) -> None:
    for module in REFERENCE.findall(page.read_text("utf-8")):
        assert (ROOT / module.replace(".", "/")).with_suffix(".py").is_file(), module


def test_every_command_has_its_line() -> None:
    said = set(re.findall(r"`([^`]+)`", (DOCS / "commands.md").read_text("utf-8")))
    assert set(commands(typer.main.get_command(app))) - said == set()


def commands(command: Any, before: str = "") -> Iterator[str]:
    for name, child in command.commands.items():
        if child.hidden:
            continue
        if hasattr(child, "commands"):
            yield from commands(child, f"{before}{name} ")
        else:
            yield f"{before}{name}"


def test_the_site_asks_nothing_of_others() -> None:
    assert site()["theme"]["font"] is False
    assert "offline" not in site()["plugins"]  # its pages load a script from elsewhere
    for page in PAGES:
        assert not re.search(r"!\[[^\]]*\]\(https?:|<script|```mermaid", prose(page)), page


def test_diagrams_are_as_their_tool_draws_them(tmp_path: Path) -> None:
    draw_concepts.draw_diagrams(tmp_path)
    for name in (draw_concepts.PLANE, draw_concepts.WAY):
        drawn = (tmp_path / name).read_text("utf-8")
        assert drawn == (DOCS / name).read_text("utf-8")
        ET.fromstring(drawn)
