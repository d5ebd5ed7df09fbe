"""Docstrings as Markdown. griffe itself belongs to the extra `docs`, and is stood in for where it is absent."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from types import ModuleType, SimpleNamespace

import pytest


@pytest.fixture
def lists(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    if importlib.util.find_spec("griffe") is None:
        monkeypatch.setitem(sys.modules, "griffe", SimpleNamespace(Extension=object, Object=object))
    return importlib.import_module("tools.docstring_lists")


def test_fields_become_items_and_errors_a_paragraph(lists: ModuleType) -> None:
    text = (
        "Fit it.\n\nimage : (height, width, 3), px\nname, other : what to call them\n    in errors.\nRaises FitError."
    )
    assert lists.as_markdown(text) == (
        "Fit it.\n\n\n- `image` : (height, width, 3), px\n- `name`, `other` : what to call them\n  in errors.\n\n"
        "Raises FitError."
    )


def test_fields_may_share_a_line(lists: ModuleType) -> None:
    assert lists.as_markdown("offsets : mm.  topology : of them.").split("\n") == [
        "",
        "- `offsets` : mm.",
        "- `topology` : of them.",
    ]


@pytest.mark.parametrize("text", ["One sentence: no field.", "A ratio of a : b  in text", "  indented : code"])
def test_other_text_stays(lists: ModuleType, text: str) -> None:
    assert lists.as_markdown(text) == text
