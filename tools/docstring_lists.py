"""Docstrings for the site of the documentation: lines of the form `name : shape, meaning` become items of a list.

A griffe extension, named in mkdocs.yml. In the source such lines stand one below the other; Markdown would join them.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

FIELD = re.compile(r"^(?P<names>[A-Za-z_]\w*(?:, [A-Za-z_]\w*)*) : (?P<meaning>.*)$")
NEXT_FIELD = re.compile(r"(?<=\S) {2,}(?=[A-Za-z_]\w*(?:, [A-Za-z_]\w*)* : )")
"""Short fields may share a line, two spaces apart."""
SECTION = re.compile(r"^(Returns|Raises|Source|Convention)\b")


def as_markdown(text: str) -> str:
    """The same text with a list where fields stand, and a paragraph of its own for what is returned and raised."""
    lines: list[str] = []
    within = False  # of an item, whose further lines are indented or simply go on
    for line in NEXT_FIELD.sub("\n", text).splitlines():
        field = FIELD.match(line)
        if field:
            if not within:
                lines.append("")
            names = ", ".join(f"`{name}`" for name in field["names"].split(", "))
            lines.append(f"- {names} : {field['meaning']}")
        elif SECTION.match(line):
            lines += ["", line]
        elif within and line.strip():
            lines.append(f"  {line.strip()}")
        else:
            lines.append(line)
        within = bool(field) or (within and bool(line.strip()) and not SECTION.match(line))
    return "\n".join(lines)


class DocstringLists(griffe.Extension):  # type: ignore[misc]  # griffe is in the environment of the site alone
    """Applies `as_markdown` to every docstring that is read."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Called by griffe for each module, class, function and attribute."""
        if obj.docstring:
            obj.docstring.value = as_markdown(obj.docstring.value)
