"""What commands show while they work and when they are done."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import typer

T = TypeVar("T")


def with_progress(items: Iterable[T], count: int | None, description: str = "drawing") -> Iterator[T]:
    """The items; meanwhile a bar on stderr where that is a terminal.

    count : how many there will be; None where nobody knows.
    """
    if not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        yield from progress.track(items, total=count, description=description)


def print_summary(summary: dict[str, Any], as_json: bool) -> None:
    """On stdout: where the output is, and where fits were refined; or everything as JSON."""
    if as_json:
        typer.echo(json.dumps(summary, indent=2))
        return
    devices = {face["refinement"]["device"] for face in summary.get("faces", []) if "refinement" in face}
    typer.echo(f"wrote {summary['output']}" + "".join(f", refined on {device}" for device in sorted(devices)))
