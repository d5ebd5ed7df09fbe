"""The command `synth-affect`: parses, calls, prints. One module a family of commands.

Everything that takes time to import is imported in the command that needs it.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Sequence

import typer

from synth_affect.cli import (
    augment,
    databases,
    doctor,
    edit,
    edit_with,
    evaluate,
    export,
    fit,
    gallery,
    grid_model,
    models,
    moving,
    rate,
    register,
    render_faces,
    reproduce,
    serve,
    train,
    units,
    validate,
)
from synth_affect.errors import SynthAffectError

NAME = "synth-affect"
BAD_INPUT, UNHEARD, INTERRUPTED = 2, 1, 130
"""Exit codes; all went well is 0."""

app = typer.Typer(
    name=NAME,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
edit.add_commands(app)
edit_with.add_commands(app)
augment.add_commands(app)
databases.add_commands(app)
doctor.add_commands(app)
evaluate.add_commands(app)
export.add_commands(app)
fit.add_commands(app)
gallery.add_commands(app)
grid_model.add_commands(app)
models.add_commands(app)
moving.add_commands(app)
rate.add_commands(app)
register.add_commands(app)
render_faces.add_commands(app)
reproduce.add_commands(app)
serve.add_commands(app)
train.add_commands(app)
units.add_commands(app)
validate.add_commands(app)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with `argv` (sys.argv's where None); returns the exit code.

    What is said on stdout is collected and said at the end. A reader who has left by then (`| true`) changes nothing:
    the files are written, and the code is that of the run. A stdout that cannot be written (`> /dev/full`) is told in
    one line on stderr, and 1 where all else went well.
    """
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = _run(argv)
    heard = _say(said.getvalue())
    return code if heard or code else UNHEARD


def _run(argv: Sequence[str] | None) -> int:
    try:
        code = app(args=argv, prog_name=NAME, standalone_mode=False)
    except SynthAffectError as error:
        return _complain(str(error))
    except typer.TyperException as error:
        return _complain(_usage_message(error))
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except SystemExit as end:  # of a shell that asked for completions
        code = end.code
    return code if isinstance(code, int) else 0


def _say(text: str) -> bool:
    """Whether `text` went out on stdout, or nobody wanted it."""
    if not text:
        return True
    try:
        typer.echo(text, nl=False)
    except OSError as error:
        # The interpreter would try once more when it exits, and complain.
        with contextlib.suppress(OSError, ValueError), open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return True
        _complain(f"stdout: cannot be written ({error.strerror or error})")
        return False
    return True


def _usage_message(error: typer.TyperException) -> str:
    """What the parser found, in the form of our own errors: the option, then the reason."""
    parameter = getattr(error, "param", None)
    if parameter is None:
        return error.format_message()
    return f"{max(parameter.opts, key=len)}: {error.message or 'missing'}"


def _complain(message: str) -> int:
    typer.echo(f"{NAME}: {' '.join(message.split())}", err=True)
    return BAD_INPUT
