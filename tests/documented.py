"""The command lines that stand in the README and in docs, each with its place."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
SHELLS = ("sh", "bash", "console", "shell")
OURS = "synth-affect"
COMMANDS = (OURS, "python", "make", "pip")
"""First words of commands in blocks that do not say in which language they are."""


@dataclass(frozen=True, slots=True)
class Line:
    """place : README.md:35.  words : of one command; what a shell would put in for `$(...)` and `$NAME` is left out.
    mentioned : within a sentence or a table, where what it needs besides may be left out.
    """

    place: str
    words: tuple[str, ...]
    mentioned: bool = False

    @property
    def arguments(self) -> list[str]:
        """Without the name of the program."""
        return list(self.words[1:])

    def __str__(self) -> str:
        return f"{self.place} {' '.join(self.words)}"


def command_lines() -> Iterator[Line]:
    """All of fenced blocks, and of code within text the commands with options."""
    for page in PAGES:
        name = page.relative_to(ROOT).as_posix()
        for number, language, text in _fenced(page.read_text("utf-8")):
            if language in SHELLS or (not language and text.startswith(COMMANDS)):
                for words in _split(text):
                    yield Line(f"{name}:{number}", words)
        for number, line in enumerate(_without_fences(page.read_text("utf-8")), start=1):
            for code in re.findall(rf"`({OURS} (?:[^`]* )?-{{1,2}}[a-z][^`]*)`", line):
                if "..." not in code:
                    yield from (Line(f"{name}:{number}", words, mentioned=True) for words in _split(code))


def python_blocks() -> Iterator[tuple[str, str]]:
    """Place and code of every fenced block of Python."""
    for page in PAGES:
        for found in re.finditer(r"^```python\n(.*?)^```", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL):
            number = page.read_text("utf-8").count("\n", 0, found.start()) + 1
            yield f"{page.relative_to(ROOT).as_posix()}:{number}", found[1]


def _fenced(text: str) -> Iterator[tuple[int, str, str]]:
    """Line number, language and text of every line in a fenced block; lines that go on are joined."""
    language: str | None = None
    begun = ""
    for number, line in enumerate(text.splitlines(), start=1):
        fence = re.match(r"\s*```(\w*)", line)
        if fence:
            language = fence[1] if language is None else None
        elif language is not None:
            if line.endswith("\\"):
                begun += line[:-1] + " "
            else:
                yield number, language, (begun + line).strip()
                begun = ""


def _without_fences(text: str) -> list[str]:
    inside, lines = False, []
    for line in text.splitlines():
        fence = bool(re.match(r"\s*```", line))
        lines.append("" if inside or fence else line)
        inside ^= fence
    return lines


def _split(text: str) -> Iterator[tuple[str, ...]]:
    """The commands of a line, as a shell takes it apart."""
    plain = re.sub(r"<[^>]*>", "PLACE", re.sub(r"\$\([^)]*\)|\$\w+", "VALUE", text.removeprefix("$ ")))
    parts = shlex.shlex(plain, posix=True, punctuation_chars=True)
    parts.whitespace_split = True
    words: list[str] = []
    for word in [*parts, ";"]:
        if word in ("&&", "||", "|", ";", "&"):
            if words:
                yield tuple(words)
            words = []
        else:
            words.append(word)
