"""How a copy of a database is to be read: `--database-setting NAME=VALUE`, which several commands take."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer

from synth_affect.errors import InputError

DatabaseSettingOption = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME=VALUE", help="How this copy of the database is to be read. Repeatable."),
]


def database_settings(texts: Iterable[str] | None) -> dict[str, str]:
    """The settings by name. Raises InputError for a text that is none, or a name that is there twice."""
    settings: dict[str, str] = {}
    for text in texts or ():
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise InputError("--database-setting", f"{text!r} is not NAME=VALUE")
        if name in settings:
            raise InputError("--database-setting", f"{name} is there twice")
        settings[name] = value
    return settings
