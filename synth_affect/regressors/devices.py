"""Where torch computes."""

from __future__ import annotations

from synth_affect.errors import InputError
from synth_affect.optional import import_optional


def choose_device(name: str) -> str:
    """`cpu` or `cuda`, of those and `auto`. Raises InputError when there is no GPU that was asked for."""
    there = bool(import_optional("torch", "train").cuda.is_available())
    if name == "cuda" and not there:
        raise InputError("--device", "cuda was asked for, and torch finds no GPU")
    return "cuda" if there and name != "cpu" else "cpu"
