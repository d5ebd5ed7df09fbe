"""What `--help` says is of one kind in all commands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import typer.main

from synth_affect.cli import app


def commands(command: Any, name: str = "synth-affect") -> Iterator[tuple[str, Any]]:
    yield name, command
    for each, child in getattr(command, "commands", {}).items():
        yield from commands(child, f"{name} {each}")


ALL = [pytest.param(command, id=name) for name, command in commands(typer.main.get_command(app))]


@pytest.mark.parametrize("command", ALL)
def test_help_is_of_one_kind(command: Any) -> None:
    assert command.help, "says what it does"
    for parameter in command.params:
        said = parameter.help or ""
        if parameter.name in ("out", "output"):
            assert "-o" in parameter.opts
        if parameter.param_type_name == "argument":
            assert parameter.metavar, f"{parameter.name} has a name for people"
            assert parameter.metavar == parameter.metavar.upper()
        else:
            assert said, f"{parameter.opts} has no help"
        assert "may be repeated" not in said, "Repeatable."
        assert said.rstrip("]")[-1:] not in (",", ";", ":")
