"""`synth-affect gallery ...`: galleries of registered faces, built, described, checked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from synth_affect.cli import gallery_from_images, gallery_from_registered, gallery_synthesize
from synth_affect.cli.options import JsonOption
from synth_affect.cli.progress import with_progress

DAMAGED = 1
"""Exit code of `check` when it found damage."""

gallery_app = typer.Typer(help="Galleries of registered faces with valence and arousal.")

GalleryArgument = Annotated[Path, typer.Argument(metavar="GALLERY", help="The gallery, a folder.", show_default=False)]


def add_commands(app: typer.Typer) -> None:
    """Register the family. Modules of further subcommands add theirs here: `their_module.add_commands(gallery_app)`."""
    for command in (build, info, check):
        gallery_app.command()(command)
    gallery_synthesize.add_commands(gallery_app)
    gallery_from_images.add_commands(gallery_app)
    gallery_from_registered.add_commands(gallery_app)
    app.add_typer(gallery_app, name="gallery")


def build(
    registered: Annotated[
        list[Path],
        typer.Argument(metavar="REGISTERED...", help="Folders that synth-affect register wrote.", show_default=False),
    ],
    labels: Annotated[
        Path,
        typer.Option(
            help="CSV: subject, session (may lack), sequence, frame, valence, arousal; where wanted category, posed, "
            "apex, neutral."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The gallery: made, or appended to.")],
    as_json: JsonOption = False,
) -> None:
    """Append registered scans with their labels to a gallery; a run that was stopped goes on where it was."""
    from synth_affect.pipelines.gallery.build import build_gallery

    summary = build_gallery(
        registered, labels, out, progress=lambda items, count: with_progress(items, count, "appending")
    )
    for name, reason in summary["rejected"].items():
        typer.echo(f"rejected {name}: {reason}", err=True)
    if as_json:
        typer.echo(json.dumps(summary, indent=2))
    else:
        typer.echo(_built(summary))


def info(gallery: GalleryArgument, as_json: JsonOption = False) -> None:
    """What a gallery holds: people, recordings, frames, and where in the plane they lie."""
    from synth_affect.pipelines.gallery.info import describe_gallery, gallery_text

    found = describe_gallery(gallery)
    typer.echo(json.dumps(found, indent=2) if as_json else gallery_text(found))


def check(gallery: GalleryArgument) -> None:
    """Verify every checksum of a gallery; exit code 1 when something is damaged."""
    from synth_affect.blendshape.gallery.check import check_gallery
    from synth_affect.blendshape.gallery.store import open_gallery

    damage = check_gallery(gallery, lambda items, count: with_progress(items, count, "checking"))
    for line in damage:
        typer.echo(f"BAD {gallery}: {line}")
    if damage:
        raise typer.Exit(DAMAGED)
    frames = open_gallery(gallery).frames
    typer.echo(f"ok  {gallery}: {len(frames)} frames of {len(frames.sequence_names)} sequences")


def _built(summary: dict[str, Any]) -> str:
    lines = [
        f"wrote {summary['output']}: {summary['frames_added']} frames of {summary['sequences_added']} sequences added, "
        f"{summary['sequences_there_before']} sequences were there before; {summary['frames']} frames in all"
    ]
    if summary["frames_rejected_by_registration"]:
        lines.append(f"note: {summary['frames_rejected_by_registration']} frames were rejected by registration")
    for what, names in summary["notes"].items():
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        lines.append(f"note: {what} in {', '.join(names[:3])}{more}")
    if summary["rejected"]:
        lines.append(f"note: {len(summary['rejected'])} recordings were rejected")
    return "\n".join(lines)
