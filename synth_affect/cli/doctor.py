"""`synth-affect doctor`: is the installation whole?"""

from __future__ import annotations

import json

import typer

from synth_affect.cli.options import JsonOption

UNHEALTHY = 1
"""Exit code of a broken installation."""
MARKS = {"ok": "ok ", "bad": "BAD", "absent": " - "}


def add_commands(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(doctor)


def doctor(as_json: JsonOption = False) -> None:
    """Look whether the installation is whole, and what is there besides; exit code 1 when the main job is in danger."""
    from synth_affect.pipelines.doctor import examine, report

    findings = []
    for finding in examine():
        findings.append(finding)
        if not as_json:
            typer.echo(f"{MARKS[finding.state]} {finding.subject}: {finding.text}")
    found = report(findings)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    if not found["healthy"]:
        raise typer.Exit(UNHEALTHY)
