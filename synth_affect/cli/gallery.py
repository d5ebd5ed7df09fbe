"""`synth-affect gallery ...`: galleries of registered, annotated faces: built, described, checked."""

from __future__ import annotations

import typer

gallery_app = typer.Typer(help="Galleries of registered faces with valence and arousal.")


def add_commands(app: typer.Typer) -> None:
    """Register the family. Modules of further subcommands add theirs here: `their_module.add_commands(gallery_app)`."""
    app.add_typer(gallery_app, name="gallery")


@gallery_app.callback()
def gallery() -> None:
    """Galleries of registered faces with valence and arousal."""
