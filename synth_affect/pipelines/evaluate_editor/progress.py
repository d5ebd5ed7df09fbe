"""How the steps of an evaluation show that they go on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

Progress = Callable[[Iterable[Any], int | None, str], Iterable[Any]]
"""The items again, from them, their count if it is known, and what is done with them."""


def silent(items: Iterable[Any], count: int | None, description: str) -> Iterable[Any]:
    """Shows nothing."""
    return items
