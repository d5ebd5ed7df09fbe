"""`synth-affect serve`: the page on which a photograph follows a point of the plane."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from functools import partial
from typing import Annotated

import typer

from synth_affect.cli.options import LandmarkModelOption, count, number
from synth_affect.cli.progress import with_progress

BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
"""Pages are drawn side by side, each on one core: threads of small matrix products would only wait for each other, and
double the processor time of a preview."""


def add_commands(app: typer.Typer) -> None:
    """Register the command."""
    app.command("serve")(serve)


def serve(
    port: Annotated[int, typer.Option(parser=count, metavar="COUNT", help="0 for any that is free.")] = 8770,
    host: Annotated[
        str, typer.Option(help="The address to listen on; another opens the page to the network.")
    ] = "127.0.0.1",
    name: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST", help="A name (and port) under which a server in front passes requests on. Repeatable."
        ),
    ] = None,
    head: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME|PATH", help="A head model that pages may choose, beside cc0. Repeatable."),
    ] = None,
    judge: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KIND=FILE", help="A judge of affect that reads results, see evaluate editor. Repeatable."
        ),
    ] = None,
    landmark_model: LandmarkModelOption = None,
    max_megabytes: Annotated[float, typer.Option(parser=number, metavar="NUMBER", help="Of a picture's file.")] = 32.0,
    max_megapixels: Annotated[float, typer.Option(parser=number, metavar="NUMBER", help="Of a picture.")] = 24.0,
    max_sessions: Annotated[
        int, typer.Option(parser=count, metavar="COUNT", help="Pages with a picture at a time.")
    ] = 12,
    idle_minutes: Annotated[
        float, typer.Option(parser=number, metavar="NUMBER", help="A silent page is forgotten after this time.")
    ] = 30.0,
) -> None:
    """A page in the browser: drop a photograph, drag a point over the plane, watch the face follow; Ctrl-C ends it.

    synth-affect serve
    """
    for variable in BLAS_THREADS:
        os.environ.setdefault(variable, "1")  # read when numpy is imported, which is below
    from synth_affect.pipelines.open_head import DEFAULT, prepare_head
    from synth_affect.pipelines.verify import VerifierChoice
    from synth_affect.pipelines.workers import one_thread
    from synth_affect.web.serve.limits import Limits, megabytes
    from synth_affect.web.serve.server import ServeServer
    from synth_affect.web.serve.studio import Studio

    one_thread()
    limits = Limits(
        upload_bytes=megabytes(max_megabytes),
        megapixels=max_megapixels,
        sessions=max_sessions,
        idle_minutes=idle_minutes,
    )
    heads = list(dict.fromkeys([DEFAULT, *(head or [])]))
    for each in heads:
        prepare_head(each, partial(with_progress, description="reading the head"))
    with (
        Studio(heads, VerifierChoice(tuple(judge or ())), landmark_model) as studio,
        ServeServer(studio, host=host, port=port, names=name or (), limits=limits) as server,
    ):
        threading.Thread(target=studio.warm_up, daemon=True).start()
        if server.is_open:
            typer.echo("everybody who can reach this machine can use the page", err=True)
        typer.echo(f"open {server.url} (Ctrl-C ends)", err=True)
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # what it made is cleared away then, too
        with contextlib.suppress(KeyboardInterrupt):  # the way to end it
            server.serve_forever()
