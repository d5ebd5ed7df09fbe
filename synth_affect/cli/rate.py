"""`synth-affect rate ...`: people say what they see in edited pictures."""

from __future__ import annotations

import contextlib
import json
import signal
from pathlib import Path
from typing import Annotated

import typer

from synth_affect.cli.options import JsonOption, count
from synth_affect.cli.progress import with_progress
from synth_affect.errors import InputError

MAX_PORT = 65535

rate_app = typer.Typer(help="People say what they see in edited pictures.")


def add_commands(app: typer.Typer) -> None:
    """Register the family."""
    rate_app.command()(serve)
    rate_app.command()(report)
    app.add_typer(rate_app, name="rate")


def serve(
    pictures: Annotated[
        Path, typer.Argument(metavar="FOLDER|MANIFEST", help="Edited pictures, or a manifest.json of them.")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The CSV file to which answers are added.", show_default=False)
    ] = None,
    port: Annotated[int, typer.Option(parser=count, metavar="COUNT", help="0 for any that is free.")] = 8765,
    host: Annotated[
        str, typer.Option(help="The address to listen on; another opens the page to the network.")
    ] = "127.0.0.1",
    seed: Annotated[int, typer.Option(parser=count, metavar="COUNT", help="Of the orders, one a rater.")] = 0,
) -> None:
    """Show pictures blind, one by one, and ask for valence and arousal on the plane; Ctrl-C ends it."""
    if out is None:
        raise InputError("--out", "missing; the CSV file to which answers are added")
    if not host:  # which would be all addresses
        raise InputError("--host", "missing; 127.0.0.1 is this machine alone, 0.0.0.0 all of its network")
    if not 0 <= port <= MAX_PORT:
        raise InputError("--port", f"{port} is not in [0, {MAX_PORT}]")
    from synth_affect.pipelines.ratings import AnswerLog, can_be_shown, open_study
    from synth_affect.web.rate import RateServer

    found = open_study(pictures)
    looked = with_progress(found, len(found), "looking at the pictures")
    reasons = {picture.id: reason for picture in looked if (reason := can_be_shown(picture)) is not None}
    study = [picture for picture in found if picture.id not in reasons]
    if not study:
        raise InputError(pictures, f"holds no picture that can be shown; {next(iter(reasons.values()))}")
    for reason in reasons.values():
        typer.echo(f"left out: {reason}", err=True)
    with AnswerLog(out) as log, RateServer(study, log, host=host, port=port, seed=seed) as server:
        typer.echo(f"pictures: {len(study)}; answers go to {out}; open {server.url} (Ctrl-C ends)", err=True)
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # the file of answers is let go of then, too
        with contextlib.suppress(KeyboardInterrupt):  # the way to end it
            server.serve_forever()


def report(
    answers: Annotated[Path, typer.Argument(metavar="ANSWERS", help="The CSV file of `rate serve`.")],
    as_json: JsonOption = False,
) -> None:
    """How people's answers agree with what was asked, and with each other."""
    from synth_affect.pipelines.ratings import ratings_text, report_ratings

    found = report_ratings(answers)
    typer.echo(json.dumps(found, indent=2) if as_json else ratings_text(found))
